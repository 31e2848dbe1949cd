//! A look at who has which role, one by one: somebody else than its holder attests each or takes it away.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{AccessReview, ITEMS_MAX, Review};
pub use commands::{AccessReviewCommand, OpenAccessReview};
pub use errors::AccessReviewError;
pub use events::{AccessAttested, AccessReviewClosed, AccessReviewEvent, AccessReviewOpened, AccessTaken};

use crate::{identity::RoleRef, kernel::UserId};
use serde::{Deserialize, Serialize};

/// A role that a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReviewItem {
    pub user_id: UserId,
    #[schema(value_type = String)]
    pub role: RoleRef,
}

/// What was decided about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewDecision {
    /// The user needs it still.
    Attested,
    /// It was taken away.
    Revoked,
}
