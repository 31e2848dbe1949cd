//! Spans of the calendar.

use chrono::{DateTime, Months, Utc};

/// The same day so many months later, or the last one of a shorter month.
pub fn months_later(from: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    from.checked_add_months(Months::new(months)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
