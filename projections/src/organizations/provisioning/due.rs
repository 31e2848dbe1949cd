//! When a step that failed is tried again: one timer for each organization. It has no table of its own.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, cancel, schedule},
};
use async_trait::async_trait;
use palmares_domain::{
    kernel::{Event, derive_uuid},
    organizations::provisioning::ProvisioningEvent,
};
use serde_json::json;

/// The kind of the timers.
pub const TIMER_KIND: &str = "organizations.provisioning_retry";

/// Schedules the next attempts.
pub struct ProvisioningDue;

#[async_trait]
impl Projector for ProvisioningDue {
    fn name(&self) -> &'static str {
        "organizations_provisioning_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["organizations.provisioning_step_failed", "organizations.provisioning_step_completed", "organizations.provisioning_retried"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for Delivered { event, .. } in batch {
            let organization_id = event.organization_id;
            let id = derive_uuid(TIMER_KIND, &[organization_id.0.as_bytes()]);
            let retry_at = match ProvisioningEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                ProvisioningEvent::ProvisioningStepFailed(failed) => failed.retry_at,
                _ => None,
            };
            let Some(due_at) = retry_at else {
                cancel(&mut *context.tx, organization_id, id).await?;
                continue;
            };
            let kind = TIMER_KIND.to_owned();
            let timer = Timer { organization_id, id, kind, stream_id: organization_id.0, due_at, payload: json!({}) };
            schedule(&mut *context.tx, &timer).await?;
        }
        Ok(())
    }
}
