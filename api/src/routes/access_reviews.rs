//! Access reviews: who has which role, and who gained and lost what.

use super::officers::BesideOthers;
use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use palmares_commands::compliance::{
    AttestAccess, AttestKeyAccess, CloseAccessReview, OpenAccessReview, ReviewScope, RevokeAccess, RevokeKeyAccess,
};
use palmares_domain::{
    compliance::access_review::{AccessReview, ITEMS_MAX, ReviewDecision, ReviewItem},
    identity::RoleRef,
    kernel::{AccessReviewId, Admitted, ApiKeyId, Code, Tenant, UserId},
};
use palmares_projections::{
    compliance::{
        access_reviews::{Decided, Holders, ListAccessChanges, ListAccessReviews, decisions, keys_in_use, role_holders},
        audit_trail,
    },
    identity::{api_keys, directory, invitations},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::get::<ListAccessChanges>("/access-reviews/changes", "compliance.access_review.read"),
    Route::prepared::<OpenAccessReview, OfHolders>(Verb::Post, "/access-reviews").creating("/access-reviews", "id"),
    Route::get::<ListAccessReviews>("/access-reviews", "compliance.access_review.read"),
    Route::action::<GetAccessReview>(Verb::Get, "/access-reviews/{review_id}", "compliance.access_review.read"),
    Route::post::<AttestAccess>("/access-reviews/{review_id}/attest"),
    Route::prepared::<RevokeAccess, BesideOthers>(Verb::Post, "/access-reviews/{review_id}/revoke"),
    Route::post::<AttestKeyAccess>("/access-reviews/{review_id}/keys/{key_id}/attest"),
    Route::post::<RevokeKeyAccess>("/access-reviews/{review_id}/keys/{key_id}/revoke"),
    Route::post::<CloseAccessReview>("/access-reviews/{review_id}/close"),
];

/// Finds out who has the roles, or which keys there are, that a review is to be about.
struct OfHolders;

impl Prepare<OpenAccessReview> for OfHolders {
    type Shown = ();

    async fn prepare(operation: OpenAccessReview, tenant: Tenant, services: &Services) -> Result<(OpenAccessReview, ()), Problem> {
        if operation.limit.is_some_and(|limit| !(1..=ITEMS_MAX).contains(&usize::from(limit))) {
            return Err(Problem::invalid_field("limit", "out_of_range"));
        }
        let OpenAccessReview { scope, role, after_user, after_key, limit, .. } = operation;
        let (projections, stray): (&[&str], _) = match scope {
            ReviewScope::Roles => (&[directory::PROJECTION, invitations::PROJECTION], after_key.map(|_| "after_key")),
            ReviewScope::ApiKeys => (&[api_keys::PROJECTION], role.map(|_| "role").or(after_user.map(|_| "after_user"))),
        };
        if let Some(field) = stray {
            return Err(Problem::invalid_field(field, "not_of_this_scope"));
        }
        // What was given before the review is asked for is in it: the log is asked, since what a node has been told
        // of its head may be a moment old.
        let head = services.engine.store().head().await.map_err(Problem::unavailable)?.position;
        services.progress.reach(projections, head, services.settings.wait_max).await?;
        let Holders { items, more_after } = match scope {
            ReviewScope::Roles => role_holders(&services.readers, tenant, role, after_user, limit).await?,
            ReviewScope::ApiKeys => keys_in_use(&services.readers, tenant, after_key, limit).await?,
        };
        Ok((OpenAccessReview { items, more_after, ..operation }, ()))
    }
}

/// What a review is about, and what was decided.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAccessReview {
    pub review_id: AccessReviewId,
}

/// A review with everything that it is about.
#[derive(Serialize, ToSchema)]
pub struct AccessReviewShown {
    pub id: AccessReviewId,
    pub due_at: DateTime<Utc>,
    pub closed: bool,
    /// How many nobody decided about yet.
    pub undecided: usize,
    pub items: Vec<ReviewedAccess>,
}

/// A role of a user, or a key, and what was decided about it.
#[derive(Default, Serialize, ToSchema)]
pub struct ReviewedAccess {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub key_id: Option<ApiKeyId>,
    /// Who made the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_by: Option<UserId>,
    /// Missing while nobody decided.
    pub decision: Option<ReviewDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

impl ReviewedAccess {
    fn told(item: (ReviewItem, Option<ReviewDecision>), decided: &[Decided]) -> Self {
        let found = decided.iter().find(|decided| decided.about == item.0.subject());
        Self { decided_by: found.map(|decided| decided.by), decided_at: found.map(|decided| decided.at), ..Self::from(item) }
    }
}

impl From<(ReviewItem, Option<ReviewDecision>)> for ReviewedAccess {
    fn from((item, decision): (ReviewItem, Option<ReviewDecision>)) -> Self {
        match item {
            ReviewItem::Role { user_id, role } => Self { user_id: Some(user_id), role: Some(role), decision, ..Self::default() },
            ReviewItem::Key { key_id, made_by } => Self { key_id: Some(key_id), made_by: Some(made_by), decision, ..Self::default() },
        }
    }
}

impl Action for GetAccessReview {
    type Output = AccessReviewShown;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<AccessReviewShown, Problem> {
        let organization = admitted.admission().organization;
        let state = services.engine.state::<AccessReview>(organization, admitted.value().review_id).await?;
        let review = state.review().ok_or_else(|| Problem::new(Code::ResourceNotFound, "compliance.access_review_not_found"))?;
        // Who decided is told of every decision that is shown.
        let head = services.engine.store().head().await.map_err(Problem::unavailable)?.position;
        services.progress.reach(&[audit_trail::PROJECTION], head, services.settings.wait_max).await?;
        let mut reader = services.readers.open(admitted.tenant(), None).await?;
        let decided = decisions(&mut reader, review.review_id).await?;
        let items: Vec<_> = review.items().map(|item| ReviewedAccess::told(item, &decided)).collect();
        let undecided = items.iter().filter(|item| item.decision.is_none()).count();
        Ok(AccessReviewShown { id: review.review_id, due_at: review.due_at, closed: review.closed, undecided, items })
    }
}
