//! Everything one person's sources reported, and what it sums up to per metric and day.

mod aggregate;
mod batch;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{ActivityLog, BATCH_MAX_ITEMS, Records};
pub use batch::{DayTotal, ItemOutcome, ItemRefusal, Measure, RecordChange, RecordedBatch, RecordedItem};
pub use commands::{ActivityItem, ActivityLogCommand, RecordActivities, Report};
pub use errors::ActivityLogError;
pub use events::{ActivitiesRecorded, ActivityLogEvent};
