//! Why a command for a user is refused.

use super::{PersonName, UserStatus};
use crate::kernel::{Code, Refusal, Standing};

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
    #[error("a name has 1 to 200 characters, no control characters, and no space around it")]
    NameInvalid(PersonName),
    #[error("an e-mail address has one @ with a name before it and a domain with a dot after it, at most 254 characters")]
    EmailInvalid,
    #[error("a platform role is given in the platform's own organization only")]
    PlatformRoleElsewhere,
    #[error("a reason has 1 to 500 characters")]
    ReasonInvalid,
    /// Not a way of B.1 (E-154).
    #[error("a user who is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: UserStatus, to: UserStatus },
    #[error("only the return of a deactivated user is approved, and once")]
    NothingToApprove,
    #[error("someone else has to approve the return of a deactivated user first")]
    ApprovalMissing,
    #[error("the user has the role already")]
    RoleAlreadyAssigned,
    #[error("the user does not have the role")]
    RoleNotAssigned,
    #[error("a user who was deleted does not change")]
    Deleted,
}

impl Refusal for UserError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::ExternalRefInvalid
            | Self::DisplayNameInvalid
            | Self::NameInvalid(_)
            | Self::EmailInvalid
            | Self::PlatformRoleElsewhere
            | Self::ReasonInvalid
            | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::AlreadyExists
            | Self::NothingToApprove
            | Self::ApprovalMissing
            | Self::RoleAlreadyAssigned
            | Self::RoleNotAssigned
            | Self::Deleted => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.user_not_found",
            Self::AlreadyExists => "identity.user_already_exists",
            Self::ExternalRefInvalid => "identity.external_ref_invalid",
            Self::DisplayNameInvalid => "identity.display_name_invalid",
            Self::NameInvalid(PersonName::DisplayName) => "identity.display_name_invalid",
            Self::NameInvalid(_) => "identity.person_name_invalid",
            Self::EmailInvalid => "identity.email_invalid",
            Self::PlatformRoleElsewhere => "identity.platform_role_elsewhere",
            Self::ReasonInvalid => "identity.reason_invalid",
            Self::TransitionForbidden { .. } => "identity.transition_forbidden",
            Self::NothingToApprove => "identity.nothing_to_approve",
            Self::ApprovalMissing => "identity.approval_missing",
            Self::RoleAlreadyAssigned => "identity.role_already_assigned",
            Self::RoleNotAssigned => "identity.role_not_assigned",
            Self::Deleted => "identity.user_deleted",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ExternalRefInvalid => Some("external_ref"),
            Self::DisplayNameInvalid => Some("display_name"),
            Self::NameInvalid(name) => Some(name.field()),
            Self::EmailInvalid => Some("email"),
            Self::PlatformRoleElsewhere => Some("role"),
            Self::ReasonInvalid => Some("reason"),
            Self::TransitionForbidden { .. } => Some("status"),
            _ => None,
        }
    }

    fn standing(&self) -> Option<Standing> {
        match self {
            Self::TransitionForbidden { from, .. } => Some(Standing::at(*from)),
            _ => None,
        }
    }

    fn is_attempt(&self) -> bool {
        matches!(self, Self::TransitionForbidden { .. })
    }
}
