//! What one user was refused, what sensitive data they read and what they took out.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{AccessRecord, FILTERS_MAX, filter_fits};
pub use commands::{AccessRecordCommand, Aim, Filters, HttpMethod, RecordExport, RecordRefusal, RecordSensitiveRead, RecordWholeExport};
pub use errors::AccessRecordError;
pub use events::{AccessRecordEvent, AccessRefused, DataExported, SensitiveDataRead, WholeLogExported};
