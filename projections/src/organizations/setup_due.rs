//! When a set-up was left lying: a timer that every step of it puts off (E-126).
//!
//! It has no table of its own, only timers, one for each organization.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, cancel, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    kernel::{Event, OrganizationId, RecordedEvent, derive_uuid},
    organizations::organization::{OrganizationEvent, SetupStep},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of the timers; their payload is a [`SetupLeft`].
pub const TIMER_KIND: &str = "organizations.setup_left";

/// So long nothing may happen in a set-up.
const PATIENCE: TimeDelta = TimeDelta::days(30);

/// How far the set-up was when its timer was set: one that went on meanwhile is not given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLeft {
    pub organization_id: OrganizationId,
    /// The last step that was done.
    pub last_step: Option<SetupStep>,
}

/// Schedules and puts off the end of set-ups.
pub struct SetupDue;

#[async_trait]
impl Projector for SetupDue {
    fn name(&self) -> &'static str {
        "organizations_setup_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "organizations.setup_begun",
            "organizations.setup_step_completed",
            "organizations.setup_expired",
            "organizations.organization_activated",
            "organizations.organization_suspended",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for Delivered { event, .. } in batch {
            let organization_id = event.organization_id;
            let id = derive_uuid(TIMER_KIND, &[organization_id.0.as_bytes()]);
            match OrganizationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                OrganizationEvent::SetupBegun(_) => schedule(&mut *context.tx, &timer(event, id, None)?).await?,
                OrganizationEvent::SetupStepCompleted(done) => schedule(&mut *context.tx, &timer(event, id, Some(done.step))?).await?,
                _ => cancel(&mut *context.tx, organization_id, id).await?,
            }
        }
        Ok(())
    }
}

fn timer(event: &RecordedEvent, id: Uuid, last_step: Option<SetupStep>) -> Result<Timer, ApplyError> {
    let organization_id = event.organization_id;
    let left = SetupLeft { organization_id, last_step };
    Ok(Timer {
        organization_id,
        id,
        kind: TIMER_KIND.to_owned(),
        stream_id: organization_id.0,
        due_at: event.recorded_at.checked_add_signed(PATIENCE).unwrap_or(event.recorded_at),
        payload: serde_json::to_value(left).map_err(|error| ApplyError::Invalid(error.to_string()))?,
    })
}
