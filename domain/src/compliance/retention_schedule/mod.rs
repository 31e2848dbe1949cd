//! How long an organization keeps what, within what the platform asks (E-179 to E-181, A21).

mod aggregate;
mod class;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::RetentionSchedule;
pub use class::RecordClass;
pub use commands::{RetentionCommand, SetRetentionPeriod};
pub use errors::RetentionError;
pub use events::{RetentionEvent, RetentionPeriodSet};
