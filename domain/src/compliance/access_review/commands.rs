//! What may be asked of a review.

use super::ReviewItem;
use crate::kernel::AccessReviewId;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub enum AccessReviewCommand {
    Open(OpenAccessReview),
    /// The user needs the role still.
    Attest(ReviewItem),
    /// The role is taken away.
    Revoke(ReviewItem),
    Close,
}

/// Has roles looked at.
#[derive(Clone, Debug)]
pub struct OpenAccessReview {
    pub review_id: AccessReviewId,
    pub items: BTreeSet<ReviewItem>,
    /// When it should be done.
    pub due_at: DateTime<Utc>,
}
