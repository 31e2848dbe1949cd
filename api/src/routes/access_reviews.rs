//! Access reviews: who has which role, and who gained and lost what.

use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use palmares_commands::compliance::{AttestAccess, CloseAccessReview, OpenAccessReview, RevokeAccess};
use palmares_domain::{
    compliance::access_review::{AccessReview, ITEMS_MAX, ReviewDecision},
    identity::RoleRef,
    kernel::{AccessReviewId, Admitted, Code, Tenant, UserId},
};
use palmares_projections::{
    compliance::access_reviews::{Holders, ListAccessChanges, ListAccessReviews, role_holders},
    identity::directory,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::get::<ListAccessChanges>("/access-reviews/changes", "compliance.access_review.read"),
    Route::prepared::<OpenAccessReview, OfHolders>(Verb::Post, "/access-reviews").creating("/access-reviews", "id"),
    Route::get::<ListAccessReviews>("/access-reviews", "compliance.access_review.read"),
    Route::action::<GetAccessReview>(Verb::Get, "/access-reviews/{review_id}", "compliance.access_review.read"),
    Route::post::<AttestAccess>("/access-reviews/{review_id}/attest"),
    Route::post::<RevokeAccess>("/access-reviews/{review_id}/revoke"),
    Route::post::<CloseAccessReview>("/access-reviews/{review_id}/close"),
];

/// Finds out who has the roles that a review is to be about.
struct OfHolders;

impl Prepare<OpenAccessReview> for OfHolders {
    type Shown = ();

    async fn prepare(operation: OpenAccessReview, tenant: Tenant, services: &Services) -> Result<(OpenAccessReview, ()), Problem> {
        if operation.limit.is_some_and(|limit| !(1..=ITEMS_MAX).contains(&usize::from(limit))) {
            return Err(Problem::invalid_field("limit", "out_of_range"));
        }
        // A role that was given before the review is asked for is in it.
        let head = services.head.known();
        services.progress.reach(&[directory::PROJECTION], head, services.settings.wait_max).await?;
        let OpenAccessReview { role, after_user, limit, .. } = operation;
        let Holders { items, more_after } = role_holders(&services.readers, tenant, role, after_user, limit).await?;
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
    pub items: Vec<ReviewedAccess>,
}

/// A role of a user, and what was decided about it.
#[derive(Serialize, ToSchema)]
pub struct ReviewedAccess {
    pub user_id: UserId,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[schema(value_type = String)]
    pub role: RoleRef,
    /// Missing while nobody decided.
    pub decision: Option<ReviewDecision>,
}

impl Action for GetAccessReview {
    type Output = AccessReviewShown;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<AccessReviewShown, Problem> {
        let organization = admitted.admission().organization;
        let state = services.engine.state::<AccessReview>(organization, admitted.value().review_id).await?;
        let review = state.review().ok_or_else(|| Problem::new(Code::ResourceNotFound, "compliance.access_review_not_found"))?;
        let items = review.items().map(|(item, decision)| ReviewedAccess { user_id: item.user_id, role: item.role, decision });
        Ok(AccessReviewShown { id: review.review_id, due_at: review.due_at, closed: review.closed, items: items.collect() })
    }
}
