//! What a batch of reports does to a log: the sealed part of the event, and the answer per item.

use crate::challenges::Metric;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What a record says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    pub metric: Metric,
    /// In the unit of the metric; never negative.
    pub value: i64,
    pub local_day: NaiveDate,
    /// IANA name.
    pub time_zone: String,
}

/// What happened to a record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordChange {
    /// It is new, or came back after its retraction.
    Ingested {
        measure: Measure,
    },
    Corrected {
        measure: Measure,
        previous: Measure,
    },
    Retracted {
        previous: Measure,
    },
}

impl RecordChange {
    /// What the record says now; nothing once retracted.
    pub fn measure(&self) -> Option<&Measure> {
        match self {
            Self::Ingested { measure } | Self::Corrected { measure, .. } => Some(measure),
            Self::Retracted { .. } => None,
        }
    }

    /// What it said before.
    pub fn previous(&self) -> Option<&Measure> {
        match self {
            Self::Corrected { previous, .. } | Self::Retracted { previous } => Some(previous),
            Self::Ingested { .. } => None,
        }
    }
}

/// One accepted report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedItem {
    pub source: String,
    pub source_record_id: String,
    #[serde(flatten)]
    pub change: RecordChange,
}

/// The sum of a metric over a day, before and after a batch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    pub metric: Metric,
    pub day: NaiveDate,
    pub total_before: i64,
    pub total: i64,
}

/// The accepted reports of a batch in their order, and the total of every day that they touch,
/// by metric and day.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedBatch {
    pub records: Vec<RecordedItem>,
    pub day_totals: Vec<DayTotal>,
}

/// The answer to one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// It changed the log; `corrected` where the record was known with other content.
    Accepted {
        corrected: bool,
        retracted: bool,
    },
    /// The log says so already.
    Duplicate,
    Refused(ItemRefusal),
}

/// Why an item is refused while the rest of its batch goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemRefusal {
    #[error("a source has 1 to 64 characters of a-z, 0-9, `_`, `.` and `-`")]
    SourceInvalid,
    #[error("a source record id has 1 to 128 printable characters without spaces")]
    SourceRecordIdInvalid,
    #[error("no such metric")]
    MetricUnknown,
    #[error("the value is negative or more than a day can hold")]
    ValueOutOfBounds,
    #[error("no such time zone")]
    TimeZoneUnknown,
    #[error("the day has not begun")]
    DayInFuture,
    #[error("the day is before 2000-01-01")]
    DayTooEarly,
    #[error("a record that never came cannot be retracted")]
    RecordUnknown,
    #[error("the activity log is closed")]
    LogClosed,
}

impl ItemRefusal {
    /// The stable reason, the key of its translated text.
    pub fn reason(self) -> &'static str {
        match self {
            Self::SourceInvalid => "challenges.source_invalid",
            Self::SourceRecordIdInvalid => "challenges.source_record_id_invalid",
            Self::MetricUnknown => "challenges.metric_unknown",
            Self::ValueOutOfBounds => "challenges.value_out_of_bounds",
            Self::TimeZoneUnknown => "challenges.time_zone_unknown",
            Self::DayInFuture => "challenges.day_in_future",
            Self::DayTooEarly => "challenges.day_too_early",
            Self::RecordUnknown => "challenges.record_unknown",
            Self::LogClosed => "challenges.activity_log_closed",
        }
    }

    /// The field of the item to blame, where one is.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::SourceInvalid => Some("source"),
            Self::SourceRecordIdInvalid | Self::RecordUnknown => Some("source_record_id"),
            Self::MetricUnknown => Some("metric"),
            Self::ValueOutOfBounds => Some("value"),
            Self::TimeZoneUnknown => Some("time_zone"),
            Self::DayInFuture | Self::DayTooEarly => Some("local_day"),
            Self::LogClosed => None,
        }
    }
}
