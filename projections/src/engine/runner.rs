//! Runs one projector: from the feed into its serving slot, event by event where it must.

use super::{
    batch::{BatchError, Parked, Workshop, wants},
    checkpoint::{AdvanceError, Claim},
    feed::{Feed, FeedReader},
    projector::{ApplyError, OnFailure, Projector},
    stop::{Backoff, Stop},
    watermarks::Watermark,
};
use palmares_domain::kernel::RecordedEvent;
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// Events in one transaction, about.
const BATCH: usize = 2_000;
/// How long the stored checkpoint may stay behind events that are of no interest.
const FLUSH: Duration = Duration::from_millis(100);
/// How often an idle runner looks whether the checkpoint is still as it left it.
const VERIFY: Duration = Duration::from_secs(1);

const PARKED_KEYS: &str = "SELECT DISTINCT sequence_key FROM parked_events WHERE name = $1 AND slot = $2";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.runner.parked_keys", PARKED_KEYS)];

/// Why a runner ended.
#[derive(Debug)]
pub enum Ended {
    /// The process is asked to stop.
    Stopped,
    /// Another process owns the checkpoint, or a rebuild swapped the slots.
    Lost,
    /// An event cannot be applied and the projector must not go on without it.
    Failed(ApplyError),
}

/// Events, and the position that is reached with them.
type Part = (Vec<Arc<RecordedEvent>>, i64);

/// A projector at work.
pub struct Runner<'a> {
    workshop: &'a Workshop,
    projector: &'a dyn Projector,
    claim: Claim,
    reader: FeedReader,
    watermark: &'a Watermark,
    parked: HashSet<Uuid>,
    /// What was looked at: ahead of the claim's position while nothing was of interest.
    seen: i64,
    flushed_at: Instant,
    verified_at: Instant,
    stop: Stop,
}

impl<'a> Runner<'a> {
    pub async fn new(
        workshop: &'a Workshop,
        feed: &Feed,
        projector: &'a dyn Projector,
        claim: Claim,
        watermark: &'a Watermark,
        stop: Stop,
    ) -> Result<Self, sqlx::Error> {
        let query = sqlx::query_scalar(PARKED_KEYS).bind(claim.name).bind(claim.slot.name());
        let parked = query.fetch_all(&workshop.pool).await?.into_iter().collect();
        watermark.lead(claim.position);
        let (reader, seen, now) = (feed.reader(claim.position), claim.position, Instant::now());
        Ok(Self { workshop, projector, claim, reader, watermark, parked, seen, flushed_at: now, verified_at: now, stop })
    }

    /// Follows the log until something ends it.
    pub async fn run(mut self) -> (Claim, Ended) {
        let ended = loop {
            if let Err(ended) = self.step().await {
                break ended;
            }
        };
        self.watermark.follow();
        (self.claim, ended)
    }

