//! When the 72 hours of a breach are over: one timer for each. It has no table of its own.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    compliance::breach_case::BreachCaseEvent,
    kernel::{Event, derive_uuid},
};

/// The kind of the timers; their payload is the id of the breach.
pub const TIMER_KIND: &str = "compliance.breach_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the end of every clock.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "breaches_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.breach_opened"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = BreachCaseEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let BreachCaseEvent::BreachOpened(opened) = happened else { continue };
            let (breach, due_at) = (opened.breach_id, opened.due_at);
            let timer = Timer {
                organization_id: event.organization_id,
                id: derive_uuid(TIMER_KIND, &[breach.0.as_bytes()]),
                kind: TIMER_KIND.to_owned(),
                stream_id: breach.0,
                due_at: due_at.checked_add_signed(SLACK).unwrap_or(due_at),
                payload: serde_json::to_value(breach).map_err(|error| ApplyError::Invalid(error.to_string()))?,
            };
            schedule(&mut *context.tx, &timer).await?;
        }
        Ok(())
    }
}
