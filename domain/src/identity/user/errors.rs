//! Why a command for a user is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("no such user")]
    NotFound,
    #[error("the user already exists")]
    AlreadyExists,
    #[error("an external reference has 1 to 200 characters, no control characters, and no space around it")]
    ExternalRefInvalid,
    #[error("a display name has 1 to 200 characters, no control characters, and no space around it")]
    DisplayNameInvalid,
    #[error("a platform role is given in the platform's own organization only")]
    PlatformRoleElsewhere,
    #[error("a reason has 1 to 500 characters")]
    ReasonInvalid,
    #[error("the user is already suspended")]
    AlreadySuspended,
    #[error("the user is not suspended")]
    NotSuspended,
}

impl Refusal for UserError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::ExternalRefInvalid | Self::DisplayNameInvalid | Self::PlatformRoleElsewhere | Self::ReasonInvalid => {
                Code::ValidationError
            }
            Self::AlreadyExists | Self::AlreadySuspended | Self::NotSuspended => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.user_not_found",
            Self::AlreadyExists => "identity.user_already_exists",
            Self::ExternalRefInvalid => "identity.external_ref_invalid",
            Self::DisplayNameInvalid => "identity.display_name_invalid",
            Self::PlatformRoleElsewhere => "identity.platform_role_elsewhere",
            Self::ReasonInvalid => "identity.reason_invalid",
            Self::AlreadySuspended => "identity.user_already_suspended",
            Self::NotSuspended => "identity.user_not_suspended",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ExternalRefInvalid => Some("external_ref"),
            Self::DisplayNameInvalid => Some("display_name"),
            Self::PlatformRoleElsewhere => Some("role"),
            Self::ReasonInvalid => Some("reason"),
            _ => None,
        }
    }
}
