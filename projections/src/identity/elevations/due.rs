//! When the time of an elevation is over: a timer for each moment that an event names.
//!
//! It has no table of its own, only timers. The gate does not wait for them: an elevation whose time
//! is over gives nothing, recorded or not.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    identity::elevation::ElevationEvent,
    kernel::{Event, derive_uuid},
};

/// The kind of the timers; their payload is the elevation's id.
pub const TIMER_KIND: &str = "identity.elevation_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the end of every approval and of every elevation that was started.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "elevations_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["identity.elevation_approved", "identity.elevation_started"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = ElevationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let Some(due_at) = happened.due_at() else { continue };
            let elevation = happened.elevation_id();
            let timer = Timer {
                organization_id: event.organization_id,
                id: derive_uuid(TIMER_KIND, &[elevation.0.as_bytes(), &due_at.timestamp_micros().to_be_bytes()]),
                kind: TIMER_KIND.to_owned(),
                stream_id: elevation.0,
                due_at: due_at.checked_add_signed(SLACK).unwrap_or(due_at),
                payload: serde_json::to_value(elevation).map_err(|error| ApplyError::Invalid(error.to_string()))?,
            };
            schedule(&mut *context.tx, &timer).await?;
        }
        Ok(())
    }
}
