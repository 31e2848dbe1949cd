//! Has it recorded that nobody answered a subject request in time.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{compliance::MarkRequestOverdue, engine::Engine};
use palmares_domain::kernel::SubjectRequestId;
use palmares_projections::{
    compliance::subject_requests::TIMER_KIND,
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
};
use std::sync::Arc;

const SYSTEM: System = System { name: "compliance.mark_overdue", permission: "system.mark_overdue" };

pub(super) struct MarkOverdue {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for MarkOverdue {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let request_id: SubjectRequestId =
            serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))?;
        // Without an id that would answer a repetition: recording it again records nothing.
        let admission = SYSTEM.admission(timer.organization_id);
        execute(&self.engine, admission, MarkRequestOverdue { request_id }).await.map(drop).map_err(failed)
    }
}
