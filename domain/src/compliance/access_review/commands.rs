//! What may be asked of a review.

use super::{ReviewItem, Reviewed};
use crate::kernel::AccessReviewId;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub enum AccessReviewCommand {
    Open(OpenAccessReview),
    /// It is needed still.
    Attest {
        reviewed: Reviewed,
        /// Whether it is there still: what is gone, nobody needs.
        held: bool,
    },
    /// It is taken away.
    Revoke(Reviewed),
    Close,
    /// Records that it is overdue, where it is.
    MarkOverdue,
}

/// Has roles or keys looked at.
#[derive(Clone, Debug)]
pub struct OpenAccessReview {
    pub review_id: AccessReviewId,
    pub items: BTreeSet<ReviewItem>,
    /// When it should be done.
    pub due_at: DateTime<Utc>,
}
