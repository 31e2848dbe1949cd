//! Who has which role, and which keys programs have, looked at one by one.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{LeavesOfficers, RevokeApiKey, UnassignRole, leaves_officers, user_stream};
use crate::ids::new_id;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_review::{self, AccessReview, AccessReviewCommand, ReviewItem, Reviewed},
    identity::{RoleRef, api_key::ApiKey, user::User},
    kernel::{AccessReviewId, Admission, ApiKeyId, UserId},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    OpenAccessReview => permit "compliance.access_review.open", throttle Write;
    AttestAccess => permit "compliance.access_review.attest", throttle Write;
    RevokeAccess => permit "compliance.access_review.revoke", throttle Write;
    AttestKeyAccess => permit "compliance.access_review.attest", throttle Write;
    RevokeKeyAccess => permit "compliance.access_review.revoke", throttle Write;
    CloseAccessReview => permit "compliance.access_review.close", throttle Write;
}

/// What a review is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewScope {
    /// Who has a role, or any.
    #[default]
    Roles,
    /// The keys by which programs act, those that are good now.
    ApiKeys,
}

/// Has somebody look at who has a role now, or any role, or at the keys of programs: at most 1000 roles of
/// users, or keys, in one review. Where there are more, the answer names behind what the next one begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAccessReview {
    #[serde(default)]
    pub scope: ReviewScope,
    /// The name of a built-in role, or the id of one of the organization's own; any, where it is missing.
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleRef>,
    /// When it should be done, at most a year from now.
    pub due_at: DateTime<Utc>,
    /// Those behind this user alone, in the order of their ids: the `more_after` of the review before.
    #[serde(default)]
    pub after_user: Option<UserId>,
    /// Those behind this key alone, in the order of their ids: the `more_after` of the review before.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub after_key: Option<ApiKeyId>,
    /// At most this many roles of users, or keys; all roles of a user are in one review.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    pub limit: Option<u16>,
    /// Who has what, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub items: BTreeSet<ReviewItem>,
    /// The last user or key of the items, where there are more behind them.
    #[serde(skip)]
    #[schema(ignore)]
    pub more_after: Option<Uuid>,
}

/// Says that a user needs a role still. Nobody says so of themselves, nor of a role that was taken meanwhile.
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
    /// Who else is a compliance officer, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub other_officers: Vec<UserId>,
}

leaves_officers!(RevokeAccess);

/// Says that a key of programs is needed still. Nobody says so of a key that they made, nor of one that is good no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestKeyAccess {
    pub review_id: AccessReviewId,
    #[schema(value_type = Uuid)]
    pub key_id: ApiKeyId,
}

/// Revokes a key of programs, at once and for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKeyAccess {
    pub review_id: AccessReviewId,
    #[schema(value_type = Uuid)]
    pub key_id: ApiKeyId,
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
            Some(last) => answer.with("more_after", last.to_string()),
            None => answer,
        })
    }
}

/// Whether a user has a role now: somebody else may have taken it since the review was opened.
fn has_role(unit: &mut Unit<'_>, user: UserId, role: RoleRef) -> Result<bool, Refused> {
    Ok(unit.state::<User>(user)?.profile().is_some_and(|profile| profile.roles.contains(&role)))
}

/// Whether a key is good now: somebody else may have revoked it since the review was opened, or its time is over.
fn is_usable(unit: &mut Unit<'_>, key: ApiKeyId) -> Result<bool, Refused> {
    let now = unit.facts().now;
    Ok(unit.state::<ApiKey>(key)?.issued().is_some_and(|key| key.is_usable(now)))
}

impl Operation for AttestAccess {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, self.review_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { review_id, user_id, role } = *self;
        let (reviewed, held) = (Reviewed::Role { user_id, role }, has_role(unit, user_id, role)?);
        unit.run::<AccessReview>(review_id, &AccessReviewCommand::Attest { reviewed, held })?;
        Ok(Answer::new("id", review_id, "ATTESTED"))
    }
}

impl RevokeAccess {
    fn unassign(&self) -> UnassignRole {
        UnassignRole { user_id: self.user_id, role: self.role, other_officers: self.other_officers.clone() }
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
        let Self { review_id, user_id, role, .. } = *self;
        unit.run::<AccessReview>(review_id, &AccessReviewCommand::Revoke(Reviewed::Role { user_id, role }))?;
        if has_role(unit, user_id, role)? {
            self.unassign().decide(unit)?;
        }
        Ok(Answer::new("id", review_id, "REVOKED"))
    }
}

impl Operation for AttestKeyAccess {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, self.review_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        RevokeApiKey { key_id: self.key_id }.streams(admission)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (reviewed, held) = (Reviewed::Key(self.key_id), is_usable(unit, self.key_id)?);
        unit.run::<AccessReview>(self.review_id, &AccessReviewCommand::Attest { reviewed, held })?;
        Ok(Answer::new("id", self.review_id, "ATTESTED"))
    }
}

impl Operation for RevokeKeyAccess {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let revoke = RevokeApiKey { key_id: self.key_id };
        std::iter::once(review_stream(admission, self.review_id)).chain(revoke.streams(admission)).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { review_id, key_id } = *self;
        unit.run::<AccessReview>(review_id, &AccessReviewCommand::Revoke(Reviewed::Key(key_id)))?;
        if is_usable(unit, key_id)? {
            RevokeApiKey { key_id }.decide(unit)?;
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

/// Records that a review is overdue, where it is.
pub struct MarkReviewOverdue {
    pub review_id: AccessReviewId,
}

impl Operation for MarkReviewOverdue {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![review_stream(admission, self.review_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<AccessReview>(self.review_id, &AccessReviewCommand::MarkOverdue)?;
        Ok(Answer::new("id", self.review_id, "RECORDED"))
    }
}
