//! Why a whole batch is refused; single items are answered by
//! [`ItemRefusal`](super::ItemRefusal).

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivityLogError {
    #[error("the activity log is closed")]
    Closed,
    #[error("a batch has 1 to 1000 items")]
    BatchSize,
}

impl Refusal for ActivityLogError {
    fn code(&self) -> Code {
        match self {
            Self::Closed => Code::Conflict,
            Self::BatchSize => Code::ValidationError,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "challenges.activity_log_closed",
            Self::BatchSize => "challenges.batch_size",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::Closed => None,
            Self::BatchSize => Some("items"),
        }
    }
}
