//! What projectors and reactors do in turn: take a checkpoint, work, hand over; and rebuild when asked.

use super::{
    batch::Workshop,
    checkpoint::{self, Claim, Kind},
    feed::Feed,
    projector::Projector,
    reactions::Reactions,
    reactor::{Reactor, Start},
    rebuild::{Rebuild, RebuildError},
    requests,
    runner::{Ended, Runner},
    stop::{Backoff, Stop},
    watermarks::Watermarks,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// How often a process that stands by looks whether it is needed.
const STAND_BY: Duration = Duration::from_secs(1);

/// What every turn works with.
pub(super) struct Turns {
    workshop: Workshop,
    /// Of the log that the feed hands out.
    incarnation: Uuid,
    pub feed: Feed,
    watermarks: Watermarks,
    projectors: Vec<Arc<dyn Projector>>,
    /// Rebuilds of this process, which would otherwise take the claim from one another.
    rebuilding: Mutex<HashSet<&'static str>>,
}

/// What owns a checkpoint and follows the log.
pub(super) enum Worker {
    Projector(Arc<dyn Projector>),
    Reactor(Arc<dyn Reactor>),
}

/// What a worker does after its turn.
enum Next {
    Again,
    StandBy,
}

impl Turns {
    pub fn new(workshop: Workshop, incarnation: Uuid, feed: Feed, watermarks: Watermarks, projectors: Vec<Arc<dyn Projector>>) -> Self {
        Self { workshop, incarnation, feed, watermarks, projectors, rebuilding: Mutex::default() }
    }

    /// The serving checkpoint, where it may be taken and is of the log that the feed hands out.
    async fn claim(&self, name: &'static str) -> Result<Option<Claim>, sqlx::Error> {
        let Some(claim) = checkpoint::claim_active(&self.workshop.pool, name, self.workshop.owner).await? else { return Ok(None) };
        if claim.incarnation != self.incarnation {
            claim.release(&self.workshop.pool).await?;
            return Ok(None);
        }
        Ok(Some(claim))
    }

    /// One turn of a projector: from taking its checkpoint to losing it.
    async fn project(&self, projector: &Arc<dyn Projector>, stop: &Stop) -> Result<Next, sqlx::Error> {
        let (pool, name, version) = (&self.workshop.pool, projector.name(), projector.version());
        checkpoint::create(pool, name, Kind::Projector, version).await?;
        let Some(mut claim) = self.claim(name).await? else { return Ok(Next::StandBy) };
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
        let done = match self.begin_rebuild(projector, false, stop).await {
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

    async fn begin_rebuild(&self, projector: &Arc<dyn Projector>, asked: bool, stop: &Stop) -> Result<Rebuild, RebuildError> {
        let name = projector.name();
        if !self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner).insert(name) {
            return Err(RebuildError::Running(name));
        }
        let begun = Rebuild::begin(self.workshop.clone(), projector.clone(), asked, stop.clone()).await;
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
        let Some(claim) = self.claim(name).await? else { return Ok(Next::StandBy) };
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
pub(super) async fn work(turns: Arc<Turns>, worker: Worker, mut stop: Stop) {
    let mut backoff = Backoff::new();
    while !stop.is_stopped() {
        let (name, turn) = match &worker {
            Worker::Projector(projector) => (projector.name(), turns.project(projector, &stop).await),
            Worker::Reactor(reactor) => (reactor.name(), turns.react(reactor.as_ref(), &stop).await),
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

/// Runs the rebuilds that are asked for. Every worker looks; the claim of the idle slot decides who
/// runs one, and one that ended without an answer to its request is run again.
pub(super) async fn rebuild_on_request(turns: Arc<Turns>, mut stop: Stop) {
    let mut running = JoinSet::new();
    while stop.pause(STAND_BY).await {
        while running.try_join_next().is_some() {}
        let asked = match requests::open(&turns.workshop.pool, &turns.projectors).await {
            Ok(asked) => asked,
            Err(error) => {
                tracing::warn!(%error, "the requests for rebuilds cannot be read; trying again");
                continue;
            }
        };
        for projector in turns.projectors.iter().filter(|projector| asked.iter().any(|name| name == projector.name())) {
            let name = projector.name();
            match turns.begin_rebuild(projector, true, &stop).await {
                Ok(rebuild) => {
                    tracing::info!(projection = name, "rebuilding on request");
                    let turns = turns.clone();
                    // Its end is logged and recorded in the idle checkpoint.
                    running.spawn(async move { turns.finish_rebuild(name, rebuild).await.map(drop) });
                }
                // Here or in another process: whoever runs it ends the request, or just did.
                Err(RebuildError::Running(_)) => {}
                Err(error) => tracing::warn!(projection = name, %error, "the rebuild could not begin; trying again"),
            }
        }
    }
    while running.join_next().await.is_some() {}
}
