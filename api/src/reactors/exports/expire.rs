//! Has it recorded that the time of an export is over; its file goes with the event.

use crate::reactors::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{compliance::ExpireExport, engine::Engine};
use palmares_domain::kernel::ExportId;
use palmares_projections::{
    compliance::subject_exports::TIMER_KIND,
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
};
use std::sync::Arc;

const SYSTEM: System = System { name: "compliance.expire_export", permission: "system.expire_export" };

pub(in crate::reactors) struct ExpireExports {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for ExpireExports {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let export_id: ExportId = serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))?;
        // Without an id that would answer a repetition: recording it again records nothing.
        let admission = SYSTEM.admission(timer.organization_id);
        execute(&self.engine, admission, ExpireExport { export_id }).await.map(drop).map_err(failed)
    }
}
