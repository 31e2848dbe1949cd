//! Why a command for an elevation is refused.

use super::ElevationStatus;
use crate::kernel::{Code, Refusal, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElevationError {
    /// Also of another's, for whoever may not know of it.
    #[error("no such elevation")]
    NotFound,
    #[error("the elevation already exists")]
    AlreadyExists,
    #[error("a reason or a note has 1 to 500 characters")]
    ReasonInvalid,
    #[error("a role lasts at most 8 hours, acting as another user at most one, and both at least a second")]
    DurationInvalid,
    #[error("a platform role is had in the platform's own organization only")]
    PlatformRoleElsewhere,
    #[error("nobody acts as themselves")]
    ActingAsOneself,
    #[error("nobody acts as one of the platform's own people")]
    ActingAsPlatform,
    #[error("somebody else has to decide it: neither who asked nor who is acted as")]
    OwnRequest,
    /// Not a way of the life cycle.
    #[error("an elevation that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: ElevationStatus, to: ElevationStatus },
}

impl Refusal for ElevationError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::ReasonInvalid
            | Self::DurationInvalid
            | Self::PlatformRoleElsewhere
            | Self::ActingAsOneself
            | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::ActingAsPlatform | Self::OwnRequest => Code::AccessDenied,
            Self::AlreadyExists => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.elevation_not_found",
            Self::AlreadyExists => "identity.elevation_already_exists",
            Self::ReasonInvalid => "identity.reason_invalid",
            Self::DurationInvalid => "identity.elevation_duration_invalid",
            Self::PlatformRoleElsewhere => "identity.platform_role_elsewhere",
            Self::ActingAsOneself => "identity.elevation_as_oneself",
            Self::ActingAsPlatform => "identity.elevation_as_platform",
            Self::OwnRequest => "identity.elevation_own_request",
            Self::TransitionForbidden { .. } => "identity.elevation_transition_forbidden",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ReasonInvalid => Some("reason"),
            Self::DurationInvalid => Some("duration_seconds"),
            Self::PlatformRoleElsewhere => Some("role"),
            Self::ActingAsOneself => Some("act_as"),
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

    /// A reach for more rights is worth remembering, done or not.
    fn is_attempt(&self) -> bool {
        matches!(self, Self::TransitionForbidden { .. } | Self::ActingAsPlatform | Self::OwnRequest)
    }
}
