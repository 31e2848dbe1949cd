//! When the time of an export is over: one timer for each that is ready. It has no table of its own.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    compliance::subject_export::SubjectExportEvent,
    kernel::{Event, derive_uuid},
};

/// The kind of the timers; their payload is the export's id.
pub const TIMER_KIND: &str = "compliance.subject_export_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the end of every export.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "subject_exports_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.subject_export_ready"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = SubjectExportEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let SubjectExportEvent::SubjectExportReady(ready) = happened else { continue };
            let (export, due_at) = (ready.export_id, ready.expires_at);
            let timer = Timer {
                organization_id: event.organization_id,
                id: derive_uuid(TIMER_KIND, &[export.0.as_bytes()]),
                kind: TIMER_KIND.to_owned(),
                stream_id: export.0,
                due_at: due_at.checked_add_signed(SLACK).unwrap_or(due_at),
                payload: serde_json::to_value(export).map_err(|error| ApplyError::Invalid(error.to_string()))?,
            };
            schedule(&mut *context.tx, &timer).await?;
        }
        Ok(())
    }
}
