//! Has it recorded that nobody told the authority of a breach in time.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{compliance::MarkBreachOverdue, engine::Engine};
use palmares_domain::kernel::BreachId;
use palmares_projections::{
    compliance::breaches::TIMER_KIND,
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
};
use std::sync::Arc;

const SYSTEM: System = System { name: "compliance.mark_breach_overdue", permission: "system.mark_breach_overdue" };

pub(super) struct MarkBreachesOverdue {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for MarkBreachesOverdue {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let breach_id: BreachId = serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))?;
        // Without an id that would answer a repetition: recording it again records nothing.
        let admission = SYSTEM.admission(timer.organization_id);
        execute(&self.engine, admission, MarkBreachOverdue { breach_id }).await.map(drop).map_err(failed)
    }
}
