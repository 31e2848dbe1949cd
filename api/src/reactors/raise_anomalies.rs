//! Tells people of what looks wrong in the audit log: that it was raised becomes an event, which goes wherever
//! the log is sent and asks for letters (E-87).

use super::{System, execute, failed, tenant_of};
use async_trait::async_trait;
use palmares_commands::{compliance::RaiseAnomaly, engine::Engine};
use palmares_domain::compliance::access_anomaly;
use palmares_projections::{
    compliance::anomalies::{Raised, raised_by},
    engine::{
        Delivered, ReactError, Reactor, Readers,
        reactor::{Start, command_id},
        watermarks::Watermarks,
    },
};
use std::{sync::Arc, time::Duration};

const SYSTEM: System = System { name: "compliance.raise_anomalies", permission: "system.raise_anomalies" };

/// How long what counts may take to reach an event before it is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether an event raised something is for what counts to say; the anomaly itself sees to it that
/// nobody is told twice, however often its events are counted or handed over.
pub(super) struct RaiseAnomalies {
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub watermarks: Watermarks,
}

#[async_trait]
impl Reactor for RaiseAnomalies {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        Raised::BY
    }

    /// What looked wrong long ago is no news.
    fn start(&self) -> Start {
        Start::Now
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        if !Raised::may_be_by(event) {
            return Ok(());
        }
        let wait = self.watermarks.wait_for(Raised::PROJECTIONS, event.position, PATIENCE);
        wait.await.map_err(|error| ReactError::Transient(error.into()))?;
        let raised = raised_by(&self.readers, tenant_of(event), event).await;
        let Some(raised) = raised.map_err(|error| ReactError::Transient(error.into()))? else { return Ok(()) };
        let Raised { anomaly_id, rule, about, sightings, to_tell: told } = raised;
        let sightings = u32::try_from(sightings).unwrap_or(u32::MAX);
        let raise = RaiseAnomaly(access_anomaly::RaiseAnomaly { anomaly_id, rule, about, sightings, told });
        let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, 0));
        execute(&self.engine, admission, raise).await.map(drop).map_err(failed)
    }
}
