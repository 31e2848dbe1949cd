//! Why a command for a deletion is refused.

use super::{Check, DeletionStatus};
use crate::kernel::{Code, FieldError, Refusal, Standing};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeletionError {
    #[error("no such deletion request")]
    NotFound,
    #[error("the deletion was asked for already")]
    AlreadyOpen,
    #[error("a reason has 1 to 500 characters")]
    ReasonInvalid,
    #[error("whoever takes back or undoes what a person asked for themselves says why")]
    ReasonMissing,
    #[error("a forced deletion needs its ground")]
    GroundMissing,
    #[error("a forced deletion needs the reference of its incident: 1 to 64 letters, digits, dots, hyphens and underscores")]
    IncidentInvalid,
    #[error("nobody decides what they asked for, or what is about themselves")]
    OwnRequest,
    #[error("this approver has approved it already")]
    AlreadyApproved,
    #[error("something is open that has to be settled before")]
    ChecksOpen(Vec<Check>),
    #[error("only whoever asked for it shows a second factor")]
    NotTheRequester,
    /// Not a way of B.3.
    #[error("a deletion that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: DeletionStatus, to: DeletionStatus },
    #[error("the recovery window is over")]
    RecoveryOver,
    #[error("the erasure is not at this step")]
    StepOutOfOrder,
    #[error("a legal hold stops it")]
    OnHold,
}

impl Refusal for DeletionError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::ReasonInvalid | Self::ReasonMissing | Self::GroundMissing | Self::IncidentInvalid | Self::TransitionForbidden { .. } => {
                Code::ValidationError
            }
            Self::OwnRequest | Self::NotTheRequester => Code::AccessDenied,
            Self::OnHold => Code::LegalHold,
            Self::AlreadyOpen | Self::AlreadyApproved | Self::ChecksOpen(_) | Self::RecoveryOver | Self::StepOutOfOrder => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.deletion_not_found",
            Self::AlreadyOpen => "compliance.deletion_already_open",
            Self::ReasonInvalid => "compliance.deletion_reason_invalid",
            Self::ReasonMissing => "compliance.deletion_reason_missing",
            Self::GroundMissing => "compliance.deletion_ground_missing",
            Self::IncidentInvalid => "compliance.deletion_incident_invalid",
            Self::OwnRequest => "compliance.deletion_own_request",
            Self::AlreadyApproved => "compliance.deletion_already_approved",
            Self::ChecksOpen(_) => "compliance.deletion_checks_open",
            Self::NotTheRequester => "compliance.deletion_not_the_requester",
            Self::TransitionForbidden { .. } => "compliance.deletion_transition_forbidden",
            Self::RecoveryOver => "compliance.deletion_recovery_over",
            Self::StepOutOfOrder => "compliance.erasure_step_out_of_order",
            Self::OnHold => "compliance.deletion_on_hold",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ReasonInvalid | Self::ReasonMissing => Some("reason"),
            Self::GroundMissing => Some("ground"),
            Self::IncidentInvalid => Some("incident"),
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

    fn open_points(&self) -> Vec<FieldError> {
        match self {
            Self::ChecksOpen(open) => {
                open.iter().map(|check| FieldError::new(format!("checks.{}", check.name()), check.reason())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn is_attempt(&self) -> bool {
        matches!(self, Self::TransitionForbidden { .. } | Self::OwnRequest)
    }
}
