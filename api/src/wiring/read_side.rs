//! The read side of a process: its pools, one per role of the database, and what fills the read models.

use super::{keys::RingKeys, write_side::connect_options};
use crate::{cli::ServerSettings, reactors::siem};
use anyhow::Context;
use palmares_commands::{compliance::SENT_TO_SINKS, privacy::KeyRing};
use palmares_domain::kernel::derive_uuid;
use palmares_projections::{
    challenges,
    compliance::{self, siem::Cursors, subject_exports::ExportFiles},
    engine::{
        self, PersonalKeys, Projector, Reactor, Readers, Supervisor, head::HeadSignal, jetstream::Cache, log::Log, timers::TimerHandler,
        watermarks::Watermarks,
    },
    experts, identity, operations, organizations, points, recognition,
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{fs, net::SocketAddr, sync::Arc};
use uuid::Uuid;

/// Queries at a time.
const READERS: u32 = 16;
/// Projectors that write at a time.
const PROJECTORS: u32 = 8;
/// Exports that are stored at a time.
const EXPORT_FILES: u32 = 2;
/// Three connections follow the log and hold the leads of relay and sealer; the others read, and one writes seals.
const RELAY: u32 = 8;

pub(super) struct ReadSide {
    pub readers: Readers,
    pub log: Log,
    pub head: Arc<HeadSignal>,
    pub watermarks: Watermarks,
    keys: Arc<dyn PersonalKeys>,
    connect: PgConnectOptions,
}

impl ReadSide {
    pub async fn open(settings: &ServerSettings, ring: Arc<KeyRing>) -> anyhow::Result<Self> {
        let connect = connect_options(settings)?;
        let keys: Arc<dyn PersonalKeys> = Arc::new(RingKeys(ring));
        let readers = Readers::new(pool(&connect, "palmares_reader", READERS).await?, keys.clone());
        let readers = readers.ahead_by(settings.clock.ahead());
        let log = Log::new(pool(&connect, "palmares_relay", RELAY).await?);
        let watermarks = Watermarks::new(log.clone());
        Ok(Self { readers, log, head: Arc::new(HeadSignal::new()), watermarks, keys, connect })
    }

    /// Where the files of exports are stored.
    pub async fn export_files(&self) -> anyhow::Result<ExportFiles> {
        Ok(ExportFiles::new(pool(&self.connect, "palmares_projector", EXPORT_FILES).await?))
    }

    /// How far the sinks of organizations took their audit logs: with where people were, without the states
    /// that an event changed, which may hold what is restricted.
    pub async fn siem_cursors(&self) -> anyhow::Result<Cursors> {
        let connections = u32::try_from(siem::AT_A_TIME + 1).unwrap_or(u32::MAX);
        Ok(Cursors::new(
            pool(&self.connect, "palmares_projector", connections).await?,
            self.readers.cleared_for(SENT_TO_SINKS).marking_unreadable(),
        ))
    }

    /// Starts the relay, every projector, and these reactors and timers.
    pub async fn start_workers(
        &self,
        settings: &ServerSettings,
        address: SocketAddr,
        reactors: Vec<Arc<dyn Reactor>>,
        timers: Vec<Arc<dyn TimerHandler>>,
    ) -> anyhow::Result<Supervisor> {
        let client = Cache::connect(&settings.nats_url).await.context("NATS_URL cannot be used")?;
        let cache = Cache { replicas: settings.nats_replicas, ..Cache::new(client) };
        let parts = engine::Parts {
            log: self.log.clone(),
            projector_pool: pool(&self.connect, "palmares_projector", PROJECTORS).await?,
            keys: self.keys.clone(),
            cache: Some(cache),
            owner: owner(address),
            head: self.head.clone(),
            watermarks: self.watermarks.clone(),
            projectors: projectors(),
            reactors,
            timers,
            timers_ahead: settings.clock.ahead().to_std().context("a clock that is behind")?,
        };
        Supervisor::start(parts).await.context("starting the read side")
    }
}

/// Every projector of every context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    let contexts = [
        organizations::projectors(),
        identity::projectors(),
        points::projectors(),
        challenges::projectors(),
        experts::projectors(),
        recognition::projectors(),
        compliance::projectors(),
        operations::projectors(),
    ];
    contexts.into_iter().flatten().collect()
}

/// A pool whose connections act as one role, and never as the login. Its statements are short: to compile one takes
/// longer than to run it.
async fn pool(connect: &PgConnectOptions, role: &str, connections: u32) -> anyhow::Result<PgPool> {
    let connect = connect.clone().options([("role", role), ("jit", "off")]).application_name(role);
    PgPoolOptions::new().max_connections(connections).connect_with(connect).await.with_context(|| format!("connecting as {role}"))
}

/// The name under which this process owns checkpoints. Who listens at an address of a host is the
/// only one who does, so a restart takes over what the process before it left, without waiting.
fn owner(address: SocketAddr) -> Uuid {
    match fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(host) => derive_uuid("process", &[host.trim().as_bytes(), address.to_string().as_bytes()]),
        Err(_) => Uuid::now_v7(),
    }
}
