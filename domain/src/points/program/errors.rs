//! Why a program refuses.

use crate::kernel::{Code, Refusal};
use chrono::NaiveDate;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    #[error("the program is not defined")]
    NotDefined,
    #[error("the program is already defined")]
    AlreadyDefined,
    #[error("the name must have 1 to {max_chars} characters on one line, with no space around them")]
    InvalidName { max_chars: usize },
    #[error("the floor must be from {lowest} to 0 points")]
    FloorOutOfRange { lowest: i64 },
    #[error("`{field}` must be from 1 to {highest}")]
    OutOfRange { field: &'static str, highest: i64 },
    #[error("a new version must begin after {last}, when the last one began")]
    NotLater { last: NaiveDate },
    #[error("another rule has this id")]
    RuleExists,
    #[error("the program has no such rule")]
    UnknownRule,
    #[error("the rule is already retired")]
    AlreadyRetired,
}

impl Refusal for ProgramError {
    fn code(&self) -> Code {
        match self {
            Self::NotDefined | Self::UnknownRule => Code::ResourceNotFound,
            Self::AlreadyDefined | Self::RuleExists | Self::AlreadyRetired => Code::Conflict,
            Self::InvalidName { .. } | Self::FloorOutOfRange { .. } | Self::OutOfRange { .. } | Self::NotLater { .. } => {
                Code::ValidationError
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotDefined => "points.program_not_defined",
            Self::AlreadyDefined => "points.program_already_defined",
            Self::InvalidName { .. } => "points.program_name_invalid",
            Self::FloorOutOfRange { .. } => "points.floor_out_of_range",
            Self::OutOfRange { .. } => "points.rule_value_out_of_range",
            Self::NotLater { .. } => "points.rule_not_later",
            Self::RuleExists => "points.rule_exists",
            Self::UnknownRule => "points.rule_unknown",
            Self::AlreadyRetired => "points.rule_already_retired",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidName { .. } => Some("name"),
            Self::FloorOutOfRange { .. } => Some("floor"),
            Self::OutOfRange { field, .. } => Some(field),
            Self::NotLater { .. } => Some("effective_from"),
            _ => None,
        }
    }
}
