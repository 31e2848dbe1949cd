//! Runs one reactor: many events at a time, in order within a key, forward only.

use super::{
    batch::{Parked, Workshop, park, wants},
    checkpoint::{AdvanceError, Claim},
    feed::{Feed, FeedReader},
    projector::{ApplyError, Delivered},
    reactor::{ReactError, Reactor},
    retries::{self, Retried},
    runner::Ended,
    stop::{Backoff, Stop},
    watermarks::Watermark,
    window::Window,
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use palmares_domain::kernel::RecordedEvent;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often the checkpoint is stored while events are in progress.
const STORE: Duration = Duration::from_millis(50);
/// How far reading may run ahead of the oldest event in progress.
const WINDOW: i64 = 10_000;
/// How often an idle reactor looks whether the checkpoint is still its own.
const VERIFY: Duration = Duration::from_secs(1);
/// How often it looks whether it is asked to take again what it parked.
const RETRY: Duration = Duration::from_secs(1);

const DONE: &str = "SELECT position FROM reactor_done WHERE name = $1 AND position > $2";

const REMEMBER: &str = "
    INSERT INTO reactor_done (name, position) SELECT $1, * FROM unnest($2::bigint[]) ON CONFLICT DO NOTHING";

const FORGET: &str = "DELETE FROM reactor_done WHERE name = $1 AND position <= $2";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("engine.reactions.done", DONE), ("engine.reactions.remember", REMEMBER), ("engine.reactions.forget", FORGET)];

/// How handling one event ended.
struct Outcome {
    event: Arc<RecordedEvent>,
    /// It had been parked, and is behind the window.
    again: bool,
    result: Result<(), anyhow::Error>,
}

/// A reactor at work.
pub struct Reactions<'a> {
    workshop: &'a Workshop,
    reactor: &'a dyn Reactor,
    claim: Claim,
    reader: FeedReader,
    watermark: &'a Watermark,
    window: Window,
    running: FuturesUnordered<BoxFuture<'a, Option<Outcome>>>,
    /// Events that failed for good since the checkpoint was stored.
    parked: Vec<Parked>,
    /// Parked events that were taken again since then.
    retried: Vec<Retried>,
    stored_at: Instant,
    asked_at: Instant,
    stop: Stop,
}

impl<'a> Reactions<'a> {
    pub async fn new(
        workshop: &'a Workshop,
        feed: &Feed,
        reactor: &'a dyn Reactor,
        claim: Claim,
        watermark: &'a Watermark,
        stop: Stop,
    ) -> Result<Self, sqlx::Error> {
        let done = sqlx::query_scalar(DONE).bind(claim.name).bind(claim.position).fetch_all(&workshop.pool).await?;
        watermark.lead(claim.position);
        Ok(Self {
            workshop,
            reactor,
            reader: feed.reader(claim.position),
            watermark,
            window: Window::new(claim.position, done),
            claim,
            running: FuturesUnordered::new(),
            parked: Vec::new(),
            retried: Vec::new(),
            stored_at: Instant::now(),
            asked_at: Instant::now(),
            stop,
        })
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
        let unsaved = self.window.floor() > self.claim.position || !self.parked.is_empty() || !self.retried.is_empty();
        let due = self.stored_at + if unsaved { STORE } else { VERIFY };
        let may_read = self.window.reach() - self.window.floor() < WINDOW;
        tokio::select! {
            biased;
            () = self.stop.stopped() => {
                let _ = self.store().await;
                Err(Ended::Stopped)
            }
            () = tokio::time::sleep_until(due) => if unsaved { self.store().await } else { self.verify().await },
            () = tokio::time::sleep_until(self.asked_at + RETRY) => self.retry().await,
            Some(outcome) = self.running.next() => self.settle(outcome),
            read = self.reader.next(self.reactor.concurrency()), if may_read => match read {
                Ok(events) => {
                    self.admit(events);
                    Ok(())
                }
                Err(error) => {
                    tracing::warn!(reactor = self.claim.name, %error, "the log cannot be read; trying again");
                    if self.stop.pause(Duration::from_millis(500)).await { Ok(()) } else { Err(Ended::Stopped) }
                }
            },
        }
    }

    fn admit(&mut self, events: Vec<Arc<RecordedEvent>>) {
        for event in events {
            let position = event.position;
            if wants(self.reactor.interests(), &event) {
                let key = self.reactor.sequence_key(&event);
                self.window.admit(event, key);
            } else {
                self.window.pass(position);
            }
        }
        self.start();
    }

    fn start(&mut self) {
        while self.running.len() < self.reactor.concurrency().max(1) {
            let Some(event) = self.window.next() else { break };
            self.running.push(handle(self.workshop, self.reactor, event, false, self.stop.clone()).boxed());
        }
        self.watermark.reach(self.window.floor());
    }

