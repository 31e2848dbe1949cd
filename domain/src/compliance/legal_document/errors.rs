//! Why a command for an organization's legal documents is refused.

use super::EFFECTIVE_MAX_MONTHS_AHEAD;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LegalDocumentError {
    #[error("this version is published in this language already")]
    AlreadyPublished,
    #[error("a document has a text of at most 100,000 bytes or an address over TLS, and not both")]
    ContentInvalid,
    #[error("a document is in force in the future, and after the version before it")]
    EffectiveTooEarly,
    #[error("a document is in force within the next {EFFECTIVE_MAX_MONTHS_AHEAD} months")]
    EffectiveTooLate,
    #[error("the texts of one version are in force from the same moment")]
    EffectiveElsewhen,
    #[error("an organization has published too many documents")]
    TooManyDocuments,
}

impl Refusal for LegalDocumentError {
    fn code(&self) -> Code {
        match self {
            Self::AlreadyPublished | Self::TooManyDocuments => Code::Conflict,
            Self::ContentInvalid | Self::EffectiveTooEarly | Self::EffectiveTooLate | Self::EffectiveElsewhen => Code::ValidationError,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyPublished => "compliance.document_already_published",
            Self::ContentInvalid => "compliance.document_content_invalid",
            Self::EffectiveTooEarly => "compliance.document_effective_too_early",
            Self::EffectiveTooLate => "compliance.document_effective_over_two_years_ahead",
            Self::EffectiveElsewhen => "compliance.document_effective_elsewhen",
            Self::TooManyDocuments => "compliance.too_many_documents",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ContentInvalid => Some("text"),
            Self::EffectiveTooEarly | Self::EffectiveTooLate | Self::EffectiveElsewhen => Some("effective_at"),
            _ => None,
        }
    }
}
