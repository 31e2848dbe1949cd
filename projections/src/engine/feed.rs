//! One subscription for the whole process: decodes each event once and hands it to every runner.
//!
//! The feed starts at the head. A runner that is behind reads the log until it meets the feed, and
//! a runner that the feed outruns does so again; so the feed never waits for anyone. Where
//! JetStream is missing, late or wrong, the feed reads the log itself.

use super::{
    head::HeadSignal,
    jetstream::Cache,
    log::Log,
    stop::{Backoff, Stop},
    subscriber::{Source, Subscriber},
};
use palmares_domain::kernel::RecordedEvent;
use std::{sync::Arc, time::Duration};
use tokio::sync::{broadcast, mpsc, watch};

/// Events in one batch of the feed.
pub(super) const BATCH: i64 = 512;
/// Batches that a runner may fall behind before it has to read the log.
const BACKLOG: usize = 32;
/// How long JetStream may take to bring what the log has, before the log is read instead.
const GRACE: Duration = Duration::from_millis(100);
/// Graces missed in a row after which the subscription is made anew.
const PATIENCE: u32 = 5;

/// Consecutive events.
pub(super) type Batch = Arc<Vec<Arc<RecordedEvent>>>;

/// The process's view of the growing log.
pub struct Feed {
    log: Log,
    head: Arc<HeadSignal>,
    batches: broadcast::Sender<Batch>,
    /// The last position that was handed out.
    position: watch::Sender<i64>,
}

impl Feed {
    /// A feed that starts at the head of the log.
    pub async fn new(log: Log, head: Arc<HeadSignal>) -> Result<Self, sqlx::Error> {
        let start = head.refresh(&log).await?;
        Ok(Self { log, head, batches: broadcast::Sender::new(BACKLOG), position: watch::Sender::new(start) })
    }

    /// Events behind `position`, from wherever they come quickest.
    pub fn reader(&self, position: i64) -> FeedReader {
        FeedReader { last: position, held: None, batches: self.batches.subscribe(), feed: self.position.subscribe(), log: self.log.clone() }
    }

    /// Distributes events until stopped.
    pub async fn run(&self, cache: Option<Cache>, mut stop: Stop) {
        let (sender, mut messages) = mpsc::channel(8);
        let subscriber = cache.map(|cache| Subscriber::new(self.log.clone(), cache, self.position.subscribe(), sender));
        let source = subscriber.as_ref().map(Subscriber::source);
        let subscription = async {
            match subscriber {
                Some(subscriber) => subscriber.run().await,
                None => std::future::pending().await,
            }
        };
        let distribution = async {
            let mut backoff = Backoff::new();
            loop {
                if let Err(error) = self.distribute(&mut messages, source.as_ref()).await {
                    tracing::warn!(%error, "the feed cannot read the log; trying again");
                    tokio::time::sleep(backoff.pause()).await;
                }
            }
        };
        tokio::select! {
            () = stop.stopped() => {}
            () = subscription => {}
            () = distribution => {}
        }
    }

    async fn distribute(&self, messages: &mut mpsc::Receiver<Vec<Arc<RecordedEvent>>>, source: Option<&Source>) -> Result<(), sqlx::Error> {
        let mut grown = self.head.subscribe();
        let mut late = 0;
        loop {
            let last = *self.position.borrow();
            tokio::select! {
                Some(events) = messages.recv() => {
                    late = 0;
                    self.receive(events, source).await?;
                }
                // Nothing came although the log grew: read it.
                () = overdue(&mut grown, last, source) => {
                    self.catch_up(self.head.known()).await?;
                    late += 1;
                    if late >= PATIENCE && let Some(source) = source {
                        late = 0;
                        source.restart();
                    }
                }
            }
        }
    }

