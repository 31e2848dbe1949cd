//! Why a command for a breach is refused.

use super::{AWARE_MAX_MONTHS_AGO, BreachStatus, NOTIFY_WITHIN_HOURS};
use crate::kernel::{Code, Refusal, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreachCaseError {
    #[error("no such breach")]
    NotFound,
    #[error("the breach already exists")]
    AlreadyExists,
    #[error("a text has 1 to 500 characters")]
    TextInvalid(&'static str),
    #[error("nobody is aware of what has not happened yet")]
    AwareInFuture,
    #[error("somebody became aware of it within the last {AWARE_MAX_MONTHS_AGO} months")]
    AwareLongAgo,
    #[error("whoever tells the authority after {NOTIFY_WITHIN_HOURS} hours says why")]
    DelayReasonMissing,
    #[error("the authority is told where harm is likely")]
    HarmLikely,
    #[error("whoever assesses anew says what is seen in another light")]
    ReassessmentReasonMissing,
    #[error("it has to be assessed first")]
    NotAssessed,
    #[error("what the authority was told of has to be described first")]
    NotDescribed,
    #[error("those whom it concerns have to be told first, or there is a ground why not")]
    SubjectsNotInformed,
    #[error("those whom it concerns were told already")]
    AlreadyInformed,
    #[error("those whom it concerns were told, or the risk is not high: there is no ground to give")]
    GroundUnneeded,
    /// Not a way of the life cycle.
    #[error("a breach that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: BreachStatus, to: BreachStatus },
}

impl Refusal for BreachCaseError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::TextInvalid(_)
            | Self::AwareInFuture
            | Self::AwareLongAgo
            | Self::DelayReasonMissing
            | Self::ReassessmentReasonMissing
            | Self::GroundUnneeded
            | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::AlreadyExists
            | Self::HarmLikely
            | Self::NotAssessed
            | Self::NotDescribed
            | Self::SubjectsNotInformed
            | Self::AlreadyInformed => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.breach_not_found",
            Self::AlreadyExists => "compliance.breach_already_exists",
            Self::TextInvalid(_) => "compliance.text_invalid",
            Self::AwareInFuture => "compliance.breach_in_future",
            Self::AwareLongAgo => "compliance.breach_aware_over_a_year_ago",
            Self::DelayReasonMissing => "compliance.breach_delay_reason",
            Self::HarmLikely => "compliance.breach_harm_likely",
            Self::ReassessmentReasonMissing => "compliance.breach_reassessment_reason",
            Self::NotAssessed => "compliance.breach_not_assessed",
            Self::NotDescribed => "compliance.breach_not_described",
            Self::GroundUnneeded => "compliance.breach_ground_unneeded",
            Self::SubjectsNotInformed => "compliance.breach_subjects_not_informed",
            Self::AlreadyInformed => "compliance.breach_already_informed",
            Self::TransitionForbidden { .. } => "compliance.breach_transition_forbidden",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::TextInvalid(field) => Some(field),
            Self::AwareInFuture | Self::AwareLongAgo => Some("aware_at"),
            Self::DelayReasonMissing => Some("delay_reason"),
            Self::ReassessmentReasonMissing => Some("reason"),
            Self::GroundUnneeded => Some("not_informed"),
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
