//! Why something is refused of a team.

use super::aggregate::NAME_MAX_CHARS;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeamError {
    #[error("no such team")]
    NotFound,
    #[error("the team already exists")]
    AlreadyExists,
    #[error("a team's name has 1 to {NAME_MAX_CHARS} characters, no control characters, and no space around it")]
    NameInvalid,
    #[error("the team is archived")]
    Archived,
    #[error("the user is in the team already")]
    AlreadyMember,
    #[error("the team has as many people as the organization lets it have")]
    Full,
    #[error("the user is not in the team")]
    MemberNotFound,
    #[error("a team keeps its last owner")]
    LastOwner,
}

impl Refusal for TeamError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound | Self::MemberNotFound => Code::ResourceNotFound,
            Self::NameInvalid => Code::ValidationError,
            Self::AlreadyExists | Self::Archived | Self::AlreadyMember | Self::Full | Self::LastOwner => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "recognition.team_not_found",
            Self::AlreadyExists => "recognition.team_already_exists",
            Self::NameInvalid => "recognition.team_name_invalid",
            Self::Archived => "recognition.team_archived",
            Self::AlreadyMember => "recognition.already_member",
            Self::Full => "recognition.team_full",
            Self::MemberNotFound => "recognition.member_not_found",
            Self::LastOwner => "recognition.last_owner",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid => Some("name"),
            Self::AlreadyMember => Some("user_id"),
            _ => None,
        }
    }
}
