//! Why a command for an organization is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    #[error("no such organization")]
    NotFound,
    #[error("the organization already exists")]
    AlreadyExists,
    #[error("a name has 1 to 200 characters, no control characters, and no space around it")]
    NameInvalid,
    #[error("a slug has 2 to 63 characters: lower-case letters and digits, with single hyphens between them")]
    SlugInvalid,
    #[error("the slug is reserved")]
    SlugReserved,
    #[error("a reason has 1 to 500 characters")]
    ReasonInvalid,
    #[error("the organization is already suspended")]
    AlreadySuspended,
    #[error("the organization is not suspended")]
    NotSuspended,
    #[error("the platform's own organization cannot be suspended")]
    PlatformOrganization,
}

impl Refusal for OrganizationError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::NameInvalid | Self::SlugInvalid | Self::SlugReserved | Self::ReasonInvalid => Code::ValidationError,
            Self::AlreadyExists | Self::AlreadySuspended | Self::NotSuspended | Self::PlatformOrganization => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "organizations.organization_not_found",
            Self::AlreadyExists => "organizations.organization_already_exists",
            Self::NameInvalid => "organizations.name_invalid",
            Self::SlugInvalid => "organizations.slug_invalid",
            Self::SlugReserved => "organizations.slug_reserved",
            Self::ReasonInvalid => "organizations.reason_invalid",
            Self::AlreadySuspended => "organizations.organization_already_suspended",
            Self::NotSuspended => "organizations.organization_not_suspended",
            Self::PlatformOrganization => "organizations.platform_organization",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid => Some("name"),
            Self::SlugInvalid | Self::SlugReserved => Some("slug"),
            Self::ReasonInvalid => Some("reason"),
            _ => None,
        }
    }
}
