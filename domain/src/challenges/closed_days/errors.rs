//! Why days are not closed.

use super::aggregate::SUBJECTS_MIN;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClosedDaysError {
    #[error("a day is of another month")]
    OutsideOfMonth,
    #[error("a day on which fewer than {SUBJECTS_MIN} took part is in no figure")]
    TooFewParticipants,
}

impl Refusal for ClosedDaysError {
    fn code(&self) -> Code {
        Code::ValidationError
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::OutsideOfMonth => "challenges.day_outside_of_month",
            Self::TooFewParticipants => "challenges.too_few_participants",
        }
    }

    fn field(&self) -> Option<&'static str> {
        Some("days")
    }
}
