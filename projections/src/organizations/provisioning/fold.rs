//! From the events of provisioning to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    kernel::{Event, OrganizationId},
    organizations::provisioning::{ProvisioningEvent, ProvisioningStatus, ProvisioningStep},
};
use serde_json::{Value, json};
use sqlx::types::Json;

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("organizations.provisioning.begin", BEGIN),
    ("organizations.provisioning.step", STEP),
    ("organizations.provisioning.set_status", SET_STATUS),
];

const BEGIN: &str = "
    INSERT INTO {organizations_provisioning} (organization_id, id, status, steps, begun_at)
    SELECT tenant, $1, $3, '{}', $4 FROM unnest(ARRAY[$1, $2]::uuid[]) AS t (tenant) ON CONFLICT DO NOTHING";

/// Organizations are few and so are their steps, so each event is a statement of its own.
const STEP: &str = "
    UPDATE {organizations_provisioning}
    SET steps = steps || jsonb_build_object($3::text, coalesce(steps -> $3, '{}') || $4::jsonb
        || jsonb_build_object('attempts', coalesce((steps -> $3 ->> 'attempts')::int, 0) + 1))
    WHERE organization_id IN ($1, $2) AND id = $1";

const SET_STATUS: &str = "
    UPDATE {organizations_provisioning} SET status = $3, ended_at = $4 WHERE organization_id IN ($1, $2) AND id = $1";

/// The fold.
pub struct ProvisioningProgress;

#[async_trait]
impl Projector for ProvisioningProgress {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["organizations_provisioning"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "organizations.provisioning_begun",
            "organizations.provisioning_step_completed",
            "organizations.provisioning_step_failed",
            "organizations.provisioning_given_up",
            "organizations.provisioning_retried",
            "organizations.provisioning_completed",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            write(context, delivered).await?;
        }
        Ok(())
    }
}

async fn write(context: &mut ApplyContext<'_>, Delivered { event, .. }: &Delivered) -> Result<(), ApplyError> {
    let (id, at) = (event.organization_id, event.recorded_at);
    match ProvisioningEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
        ProvisioningEvent::ProvisioningBegun(_) => {
            let sql = context.slot.sql(BEGIN);
            let query = sqlx::query(&sql).bind(id.0).bind(OrganizationId::PLATFORM.0).bind(name(ProvisioningStatus::Running)).bind(at);
            query.execute(&mut *context.tx).await?;
            Ok(())
        }
        ProvisioningEvent::ProvisioningStepCompleted(done) => {
            step(context, id, done.step, json!({ "state": "DONE", "at": at, "retry_at": null })).await
        }
        ProvisioningEvent::ProvisioningStepFailed(failed) => {
            let shown = json!({ "state": "FAILED", "at": at, "last_error": failed.fault, "retry_at": failed.retry_at });
            step(context, id, failed.step, shown).await
        }
        ProvisioningEvent::ProvisioningGivenUp(_) => set_status(context, id, ProvisioningStatus::GivenUp, Some(at)).await,
        ProvisioningEvent::ProvisioningRetried(_) => set_status(context, id, ProvisioningStatus::Running, None).await,
        ProvisioningEvent::ProvisioningCompleted(_) => set_status(context, id, ProvisioningStatus::Complete, Some(at)).await,
    }
}

async fn step(context: &mut ApplyContext<'_>, id: OrganizationId, step: ProvisioningStep, shown: Value) -> Result<(), ApplyError> {
    let sql = context.slot.sql(STEP);
    let query = sqlx::query(&sql).bind(id.0).bind(OrganizationId::PLATFORM.0).bind(step.name()).bind(Json(shown));
    query.execute(&mut *context.tx).await?;
    Ok(())
}

async fn set_status(
    context: &mut ApplyContext<'_>,
    id: OrganizationId,
    status: ProvisioningStatus,
    ended_at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<(), ApplyError> {
    let sql = context.slot.sql(SET_STATUS);
    let query = sqlx::query(&sql).bind(id.0).bind(OrganizationId::PLATFORM.0).bind(name(status)).bind(ended_at);
    query.execute(&mut *context.tx).await?;
    Ok(())
}

fn name(status: ProvisioningStatus) -> &'static str {
    match status {
        ProvisioningStatus::Running => "RUNNING",
        ProvisioningStatus::GivenUp => "GIVEN_UP",
        ProvisioningStatus::Complete => "COMPLETE",
    }
}
