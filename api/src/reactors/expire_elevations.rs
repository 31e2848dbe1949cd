//! Has it recorded that the time of an elevation is over. The gate does not wait for it.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{engine::Engine, identity::ExpireElevation};
use palmares_domain::kernel::ElevationId;
use palmares_projections::{
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
    identity::elevations::TIMER_KIND,
};
use std::sync::Arc;

const SYSTEM: System = System { name: "identity.expire_elevation", permission: "system.expire_elevation" };

pub(super) struct ExpireElevations {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for ExpireElevations {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let elevation_id: ElevationId =
            serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))?;
        // Without an id that would answer a repetition: recording it again records nothing.
        let admission = SYSTEM.admission(timer.organization_id);
        execute(&self.engine, admission, ExpireElevation { elevation_id }).await.map(drop).map_err(failed)
    }
}
