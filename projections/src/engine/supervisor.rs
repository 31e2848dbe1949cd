//! Runs the read side of one process: relay, feed, projectors, reactors and timers.

use super::{
    batch::Workshop,
    checkpoint::{self, Claim, Kind, LEASE},
    feed::Feed,
    head::HeadSignal,
    jetstream::Cache,
    keys::PersonalKeys,
    log::Log,
    projector::Projector,
    reactions::Reactions,
    reactor::{Reactor, Start},
    rebuild::{Progress, Rebuild, RebuildError},
    relay::Relay,
    runner::{Ended, Runner},
    status::{ProjectionStatus, gauge, status},
    stop::{Backoff, Stop, Stopper},
    timers::{TimerHandler, Timers},
    watermarks::Watermarks,
};
use sqlx::PgPool;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

/// How often a process that stands by looks whether it is needed.
const STAND_BY: Duration = Duration::from_secs(1);
/// How often gauges are set.
const GAUGE: Duration = Duration::from_secs(5);
/// How long tasks may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the read side of a process is made of.
pub struct Parts {
    /// Connections of role `palmares_relay`; at least four.
    pub log: Log,
    /// Connections of role `palmares_projector`; about one for two projectors.
    pub projector_pool: PgPool,
    pub keys: Arc<dyn PersonalKeys>,
    /// `None` runs without NATS: events come from PostgreSQL.
    pub cache: Option<Cache>,
    /// This process as the owner of checkpoints. A name that survives a restart, where there is
    /// one process only, saves waiting for the lease of the one that died.
    pub owner: Uuid,
    /// Shared with the committer of this process, which advances it.
    pub head: Arc<HeadSignal>,
    /// Shared with the readers of this process.
    pub watermarks: Watermarks,
    pub projectors: Vec<Arc<dyn Projector>>,
    pub reactors: Vec<Arc<dyn Reactor>>,
    pub timers: Vec<Arc<dyn TimerHandler>>,
}

/// Why a rebuild does not begin.
#[derive(Debug, thiserror::Error)]
pub enum RebuildRefused {
    #[error("there is no such projection")]
    Unknown,
    #[error("a rebuild of it is running already")]
    Running,
    #[error("the rebuild could not be started: {0}")]
    Unavailable(#[source] RebuildError),
}

/// The running read side.
pub struct Supervisor {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
    stopper: Stopper,
    stop: Stop,
}

struct Shared {
    workshop: Workshop,
    feed: Feed,
    watermarks: Watermarks,
    projectors: Vec<Arc<dyn Projector>>,
    /// Rebuilds of this process, which would otherwise take the claim from one another.
    rebuilding: Mutex<HashSet<&'static str>>,
}

/// What owns a checkpoint and follows the log.
enum Worker {
    Projector(Arc<dyn Projector>),
    Reactor(Arc<dyn Reactor>),
}

/// What a worker does after its turn.
enum Next {
    Again,
    StandBy,
}

impl Supervisor {
    /// Starts everything; an error when the log cannot be reached.
    pub async fn start(parts: Parts) -> Result<Self, sqlx::Error> {
        let Parts { log, projector_pool: pool, keys, cache, owner, head, watermarks, projectors, reactors, timers } = parts;
        let (stopper, stop) = Stopper::new();
        let feed = Feed::new(log.clone(), head.clone()).await?;
        let workshop = Workshop { pool: pool.clone(), log: log.clone(), keys, owner };
        let shared = Arc::new(Shared { workshop, feed, watermarks, projectors: projectors.clone(), rebuilding: Mutex::default() });
        let mut tasks = JoinSet::new();

        let (follow_log, follow_stop, follow_head) = (log.clone(), stop.clone(), head.clone());
        tasks.spawn(async move { follow_head.follow(&follow_log, follow_stop).await });
        if let Some(cache) = cache.clone() {
            tasks.spawn(Relay::new(log.clone(), cache, head).run(stop.clone()));
        }
        let (feeding, feed_stop) = (shared.clone(), stop.clone());
        tasks.spawn(async move { feeding.feed.run(cache, feed_stop).await });
        tasks.spawn(renew(pool.clone(), owner, stop.clone()));
        tasks.spawn(show(log, stop.clone()));
        tasks.spawn(Timers::new(pool, timers).run(stop.clone()));
        let workers = projectors.into_iter().map(Worker::Projector).chain(reactors.into_iter().map(Worker::Reactor));
        for worker in workers {
            tasks.spawn(work(shared.clone(), worker, stop.clone()));
        }
        Ok(Self { shared, tasks: Mutex::new(tasks), stopper, stop })
    }