    /// Takes what JetStream brought, as far as the log has it too.
    async fn receive(&self, mut events: Vec<Arc<RecordedEvent>>, source: Option<&Source>) -> Result<(), sqlx::Error> {
        let last = *self.position.borrow();
        events.retain(|event| event.position > last);
        let (Some(first), Some(newest)) = (events.first(), events.last()) else { return Ok(()) };
        // The relay chains each message to the one before it, so where the newest is an event of the
        // log, all of them are. What the log does not have, or has another event for, is left out.
        if self.log.event_id(newest.position).await? != Some(newest.id) {
            tracing::warn!(position = newest.position, "JetStream is not what the log says; its events are left out");
            if let Some(source) = source {
                source.restart();
            }
            return Ok(());
        }
        self.head.advance(newest.position);
        let contiguous = events.windows(2).all(|pair| pair[0].position + 1 == pair[1].position);
        if !contiguous {
            return self.catch_up(newest.position).await;
        }
        self.catch_up(first.position - 1).await?;
        self.hand_out(events);
        Ok(())
    }

    /// Hands out the log up to `end`.
    async fn catch_up(&self, end: i64) -> Result<(), sqlx::Error> {
        loop {
            let last = *self.position.borrow();
            if last >= end {
                return Ok(());
            }
            let events = self.log.read_after(last, BATCH.min(end - last)).await?;
            if events.is_empty() {
                return Ok(());
            }
            self.hand_out(events.into_iter().map(Arc::new).collect());
        }
    }

    fn hand_out(&self, events: Vec<Arc<RecordedEvent>>) {
        let Some(last) = events.last().map(|event| event.position) else { return };
        // An error says that nobody listens at the moment.
        let _ = self.batches.send(Arc::new(events));
        self.position.send_replace(last);
    }
}

/// Resolves when the log is known to be ahead of `last` and JetStream, where it is connected, had
/// its time to deliver.
async fn overdue(grown: &mut watch::Receiver<i64>, last: i64, source: Option<&Source>) {
    if grown.wait_for(|head| *head > last).await.is_err() {
        // Nobody follows the head any more.
        return std::future::pending().await;
    }
    if source.is_some_and(Source::is_connected) {
        tokio::time::sleep(GRACE).await;
    }
}

/// Hands one runner the log without gaps.
pub struct FeedReader {
    /// The last position that was taken.
    last: i64,
    /// A batch that lies behind a gap.
    held: Option<Batch>,
    batches: broadcast::Receiver<Batch>,
    feed: watch::Receiver<i64>,
    log: Log,
}

impl FeedReader {
    /// The next events, at least one and about `limit` at most. Safe to cancel.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, sqlx::Error> {
        let mut events = Vec::new();
        loop {
            if self.held.is_none() {
                self.held = match self.batches.try_recv() {
                    Ok(batch) => Some(batch),
                    Err(broadcast::error::TryRecvError::Lagged(_)) => continue,
                    Err(_) if !events.is_empty() => return Ok(events),
                    Err(broadcast::error::TryRecvError::Closed) => return Err(sqlx::Error::WorkerCrashed),
                    Err(broadcast::error::TryRecvError::Empty) if *self.feed.borrow() > self.last => None,
                    Err(broadcast::error::TryRecvError::Empty) => match self.batches.recv().await {
                        Ok(batch) => Some(batch),
                        Err(broadcast::error::RecvError::Lagged(_)) => continue,
                        Err(broadcast::error::RecvError::Closed) => return Err(sqlx::Error::WorkerCrashed),
                    },
                };
            }
            match self.held.as_ref().and_then(|batch| batch.first()).map(|first| first.position) {
                Some(first) if first <= self.last + 1 => {
                    if let Some(batch) = self.held.take() {
                        let last = self.last;
                        events.extend(batch.iter().filter(|event| event.position > last).cloned());
                        self.last = events.last().map_or(last, |event| event.position);
                    }
                }
                // Between this runner and the feed lies what only the log has.
                gap => {
                    if !events.is_empty() {
                        return Ok(events);
                    }
                    let room = gap.map_or(i64::MAX, |first| first - 1 - self.last);
                    let read = self.log.read_after(self.last, room.min(i64::try_from(limit).unwrap_or(BATCH))).await?;
                    // The log lost what it had: it was restored under this process.
                    self.last = read.last().map(|event| event.position).ok_or(sqlx::Error::RowNotFound)?;
                    events.extend(read.into_iter().map(Arc::new));
                }
            }
            if events.len() >= limit {
                return Ok(events);
            }
        }
    }
}
