//! `GET organizations/{organization_id}/provisioning`: the checklist of what the platform prepares (H-97).

use super::PROJECTION;
use crate::engine::{Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::OrganizationId,
    organizations::provisioning::{ProvisioningFault, ProvisioningStep},
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) const STATEMENTS: &[(&str, &str)] = &[("organizations.provisioning.get", GET)];

const GET: &str = "SELECT status, steps, begun_at, ended_at FROM organizations_provisioning WHERE organization_id = $1 AND id = $2";

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepState {
    #[default]
    Pending,
    Failed,
    Done,
}

/// How far a step came.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct StepProgress {
    pub state: StepState,
    /// How often it was tried, in all rounds.
    pub attempts: u32,
    pub last_error: Option<ProvisioningFault>,
    /// When it is tried again.
    pub retry_at: Option<DateTime<Utc>>,
    /// When it was tried last.
    pub at: Option<DateTime<Utc>>,
}

/// A step by its name.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProvisioningStepShown {
    pub step: ProvisioningStep,
    #[serde(flatten)]
    pub progress: StepProgress,
}

/// What the platform prepares for an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProvisioningChecklist {
    pub id: OrganizationId,
    /// `RUNNING`, `GIVEN_UP` or `COMPLETE`.
    pub status: String,
    pub steps: Vec<ProvisioningStepShown>,
    pub begun_at: DateTime<Utc>,
    /// When it was complete, or given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The checklist of an organization that is provisioned: of every one that is set up before it is active.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetProvisioning {
    pub organization_id: OrganizationId,
}

type Row = (String, Json<BTreeMap<String, StepProgress>>, DateTime<Utc>, Option<DateTime<Utc>>);

impl Query for GetProvisioning {
    type Output = ProvisioningChecklist;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<ProvisioningChecklist, ReadError> {
        let tenant = reader.organization().0;
        reader.touches(self.organization_id.0);
        let query = sqlx::query_as(GET).bind(tenant).bind(self.organization_id.0);
        let row: Option<Row> = query.fetch_optional(reader.connection()).await?;
        let (status, Json(mut steps), begun_at, ended_at) = row.ok_or(ReadError::NotFound)?;
        let shown = |step: ProvisioningStep| ProvisioningStepShown { step, progress: steps.remove(step.name()).unwrap_or_default() };
        let steps = ProvisioningStep::ALL.map(shown).into();
        Ok(ProvisioningChecklist { id: self.organization_id, status, steps, begun_at, ended_at })
    }
}