    /// Takes again what it is asked to, beside what is going on.
    async fn retry(&mut self) -> Result<(), Ended> {
        self.asked_at = Instant::now();
        let free = self.reactor.concurrency().max(1).saturating_sub(self.running.len());
        match retries::take(&self.workshop.pool, &self.workshop.log, &self.claim, free).await {
            Ok(events) => {
                for event in events {
                    self.running.push(handle(self.workshop, self.reactor, Arc::new(event), true, self.stop.clone()).boxed());
                }
            }
            Err(error) => tracing::warn!(reactor = self.claim.name, %error, "what is to be taken again cannot be read"),
        }
        Ok(())
    }

    fn settle(&mut self, outcome: Option<Outcome>) -> Result<(), Ended> {
        let Some(Outcome { event, again, result }) = outcome else { return Err(Ended::Stopped) };
        if again {
            let error = result.err().map(|error| format!("{error:#}"));
            tracing::info!(reactor = self.claim.name, position = event.position, error, "a parked event was taken again");
            self.retried.push(Retried { position: event.position, error });
            self.start();
            return Ok(());
        }
        self.window.finish(event.position);
        metrics::counter!("palmares_reactor_handled_events_total", "reactor" => self.claim.name).increment(1);
        if let Err(error) = result {
            tracing::error!(reactor = self.claim.name, position = event.position, error = format!("{error:#}"), "an event is parked");
            let sequence_key = self.reactor.sequence_key(&event);
            self.parked.push(Parked { event, sequence_key, error: format!("{error:#}") });
        }
        self.start();
        Ok(())
    }

    /// Stores the checkpoint, what is done above it, and what is parked.
    async fn store(&mut self) -> Result<(), Ended> {
        self.stored_at = Instant::now();
        let position = self.window.floor();
        let stored: Result<(), AdvanceError> = async {
            let mut tx = self.workshop.pool.begin().await?;
            self.claim.advance(&mut tx, position).await?;
            park(&mut tx, &self.claim, &self.parked).await?;
            retries::settle(&mut tx, &self.claim, &self.retried).await?;
            sqlx::query(FORGET).bind(self.claim.name).bind(position).execute(&mut *tx).await?;
            let done = self.window.done();
            if !done.is_empty() {
                sqlx::query(REMEMBER).bind(self.claim.name).bind(done).execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        }
        .await;
        match stored {
            Ok(()) => {
                self.claim.position = position;
                self.parked.clear();
                self.retried.clear();
                Ok(())
            }
            Err(AdvanceError::Lost) => Err(Ended::Lost),
            Err(AdvanceError::Database(error)) => {
                tracing::warn!(reactor = self.claim.name, %error, "the checkpoint cannot be stored; trying again");
                self.verify().await
            }
        }
    }

    /// Starts over when the checkpoint is not the one that this process knows.
    async fn verify(&mut self) -> Result<(), Ended> {
        self.stored_at = Instant::now();
        match self.claim.stored_position(&self.workshop.pool).await {
            Ok(stored) if stored != Some(self.claim.position) => Err(Ended::Lost),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Handles one event until it is done, fails for good, or the process stops (`None`).
async fn handle(workshop: &Workshop, reactor: &dyn Reactor, event: Arc<RecordedEvent>, again: bool, mut stop: Stop) -> Option<Outcome> {
    let mut backoff = Backoff::new();
    loop {
        let error = match attempt(workshop, reactor, &event).await {
            Ok(()) => return Some(Outcome { event, again, result: Ok(()) }),
            Err(ReactError::Permanent(error)) => return Some(Outcome { event, again, result: Err(error) }),
            Err(ReactError::Transient(error)) => error,
        };
        tracing::warn!(reactor = reactor.name(), position = event.position, error = format!("{error:#}"), "the event will be tried again");
        if !stop.pause(backoff.pause()).await {
            return None;
        }
    }
}

async fn attempt(workshop: &Workshop, reactor: &dyn Reactor, event: &Arc<RecordedEvent>) -> Result<(), ReactError> {
    let delivered = if reactor.opens_personal() {
        let opened = workshop.open(true, std::slice::from_ref(event)).await.map_err(unopened)?;
        opened.into_iter().next()
    } else {
        None
    };
    let delivered = delivered.unwrap_or_else(|| Delivered { event: event.clone(), opened: Default::default() });
    let reacted = AssertUnwindSafe(reactor.react(&delivered)).catch_unwind().await;
    reacted.unwrap_or_else(|_| Err(ReactError::Permanent(anyhow::anyhow!("the reactor panicked"))))
}

fn unopened(error: ApplyError) -> ReactError {
    if error.is_transient() { ReactError::Transient(error.into()) } else { ReactError::Permanent(error.into()) }
}
