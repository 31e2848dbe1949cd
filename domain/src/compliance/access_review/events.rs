//! What happens to a review.

use super::ReviewItem;
use crate::{
    events,
    identity::RoleRef,
    kernel::{AccessReviewId, ApiKeyId, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a review.
    pub enum AccessReviewEvent {
        AccessReviewOpened = "compliance.access_review_opened" v 1 {
            review_id: AccessReviewId = internal,
            items: Vec<ReviewItem> = internal,
            due_at: DateTime<Utc> = internal,
            opened_by: UserId = internal,
        },
        AccessAttested = "compliance.access_attested" v 1 {
            review_id: AccessReviewId = internal,
            user_id: UserId = internal,
            role: RoleRef = internal,
            attested_by: UserId = internal,
        },
        /// The role was taken away with it, where the user still had it.
        AccessTaken = "compliance.access_revoked" v 1 {
            review_id: AccessReviewId = internal,
            user_id: UserId = internal,
            role: RoleRef = internal,
            revoked_by: UserId = internal,
        },
        KeyAccessAttested = "compliance.key_access_attested" v 1 {
            review_id: AccessReviewId = internal,
            key_id: ApiKeyId = internal,
            attested_by: UserId = internal,
        },
        /// The key was revoked with it, where it was still good.
        KeyAccessTaken = "compliance.key_access_revoked" v 1 {
            review_id: AccessReviewId = internal,
            key_id: ApiKeyId = internal,
            revoked_by: UserId = internal,
        },
        AccessReviewClosed = "compliance.access_review_closed" v 1 {
            review_id: AccessReviewId = internal,
            /// How many nobody decided about.
            undecided: u32 = internal,
            closed_by: UserId = internal,
        },
        /// Somebody still has to decide about some, after it should have been done.
        AccessReviewOverdue = "compliance.access_review_overdue" v 1 {
            review_id: AccessReviewId = internal,
            due_at: DateTime<Utc> = internal,
            undecided: u32 = internal,
        }
    }
}