    /// Every projection and reactor, also those of other processes.
    pub async fn status(&self) -> Result<Vec<ProjectionStatus>, sqlx::Error> {
        status(&self.shared.workshop.log).await
    }

    /// Starts filling the idle slot of `name`; the answer shows how far it is and ends with it.
    pub async fn rebuild(&self, name: &str) -> Result<watch::Receiver<Progress>, RebuildRefused> {
        let projector = self.shared.projectors.iter().find(|projector| projector.name() == name);
        let projector = projector.ok_or(RebuildRefused::Unknown)?.clone();
        let rebuild = match self.shared.begin_rebuild(&projector, &self.stop).await {
            Ok(rebuild) => rebuild,
            Err(RebuildError::Running(_)) => return Err(RebuildRefused::Running),
            Err(error) => return Err(RebuildRefused::Unavailable(error)),
        };
        let (progress, shared) = (rebuild.progress(), self.shared.clone());
        let task = async move {
            // Its end is logged and recorded in the idle checkpoint.
            let _ = shared.finish_rebuild(projector.name(), rebuild).await;
        };
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
        Ok(progress)
    }

    /// Stops everything and releases the checkpoints, so that another process takes over at once.
    pub async fn shutdown(self) {
        self.stopper.stop();
        let mut tasks = self.tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = tokio::time::timeout(PATIENCE, async { while tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("some tasks of the read side did not end in time");
        }
    }
}

impl Shared {
    /// One turn of a projector: from taking its checkpoint to losing it.
    async fn project(&self, projector: &Arc<dyn Projector>, stop: &Stop) -> Result<Next, sqlx::Error> {
        let (pool, name, version) = (&self.workshop.pool, projector.name(), projector.version());
        checkpoint::create(pool, name, Kind::Projector, version).await?;
        let Some(mut claim) = checkpoint::claim_active(pool, name, self.workshop.owner).await? else { return Ok(Next::StandBy) };
        if claim.version > version {
            tracing::info!(projection = name, serving = claim.version, version, "a newer version serves; standing by");
            claim.release(pool).await?;
            return Ok(Next::StandBy);
        }
        if claim.version < version && (claim.position > 0 || claim.set_version(pool, version).await.is_err()) {
            return self.renovate(projector, claim, stop).await;
        }
        let watermark = self.watermarks.of(name);
        let runner = Runner::new(&self.workshop, &self.feed, projector.as_ref(), claim, &watermark, stop.clone()).await?;
        let (claim, ended) = runner.run().await;
        self.settle(claim, ended, stop).await
    }

    /// Fills the idle slot for a new version, while what the old version left goes on serving.
    async fn renovate(&self, projector: &Arc<dyn Projector>, claim: Claim, stop: &Stop) -> Result<Next, sqlx::Error> {
        tracing::info!(projection = claim.name, from = claim.version, to = projector.version(), "rebuilding for a new version");
        let done = match self.begin_rebuild(projector, stop).await {
            Ok(rebuild) => self.finish_rebuild(projector.name(), rebuild).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(_) => Ok(Next::Again),
            Err(RebuildError::Apply { error, .. }) => self.settle(claim, Ended::Failed(error), stop).await,
            Err(_) => {
                claim.release(&self.workshop.pool).await?;
                Ok(Next::StandBy)
            }
        }
    }

