//! Why a command for a legal hold is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LegalHoldsError {
    #[error("no such legal hold")]
    NotFound,
    #[error("the legal hold exists already")]
    AlreadyPlaced,
    #[error("the legal hold was released")]
    Released,
    #[error("a hold is on 1 to 1000 people, or on everybody")]
    SubjectsInvalid,
    #[error("a span ends after it begins")]
    SpanInvalid,
    #[error("a matter has 1 to 500 characters")]
    MatterInvalid,
    #[error("nobody releases a hold on themselves")]
    HeldThemselves,
}

impl Refusal for LegalHoldsError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::AlreadyPlaced | Self::Released => Code::Conflict,
            Self::SubjectsInvalid | Self::SpanInvalid | Self::MatterInvalid => Code::ValidationError,
            Self::HeldThemselves => Code::AccessDenied,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.legal_hold_not_found",
            Self::AlreadyPlaced => "compliance.legal_hold_already_placed",
            Self::Released => "compliance.legal_hold_released",
            Self::SubjectsInvalid => "compliance.legal_hold_subjects_invalid",
            Self::SpanInvalid => "compliance.legal_hold_span_invalid",
            Self::MatterInvalid => "compliance.legal_hold_matter_invalid",
            Self::HeldThemselves => "compliance.legal_hold_on_oneself",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::SubjectsInvalid => Some("subjects"),
            Self::SpanInvalid => Some("span"),
            Self::MatterInvalid => Some("matter"),
            _ => None,
        }
    }

    fn is_attempt(&self) -> bool {
        *self == Self::HeldThemselves
    }
}
