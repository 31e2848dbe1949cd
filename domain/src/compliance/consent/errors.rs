//! Why a command for somebody's consents is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Also of another's.
    #[error("no such consent")]
    NotFound,
    #[error("this version is agreed to already")]
    AlreadyGiven,
    #[error("the consent was revoked")]
    AlreadyRevoked,
    #[error("consent is a person's own to give, and to the organization that they belong to")]
    NotAPerson,
    #[error("no version of the document in this language is in force under this name")]
    NotInForce,
}

impl Refusal for ConsentError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::AlreadyGiven | Self::AlreadyRevoked => Code::Conflict,
            Self::NotAPerson => Code::AccessDenied,
            Self::NotInForce => Code::ValidationError,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.consent_not_found",
            Self::AlreadyGiven => "compliance.consent_already_given",
            Self::AlreadyRevoked => "compliance.consent_already_revoked",
            Self::NotAPerson => "compliance.consent_of_nobody",
            Self::NotInForce => "compliance.document_not_in_force",
        }
    }

    fn field(&self) -> Option<&'static str> {
        (*self == Self::NotInForce).then_some("policy_version")
    }
}
