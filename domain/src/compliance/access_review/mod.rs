//! A look at who may act, one by one: who has which role, or which keys programs have. Somebody else than
//! its holder attests each or takes it away.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{AccessReview, DUE_MAX_MONTHS_AHEAD, ITEMS_MAX, Review};
pub use commands::{AccessReviewCommand, OpenAccessReview};
pub use errors::AccessReviewError;
pub use events::{
    AccessAttested, AccessReviewClosed, AccessReviewEvent, AccessReviewOpened, AccessReviewOverdue, AccessTaken, KeyAccessAttested,
    KeyAccessTaken,
};

use crate::{
    identity::RoleRef,
    kernel::{ApiKeyId, UserId},
};
use serde::{Deserialize, Serialize};

/// What somebody looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum ReviewItem {
    /// A role that a user has.
    Role {
        user_id: UserId,
        /// The name of a built-in role, or the id of one of the organization's own.
        #[schema(value_type = String)]
        role: RoleRef,
    },
    /// A key by which programs act, and who made it.
    Key { key_id: ApiKeyId, made_by: UserId },
}

impl ReviewItem {
    /// By what it is named when somebody decides about it.
    pub fn subject(self) -> Reviewed {
        match self {
            Self::Role { user_id, role } => Reviewed::Role { user_id, role },
            Self::Key { key_id, .. } => Reviewed::Key(key_id),
        }
    }

    /// Who does not decide about it.
    pub fn holder(self) -> UserId {
        match self {
            Self::Role { user_id, .. } => user_id,
            Self::Key { made_by, .. } => made_by,
        }
    }
}

/// What is decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reviewed {
    Role { user_id: UserId, role: RoleRef },
    Key(ApiKeyId),
}

/// What was decided about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewDecision {
    /// It is needed still.
    Attested,
    /// It was taken away.
    Revoked,
}
