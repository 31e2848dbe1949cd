//! Runs the read side of one process: relay, feed, projectors, reactors and timers.

use super::{
    batch::Workshop,
    checkpoint::{self, LEASE},
    feed::Feed,
    head::HeadSignal,
    jetstream::Cache,
    keys::PersonalKeys,
    log::Log,
    projector::Projector,
    reactor::Reactor,
    relay::Relay,
    status::{ProjectionStatus, gauge, status},
    stop::{Backoff, Stop, Stopper},
    timers::{TimerHandler, Timers},
    turns::{Turns, Worker, rebuild_on_request, work},
    watermarks::Watermarks,
};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use uuid::Uuid;

/// How often gauges are set.
const GAUGE: Duration = Duration::from_secs(5);
/// How long tasks may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the read side of a process is made of.
#[derive(Clone)]
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
    /// By how much the clock of timers is ahead of the database's.
    pub timers_ahead: Duration,
}

/// The running read side. Dropping it ends everything where it stands, as a crash would.
pub struct Supervisor {
    log: Log,
    tasks: JoinSet<()>,
    stopper: Stopper,
}

impl Supervisor {
    /// Starts everything; an error when the log cannot be reached.
    pub async fn start(parts: Parts) -> Result<Self, sqlx::Error> {
        let (stopper, stop) = Stopper::new();
        let (log, pool, head) = (parts.log.clone(), parts.projector_pool.clone(), parts.head.clone());
        let first = Session::begin(&parts).await?;
        let mut tasks = JoinSet::new();
        let (follow_log, follow_stop) = (log.clone(), stop.clone());
        tasks.spawn(async move { head.follow(&follow_log, follow_stop).await });
        tasks.spawn(renew(pool.clone(), parts.owner, stop.clone()));
        tasks.spawn(show(log.clone(), stop.clone()));
        tasks.spawn(Timers::new(pool, parts.timers.clone()).ahead_by(parts.timers_ahead).run(stop.clone()));
        tasks.spawn(sessions(parts, first, stop));
        Ok(Self { log, tasks, stopper })
    }

    /// Every projection and reactor, also those of other processes.
    pub async fn status(&self) -> Result<Vec<ProjectionStatus>, sqlx::Error> {
        status(&self.log).await
    }

    /// Stops everything and releases the checkpoints, so that another process takes over at once.
    pub async fn shutdown(mut self) {
        self.stopper.stop();
        let ended = tokio::time::timeout(PATIENCE, async { while self.tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("some tasks of the read side did not end in time");
        }
    }
}

/// What follows one incarnation of the log. With another one it starts over: a position that was
/// read of the old one, in whatever buffer, is of another event in the new one.
struct Session {
    tasks: JoinSet<()>,
    stopper: Stopper,
    incarnation: Uuid,
}

impl Session {
    async fn begin(parts: &Parts) -> Result<Self, sqlx::Error> {
        let Parts { log, projector_pool: pool, keys, cache, owner, head, watermarks, projectors, reactors, .. } = parts.clone();
        let (stopper, stop) = Stopper::new();
        let feed = Feed::new(log.clone(), head.clone()).await?;
        let incarnation = *head.incarnation().borrow();
        let workshop = Workshop { pool, log: log.clone(), keys, owner };
        let turns = Arc::new(Turns::new(workshop, incarnation, feed, watermarks, projectors.clone()));
        let mut tasks = JoinSet::new();
        if let Some(cache) = cache.clone() {
            tasks.spawn(Relay::new(log, cache, head).run(stop.clone()));
        }
        let (feeding, feed_stop) = (turns.clone(), stop.clone());
        tasks.spawn(async move { feeding.feed.run(cache, feed_stop).await });
        tasks.spawn(rebuild_on_request(turns.clone(), stop.clone()));
        let workers = projectors.into_iter().map(Worker::Projector).chain(reactors.into_iter().map(Worker::Reactor));
        for worker in workers {
            tasks.spawn(work(turns.clone(), worker, stop.clone()));
        }
        Ok(Self { tasks, stopper, incarnation })
    }

    async fn end(mut self) {
        self.stopper.stop();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Follows the log through its incarnations, until stopped.
async fn sessions(parts: Parts, first: Session, mut stop: Stop) {
    let (mut session, mut incarnation) = (first, parts.head.incarnation());
    let mut backoff = Backoff::new();
    loop {
        let followed = session.incarnation;
        let renewed = tokio::select! {
            () = stop.stopped() => false,
            renewed = incarnation.wait_for(|now| *now != followed) => renewed.is_ok(),
        };
        session.end().await;
        if !renewed {
            return;
        }
        session = loop {
            match Session::begin(&parts).await {
                Ok(session) => break session,
                Err(error) => tracing::warn!(%error, "the new incarnation of the log cannot be followed; trying again"),
            }
            if !stop.pause(backoff.pause()).await {
                return;
            }
        };
        backoff.reset();
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
