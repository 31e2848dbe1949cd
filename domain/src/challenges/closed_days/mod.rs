//! The totals of one calendar month's days that stay as they are, whoever is forgotten later.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{ClosedDay, ClosedDays, SUBJECTS_MIN};
pub use commands::{CloseDays, ClosedDaysCommand};
pub use errors::ClosedDaysError;
pub use events::{ClosedDaysEvent, DaysClosed};
