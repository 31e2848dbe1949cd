//! Why a command for a domain is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    #[error("the organization has not claimed this domain")]
    NotFound,
    #[error("the organization has claimed this domain already")]
    AlreadyClaimed,
    #[error("anyone may have a mailbox or a name in this domain")]
    Shared,
    #[error("the domain is verified already")]
    AlreadyVerified,
    #[error("the record that proves the domain was not found")]
    ChallengeMissing,
    #[error("the domain is not verified")]
    NotVerified,
}

impl Refusal for DomainError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::Shared => Code::ValidationError,
            Self::AlreadyClaimed | Self::AlreadyVerified | Self::ChallengeMissing | Self::NotVerified => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "organizations.domain_not_found",
            Self::AlreadyClaimed => "organizations.domain_already_claimed",
            Self::Shared => "organizations.domain_shared",
            Self::AlreadyVerified => "organizations.domain_already_verified",
            Self::ChallengeMissing => "organizations.domain_challenge_missing",
            Self::NotVerified => "organizations.domain_not_verified",
        }
    }

    fn field(&self) -> Option<&'static str> {
        matches!(self, Self::Shared).then_some("domain")
    }
}