    async fn begin_rebuild(&self, projector: &Arc<dyn Projector>, stop: &Stop) -> Result<Rebuild, RebuildError> {
        let name = projector.name();
        if !self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner).insert(name) {
            return Err(RebuildError::Running(name));
        }
        let begun = Rebuild::begin(self.workshop.clone(), projector.clone(), stop.clone()).await;
        if begun.is_err() {
            self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        }
        begun
    }

    async fn finish_rebuild(&self, name: &'static str, rebuild: Rebuild) -> Result<i64, RebuildError> {
        let finished = rebuild.finish().await;
        self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        finished
    }

    /// One turn of a reactor.
    async fn react(&self, reactor: &dyn Reactor, stop: &Stop) -> Result<Next, sqlx::Error> {
        let (pool, name) = (&self.workshop.pool, reactor.name());
        let start = match reactor.start() {
            Start::FirstEvent => 0,
            Start::Now => self.workshop.log.head().await?.position,
        };
        checkpoint::create_at(pool, name, Kind::Reactor, 1, start).await?;
        let Some(claim) = checkpoint::claim_active(pool, name, self.workshop.owner).await? else { return Ok(Next::StandBy) };
        let watermark = self.watermarks.of(name);
        let reactions = Reactions::new(&self.workshop, &self.feed, reactor, claim, &watermark, stop.clone()).await?;
        let (claim, ended) = reactions.run().await;
        self.settle(claim, ended, stop).await
    }

    /// After the end of a turn: hand over, start over, or stay stopped until someone intervenes.
    async fn settle(&self, claim: Claim, ended: Ended, stop: &Stop) -> Result<Next, sqlx::Error> {
        let pool = &self.workshop.pool;
        match ended {
            Ended::Lost => Ok(Next::Again),
            Ended::Stopped => {
                claim.release(pool).await?;
                Ok(Next::StandBy)
            }
            Ended::Failed(error) => {
                tracing::error!(name = claim.name, %error, "stopped until it is rebuilt or restarted");
                claim.fail(pool, &error.to_string()).await?;
                let mut stop = stop.clone();
                while stop.pause(STAND_BY).await {
                    if let Ok(None) = claim.stored_position(pool).await {
                        return Ok(Next::Again);
                    }
                }
                claim.release(pool).await?;
                Ok(Next::StandBy)
            }
        }
    }
}

/// Takes turns until stopped.
async fn work(shared: Arc<Shared>, worker: Worker, mut stop: Stop) {
    let mut backoff = Backoff::new();
    while !stop.is_stopped() {
        let (name, turn) = match &worker {
            Worker::Projector(projector) => (projector.name(), shared.project(projector, &stop).await),
            Worker::Reactor(reactor) => (reactor.name(), shared.react(reactor.as_ref(), &stop).await),
        };
        let pause = match turn {
            Ok(Next::Again) => {
                backoff.reset();
                Duration::from_millis(10)
            }
            Ok(Next::StandBy) => STAND_BY,
            Err(error) => {
                tracing::warn!(name, %error, "cannot work; trying again");
                backoff.pause()
            }
        };
        stop.pause(pause).await;
    }
}

/// Shows signs of life.
async fn renew(pool: PgPool, owner: Uuid, mut stop: Stop) {
    while stop.pause(LEASE / 3).await {
        if let Err(error) = checkpoint::renew(&pool, owner).await {
            tracing::warn!(%error, "the leases could not be renewed");
        }
    }
}

async fn show(log: Log, mut stop: Stop) {
    while stop.pause(GAUGE).await {
        match status(&log).await {
            Ok(status) => gauge(&status),
            Err(error) => tracing::debug!(%error, "the status could not be read"),
        }
    }
}
