//! Who has which role, looked at one by one.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{UnassignRole, user_stream};
use crate::ids::new_id;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_review::{self, AccessReview, AccessReviewCommand, ReviewItem},
    identity::{RoleRef, user::User},
    kernel::{AccessReviewId, Admission, UserId},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    OpenAccessReview => permit "compliance.access_review.open", throttle Write;
    AttestAccess => permit "compliance.access_review.attest", throttle Write;
    RevokeAccess => permit "compliance.access_review.revoke", throttle Write;
    CloseAccessReview => permit "compliance.access_review.close", throttle Write;
}

/// Has somebody look at who has a role now, or any role: at most 1000 roles of users in one review. Where
/// there are more, the answer names the user behind whom the next one begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAccessReview {
    /// The name of a built-in role, or the id of one of the organization's own; any, where it is missing.
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleRef>,
    /// When it should be done.
    pub due_at: DateTime<Utc>,
    /// Those behind this user alone, in the order of their ids: the `more_after` of the review before.
    #[serde(default)]
    pub after_user: Option<UserId>,
    /// At most this many roles of users; all of a user's are in one review.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    pub limit: Option<u16>,
    /// Who has what, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub items: BTreeSet<ReviewItem>,
    /// The last user of the items, where there are more behind them.
    #[serde(skip)]
    #[schema(ignore)]
    pub more_after: Option<UserId>,
}

/// Says that a user needs a role still. Nobody says so of themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestAccess {
    pub review_id: AccessReviewId,
    pub user_id: UserId,
    #[schema(value_type = String)]
    pub role: RoleRef,
}

/// Takes a role from a user, as whoever may take it could without a review.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeAccess {
    pub review_id: AccessReviewId,
    pub user_id: UserId,
    #[schema(value_type = String)]
    pub role: RoleRef,
}

/// Ends a review. What nobody decided about stays as it is, and is counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAccessReview {
    pub review_id: AccessReviewId,
}

fn review_stream(admission: &Admission, review: AccessReviewId) -> StreamRef {
    StreamRef::of::<AccessReview>(admission.organization, review)
}

impl OpenAccessReview {
    fn id(admission: &Admission) -> AccessReviewId {
        AccessReviewId(new_id(admission, "access-review"))
    }
}

impl Operation for OpenAccessReview {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, Self::id(admission))]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let review_id = Self::id(unit.admission());
        let open = access_review::OpenAccessReview { review_id, items: self.items.clone(), due_at: self.due_at };
        unit.run::<AccessReview>(review_id, &AccessReviewCommand::Open(open))?;
        let answer = Answer::new("id", review_id, "OPEN").with("items", self.items.len());
        Ok(match self.more_after {
            Some(user) => answer.with("more_after", user.to_string()),
            None => answer,
        })
    }
}

impl Operation for AttestAccess {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, self.review_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { review_id, user_id, role } = *self;
        unit.run::<AccessReview>(review_id, &AccessReviewCommand::Attest(ReviewItem { user_id, role }))?;
        Ok(Answer::new("id", review_id, "ATTESTED"))
    }
}

impl RevokeAccess {
    fn unassign(&self) -> UnassignRole {
        UnassignRole { user_id: self.user_id, role: self.role }
    }
}

impl Operation for RevokeAccess {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, self.review_id), user_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        self.unassign().reads(admission)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { review_id, user_id, role } = *self;
        unit.run::<AccessReview>(review_id, &AccessReviewCommand::Revoke(ReviewItem { user_id, role }))?;
        // Somebody else may have taken it since the review was opened.
        if unit.state::<User>(user_id)?.profile().is_some_and(|profile| profile.roles.contains(&role)) {
            self.unassign().decide(unit)?;
        }
        Ok(Answer::new("id", review_id, "REVOKED"))
    }
}

impl Operation for CloseAccessReview {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, self.review_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<AccessReview>(self.review_id, &AccessReviewCommand::Close)?;
        Ok(Answer::new("id", self.review_id, "CLOSED"))
    }
}
