//! `GET organizations/{organization_id}/onboarding`: the checklist of the set-up (E-123, E-277).

use super::PROJECTION;
use crate::engine::{Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{OrganizationId, UserId},
    organizations::organization::SetupStep,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) const STATEMENTS: &[(&str, &str)] = &[("organizations.directory.setup", GET)];

const GET: &str = "SELECT status, setup FROM organizations_directory WHERE organization_id = $1 AND id = $2";

/// When a step was done, and by whom: a user, or the part of the platform that saw it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Done {
    pub at: DateTime<Utc>,
    pub by: UserId,
}

/// One step of the checklist.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnboardingStep {
    pub step: SetupStep,
    /// Whether it is seen by itself, or someone has to say so.
    pub seen_by_itself: bool,
    pub done: bool,
    pub at: Option<DateTime<Utc>>,
    pub by: Option<UserId>,
}

/// How far the set-up of an organization is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Onboarding {
    pub id: OrganizationId,
    /// Where the organization stands, such as `PENDING_SETUP`.
    pub status: String,
    pub steps: Vec<OnboardingStep>,
    /// The first step that is not done.
    pub next: Option<SetupStep>,
    /// Whether every step is done.
    pub complete: bool,
}

/// The checklist of an organization that is or was set up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOnboarding {
    pub organization_id: OrganizationId,
}

/// Who did which step, and when.
type StepsDone = BTreeMap<String, Done>;

impl Query for GetOnboarding {
    type Output = Onboarding;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Onboarding, ReadError> {
        let tenant = reader.organization().0;
        reader.touches(self.organization_id.0);
        let query = sqlx::query_as(GET).bind(tenant).bind(self.organization_id.0);
        let row: Option<(String, Option<Json<StepsDone>>)> = query.fetch_optional(reader.connection()).await?;
        // Of an organization that was active at once there is no checklist.
        let Some((status, Some(Json(mut done)))) = row else { return Err(ReadError::NotFound) };
        let steps: Vec<OnboardingStep> = SetupStep::ALL
            .into_iter()
            .map(|step| {
                let done = done.remove(step.name());
                let (at, by) = done.map_or((None, None), |done| (Some(done.at), Some(done.by)));
                OnboardingStep { step, seen_by_itself: !step.is_taken_at_word(), done: at.is_some(), at, by }
            })
            .collect();
        let next = steps.iter().find(|step| !step.done).map(|step| step.step);
        Ok(Onboarding { id: self.organization_id, status, next, complete: next.is_none(), steps })
    }
}
