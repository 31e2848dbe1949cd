//! Why a command for an organization's own roles is refused.

use super::aggregate::{GRANTS_MAX, ROLES_MAX};
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleCatalogueError {
    #[error("no such role")]
    NotFound,
    #[error("the role already exists")]
    AlreadyExists,
    #[error("a role's name has 1 to 100 characters, no control characters, and no space around it")]
    NameInvalid,
    #[error("a role of the organization, or a built-in one, has this name")]
    NameTaken,
    #[error("a role grants 1 to {GRANTS_MAX} permissions")]
    GrantCountInvalid,
    #[error("an organization has at most {ROLES_MAX} roles of its own")]
    TooManyRoles,
    #[error("the role is retired")]
    Retired,
}

impl Refusal for RoleCatalogueError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::NameInvalid | Self::GrantCountInvalid => Code::ValidationError,
            Self::AlreadyExists | Self::NameTaken | Self::TooManyRoles | Self::Retired => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.role_not_found",
            Self::AlreadyExists => "identity.role_already_exists",
            Self::NameInvalid => "identity.role_name_invalid",
            Self::NameTaken => "identity.role_name_taken",
            Self::GrantCountInvalid => "identity.role_grant_count",
            Self::TooManyRoles => "identity.too_many_roles",
            Self::Retired => "identity.role_retired",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid | Self::NameTaken => Some("name"),
            Self::GrantCountInvalid => Some("grants"),
            _ => None,
        }
    }
}
