//! Has what is due on an account recorded: holds past their time, lots past their expiry.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{engine::Engine, points::ExpireDue};
use palmares_domain::points::AccountKey;
use palmares_projections::{
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
    points::due::TIMER_KIND,
};
use std::sync::Arc;

const SYSTEM: System = System { name: "points.expire_due", permission: "system.expire_due" };

pub(super) struct ExpireDueTimers {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for ExpireDueTimers {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let account: AccountKey = serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))?;
        // Without an id that would answer a repetition: recording what is due again records nothing.
        let admission = SYSTEM.admission(timer.organization_id);
        execute(&self.engine, admission, ExpireDue { account }).await.map(drop).map_err(failed)
    }
}