    async fn step(&mut self) -> Result<(), Ended> {
        let pending = self.seen > self.claim.position;
        let due = if pending { self.flushed_at + FLUSH } else { self.verified_at + VERIFY };
        let read = tokio::select! {
            biased;
            () = self.stop.stopped() => {
                let _ = self.flush().await;
                return Err(Ended::Stopped);
            }
            () = tokio::time::sleep_until(due) => return if pending { self.flush().await } else { self.verify().await },
            read = self.reader.next(BATCH) => read,
        };
        let mut wanted = match read {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(projection = self.claim.name, %error, "the log cannot be read; trying again");
                return if self.stop.pause(Duration::from_millis(500)).await { Ok(()) } else { Err(Ended::Stopped) };
            }
        };
        if !pending {
            self.flushed_at = Instant::now();
        }
        self.seen = wanted.last().map_or(self.seen, |event| event.position);
        wanted.retain(|event| wants(self.projector.interests(), event));
        if wanted.is_empty() {
            self.watermark.reach(self.seen);
            return Ok(());
        }
        self.take(wanted, self.seen).await
    }

    /// Stores how far events of no interest were skipped.
    async fn flush(&mut self) -> Result<(), Ended> {
        self.flushed_at = Instant::now();
        if self.seen == self.claim.position {
            return Ok(());
        }
        match self.claim.skip(&self.workshop.pool, self.seen).await {
            Ok(()) => Ok(()),
            Err(AdvanceError::Lost) => Err(Ended::Lost),
            Err(AdvanceError::Database(error)) => {
                tracing::warn!(projection = self.claim.name, %error, "the checkpoint cannot be stored; trying again");
                Ok(())
            }
        }
    }

    /// Notices a swap of the slots, a new owner or a restored database while there is no event to
    /// notice it with.
    async fn verify(&mut self) -> Result<(), Ended> {
        self.verified_at = Instant::now();
        match self.claim.stored_position(&self.workshop.pool).await {
            Ok(stored) if stored != Some(self.claim.position) => Err(Ended::Lost),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Applies `events` and moves the checkpoint to `position`. A batch that fails is halved until
    /// the failing event stands alone.
    async fn take(&mut self, events: Vec<Arc<RecordedEvent>>, position: i64) -> Result<(), Ended> {
        let mut parts: VecDeque<Part> = VecDeque::from([(events, position)]);
        let mut backoff = Backoff::new();
        while let Some((events, position)) = parts.pop_front() {
            let (free, dependent) = self.set_aside(&events);
            let error = match self.workshop.commit(self.projector, &mut self.claim, &free, &dependent, position).await {
                Ok(()) => {
                    backoff.reset();
                    self.committed(free.len());
                    continue;
                }
                Err(BatchError::Lost) => return Err(Ended::Lost),
                Err(BatchError::Apply(error)) => error,
            };
            if error.is_transient() {
                tracing::warn!(projection = self.claim.name, %error, "the batch will be tried again");
                if !self.stop.pause(backoff.pause()).await {
                    return Err(Ended::Stopped);
                }
                if !self.arrived(position).await? {
                    parts.push_front((events, position));
                }
            } else if free.len() > 1 {
                let (front, back) = halves((events, position));
                parts.push_front(back);
                parts.push_front(front);
            } else {
                self.fail(free, dependent, error, position).await?;
            }
        }
        Ok(())
    }

    /// Separates what may be applied from what depends on a parked event.
    fn set_aside(&self, events: &[Arc<RecordedEvent>]) -> (Vec<Arc<RecordedEvent>>, Vec<Parked>) {
        if self.parked.is_empty() {
            return (events.to_vec(), Vec::new());
        }
        let (mut free, mut dependent) = (Vec::with_capacity(events.len()), Vec::new());
        for event in events {
            let sequence_key = self.projector.sequence_key(event);
            if self.parked.contains(&sequence_key) {
                let error = "depends on a parked event".to_owned();
                dependent.push(Parked { event: event.clone(), sequence_key, error });
            } else {
                free.push(event.clone());
            }
        }
        (free, dependent)
    }

    /// One event fails by itself: stop, park or skip.
    async fn fail(
        &mut self,
        alone: Vec<Arc<RecordedEvent>>,
        mut parked: Vec<Parked>,
        error: ApplyError,
        position: i64,
    ) -> Result<(), Ended> {
        let Some(event) = alone.into_iter().next() else { return Err(Ended::Failed(error)) };
        let name = self.claim.name;
        tracing::error!(projection = name, position = event.position, event_type = event.event_type, %error, "an event cannot be applied");
        metrics::counter!("palmares_projection_failed_events_total", "projection" => name).increment(1);
        match self.projector.on_failure() {
            OnFailure::Stop => return Err(Ended::Failed(error)),
            OnFailure::Skip => {}
            OnFailure::Park => {
                let sequence_key = self.projector.sequence_key(&event);
                self.parked.insert(sequence_key);
                parked.push(Parked { event, sequence_key, error: error.to_string() });
            }
        }
        let mut backoff = Backoff::new();
        loop {
            match self.workshop.commit(self.projector, &mut self.claim, &[], &parked, position).await {
                Ok(()) => {
                    self.committed(0);
                    return Ok(());
                }
                Err(BatchError::Lost) => return Err(Ended::Lost),
                Err(BatchError::Apply(error)) if error.is_transient() => {
                    if !self.stop.pause(backoff.pause()).await {
                        return Err(Ended::Stopped);
                    }
                    if self.arrived(position).await? {
                        return Ok(());
                    }
                }
                Err(BatchError::Apply(error)) => return Err(Ended::Failed(error)),
            }
        }
    }

    /// Whether a commit arrived although its answer did not. A checkpoint that is neither before
    /// nor behind that commit is not the one that this runner knows: it starts over.
    async fn arrived(&mut self, position: i64) -> Result<bool, Ended> {
        match self.claim.stored_position(&self.workshop.pool).await {
            Ok(Some(stored)) if stored == position => {
                self.claim.position = position;
                self.committed(0);
                Ok(true)
            }
            Ok(Some(stored)) if stored == self.claim.position => Ok(false),
            Ok(_) => Err(Ended::Lost),
            // Still unreachable; the next attempt finds out.
            Err(_) => Ok(false),
        }
    }

    fn committed(&self, applied: usize) {
        self.watermark.reach(self.claim.position);
        metrics::counter!("palmares_projection_applied_events_total", "projection" => self.claim.name).increment(applied as u64);
    }
}

/// The two halves of a batch, each with the position that it reaches.
fn halves((mut events, position): Part) -> (Part, Part) {
    let back = events.split_off(events.len() / 2);
    let reached = events.last().map_or(position, |event| event.position);
    ((events, reached), (back, position))
}
