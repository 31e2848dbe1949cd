//! Why something is refused of an anomaly.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessAnomalyError {
    #[error("somebody looked at it already")]
    AlreadyAcknowledged,
    #[error("nobody judges what they did themselves")]
    OwnAnomaly,
    #[error("a note has 1 to 500 characters")]
    NoteInvalid,
}

impl Refusal for AccessAnomalyError {
    fn code(&self) -> Code {
        match self {
            Self::AlreadyAcknowledged => Code::Conflict,
            Self::OwnAnomaly => Code::AccessDenied,
            Self::NoteInvalid => Code::ValidationError,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyAcknowledged => "compliance.anomaly_already_acknowledged",
            Self::OwnAnomaly => "compliance.own_anomaly",
            Self::NoteInvalid => "compliance.anomaly_note_invalid",
        }
    }

    fn field(&self) -> Option<&'static str> {
        (*self == Self::NoteInvalid).then_some("note")
    }

    fn is_attempt(&self) -> bool {
        *self == Self::OwnAnomaly
    }
}
