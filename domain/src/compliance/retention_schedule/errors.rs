//! Why a retention schedule does not change.

use super::RecordClass;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    #[error("{} is kept for {} to {} days", .0.name(), .0.bounds().0, .0.bounds().1)]
    PeriodOutOfRange(RecordClass),
}

impl Refusal for RetentionError {
    fn code(&self) -> Code {
        Code::ValidationError
    }

    fn reason(&self) -> &'static str {
        "compliance.retention_period_out_of_range"
    }

    fn field(&self) -> Option<&'static str> {
        Some("days")
    }
}
