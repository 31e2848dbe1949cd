//! When the time of a deletion's next step has come: a timer for each moment that an event names.
//!
//! It has no table of its own, only timers. One that comes for a deletion that has moved on does nothing.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    compliance::deletion_request::DeletionEvent,
    kernel::{Event, derive_uuid},
};

/// The kind of the timers; their payload is the request's id.
pub const TIMER_KIND: &str = "compliance.deletion_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the end of every grace period, recovery window and retention.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "deletions_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.deletion_grace_begun",
            "compliance.subject_soft_deleted",
            "compliance.retention_countdown_begun",
            "compliance.retention_rescheduled",
            "compliance.deletion_hold_lifted",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = DeletionEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let Some(due_at) = happened.due_at() else { continue };
            let request = happened.request_id();
            let timer = Timer {
                organization_id: event.organization_id,
                // Of the event and not of the moment: what was held may be due at a moment that has passed.
                id: derive_uuid(TIMER_KIND, &[event.id.0.as_bytes()]),
                kind: TIMER_KIND.to_owned(),
                stream_id: request.0,
                due_at: due_at.checked_add_signed(SLACK).unwrap_or(due_at),
                payload: serde_json::to_value(request).map_err(|error| ApplyError::Invalid(error.to_string()))?,
            };
            schedule(&mut *context.tx, &timer).await?;
        }
        Ok(())
    }
}
