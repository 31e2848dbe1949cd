//! What happens to a retention schedule.

use super::RecordClass;
use crate::{events, kernel::UserId};

events! {
    /// What happens to a retention schedule.
    pub enum RetentionEvent {
        RetentionPeriodSet = "compliance.retention_period_set" v 1 {
            class: RecordClass = internal,
            days: u32 = internal,
            set_by: UserId = internal,
        }
    }
}
