//! Has it recorded that the time of a sign-up has run out.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{engine::Engine, identity::ExpireSignup};
use palmares_domain::kernel::UserId;
use palmares_projections::{
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
    identity::signups::TIMER_KIND,
};
use std::sync::Arc;

const SYSTEM: System = System { name: "identity.expire_signups", permission: "system.expire_signups" };

pub(super) struct ExpireSignups {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for ExpireSignups {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let expire = ExpireSignup { user_id: UserId(timer.stream_id) };
        // Without an id that would answer a repetition: expiring what is not due records nothing.
        execute(&self.engine, SYSTEM.admission(timer.organization_id), expire).await.map(drop).map_err(failed)
    }
}
