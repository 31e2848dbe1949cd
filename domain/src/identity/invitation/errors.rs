//! Why a command for an invitation is refused.

use super::InvitationStatus;
use crate::kernel::{Code, Refusal, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    #[error("no such invitation")]
    NotFound,
    #[error("the invitation already exists")]
    AlreadyExists,
    #[error("an e-mail address has one @ with a name before it and a domain with a dot after it, at most 254 characters")]
    EmailInvalid,
    #[error("an invitation is valid for 1 to 720 hours")]
    ValidityInvalid,
    /// Not a way of B.3.
    #[error("an invitation that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: InvitationStatus, to: InvitationStatus },
    #[error("the invitation was sent again: an older one is no longer good")]
    Superseded,
    #[error("the time to accept the invitation has run out")]
    TimeRunOut,
    #[error("the time to accept the invitation has not run out yet")]
    NotDue,
    #[error("an invitation is sent again once a minute at most")]
    ReissuedTooSoon,
    #[error("an invitation is sent again ten times at most")]
    ReissuedTooOften,
}

impl Refusal for InvitationError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::EmailInvalid | Self::ValidityInvalid | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::AlreadyExists | Self::Superseded | Self::TimeRunOut | Self::NotDue | Self::ReissuedTooOften => Code::Conflict,
            Self::ReissuedTooSoon => Code::RateLimited,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.invitation_not_found",
            Self::AlreadyExists => "identity.invitation_already_exists",
            Self::EmailInvalid => "identity.email_invalid",
            Self::ValidityInvalid => "identity.invitation_validity_invalid",
            Self::TransitionForbidden { .. } => "identity.invitation_transition_forbidden",
            Self::Superseded => "identity.invitation_superseded",
            Self::TimeRunOut => "identity.invitation_time_run_out",
            Self::NotDue => "identity.invitation_not_due",
            Self::ReissuedTooSoon => "identity.invitation_reissued_too_soon",
            Self::ReissuedTooOften => "identity.invitation_reissued_too_often",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::EmailInvalid => Some("email"),
            Self::ValidityInvalid => Some("valid_for_hours"),
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
