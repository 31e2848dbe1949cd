//! What may be asked of an activity log.

use crate::kernel::UserId;
use chrono::NaiveDate;
use std::fmt;

#[derive(Clone, Debug)]
pub enum ActivityLogCommand {
    Record(RecordActivities),
}

/// Records a batch of reports of one person's sources, in their order. Corrections and retractions
/// are reports like any other, so a source needs one way in and a batch stays one event.
#[derive(Clone)]
pub struct RecordActivities {
    pub user_id: UserId,
    pub items: Vec<ActivityItem>,
}

/// What a source says of one of its records.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivityItem {
    /// The source, such as `fitbit`: `[a-z0-9_.-]`, 1 to 64 characters.
    pub source: String,
    /// The source's own id of the record: 1 to 128 printable ASCII characters without spaces.
    pub source_record_id: String,
    pub report: Report,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Report {
    /// The record says this, whatever it said before.
    Measured {
        metric: String,
        value: i64,
        /// The day on the person's own calendar.
        local_day: NaiveDate,
        /// The person's time zone then, by its IANA name.
        time_zone: String,
    },
    /// The source takes the record back.
    Retracted,
}

// Written out, because a derived `Debug` would put health data into log lines.
impl fmt::Debug for RecordActivities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordActivities").field("user_id", &self.user_id).field("items", &self.items.len()).finish()
    }
}
