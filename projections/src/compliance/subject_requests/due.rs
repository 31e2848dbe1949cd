//! When a subject request is due: one timer for each, moved when its time is extended.
//!
//! It has no table of its own, only timers. One that fires in vain, because the request was answered
//! meanwhile, records nothing.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    compliance::subject_request::SubjectRequestEvent,
    kernel::{Event, derive_uuid},
};

/// The kind of the timers; their payload is the request's id.
pub const TIMER_KIND: &str = "compliance.subject_request_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the due date of every request.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "subject_requests_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.subject_request_received", "compliance.subject_request_extended"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = SubjectRequestEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let Some(due_at) = happened.due_at() else { continue };
            let request = happened.request_id();
            let timer = Timer {
                organization_id: event.organization_id,
                id: derive_uuid(TIMER_KIND, &[request.0.as_bytes()]),
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
