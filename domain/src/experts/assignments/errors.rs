//! Why something is refused of the experts of a person.

use super::aggregate::EXPERTS_MAX;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpertAssignmentsError {
    #[error("nobody is their own expert")]
    OwnExpert,
    #[error("nobody assigns themselves")]
    AssignsOneself,
    #[error("the expert is assigned already")]
    AlreadyAssigned,
    #[error("a person has at most {EXPERTS_MAX} experts at a time")]
    TooManyExperts,
    #[error("an assignment ends after it begins")]
    Over,
    /// Never was, was ended, or is over: which, does not matter.
    #[error("no such assignment")]
    NotFound,
}

impl Refusal for ExpertAssignmentsError {
    fn code(&self) -> Code {
        match self {
            Self::OwnExpert | Self::Over => Code::ValidationError,
            Self::AssignsOneself => Code::AccessDenied,
            Self::AlreadyAssigned | Self::TooManyExperts => Code::Conflict,
            Self::NotFound => Code::ResourceNotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::OwnExpert => "experts.own_expert",
            Self::AssignsOneself => "experts.assigns_oneself",
            Self::AlreadyAssigned => "experts.already_assigned",
            Self::TooManyExperts => "experts.too_many_experts",
            Self::Over => "experts.assignment_over",
            Self::NotFound => "experts.assignment_not_found",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::OwnExpert | Self::AlreadyAssigned => Some("expert_id"),
            Self::Over => Some("until"),
            Self::AssignsOneself | Self::TooManyExperts | Self::NotFound => None,
        }
    }
}
