//! The committer: drains what is queued, commits it as one batch, and answers each waiter.
//!
//! A batch is what arrived while the last one committed; there is no wait to fill one. While a
//! batch is with PostgreSQL the next one is checked against heads that include it. If the batch in
//! flight fails, everything that was checked on top of it is checked again.

use super::batch::{Batch, Known, Submitted};
use super::heads::{Heads, StreamHead};
use super::writer::{self, LogHead, Written};
use super::{slow_path, statements};
use crate::store::{AppendError, Committed, StreamKey, StreamName};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, Row};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinHandle;

/// How long the committer tries to reach PostgreSQL again before it answers `Unavailable`.
const RECONNECT_SECONDS: u64 = 15;
const INBOX_MAX: usize = 1_024;

/// What the committer shares with the store's handle.
pub(super) struct Shared {
    pub committed: watch::Sender<i64>,
    pub foreign: broadcast::Sender<Arc<[StreamName]>>,
    /// Another node said that it has appended.
    pub foreign_append: Notify,
    /// The term in which streams are loaded; see [`crate::store::StreamHandle`].
    pub term: AtomicU64,
}

pub(super) struct Committer {
    options: PgConnectOptions,
    inbox: mpsc::UnboundedReceiver<Submitted>,
    shared: Arc<Shared>,
    heads: Heads,
    /// The log's head as this node knows it: the fence.
    position: i64,
    stream_key: i64,
    /// The batch that fills while another is in flight, and what has to wait for the one after.
    filling: Batch,
    next_key: i64,
    carried: VecDeque<Submitted>,
}

type InFlight = JoinHandle<(PgConnection, Batch, Written)>;

impl Committer {
    pub async fn start(
        options: PgConnectOptions,
        inbox: mpsc::UnboundedReceiver<Submitted>,
        shared: Arc<Shared>,
        head_capacity: usize,
    ) -> Result<JoinHandle<()>, sqlx::Error> {
        let mut connection = writer::connect(&options).await?;
        let head = LogHead::from_row(&sqlx::query(statements::HEAD).fetch_one(&mut connection).await?)?;
        shared.committed.send_replace(head.position);
        let committer = Self {
            options,
            inbox,
            shared,
            heads: Heads::new(head_capacity),
            position: head.position,
            stream_key: head.stream_key,
            filling: Batch::default(),
            next_key: head.stream_key,
            carried: VecDeque::new(),
        };
        Ok(tokio::spawn(committer.run(connection)))
    }

    async fn run(mut self, connection: PgConnection) {
        let mut idle = Some(connection);
        let mut in_flight: Option<InFlight> = None;
        let mut arrived = Vec::with_capacity(INBOX_MAX);
        let mut open = true;
        let shared = self.shared.clone();
        while open || in_flight.is_some() || !self.filling.is_empty() || !self.carried.is_empty() {
            if let Some(connection) = idle.take_if(|_| !self.filling.is_empty()) {
                in_flight = self.launch(connection, &mut idle);
                continue;
            }
            tokio::select! {
                biased;
                result = wait_for(&mut in_flight), if in_flight.is_some() => {
                    in_flight = None;
                    match result {
                        Some((connection, batch, written)) => idle = self.finish(connection, batch, written).await,
                        None => return,
                    }
                }
                count = self.inbox.recv_many(&mut arrived, INBOX_MAX), if open && !self.filling.is_full() && self.carried.is_empty() => {
                    open = count > 0;
                    for submitted in arrived.drain(..) {
                        self.admit(submitted);
                    }
                }
                () = shared.foreign_append.notified(), if in_flight.is_none() && self.filling.is_empty() => {
                    if let Some(mut connection) = idle.take() {
                        idle = match self.refresh(&mut connection).await {
                            Ok(()) => Some(connection),
                            Err(error) => self.reconnect(error).await,
                        };
                    }
                }
            }
            if idle.is_none() && in_flight.is_none() {
                return;
            }
        }
    }

    fn admit(&mut self, submitted: Submitted) {
        let known = Known { term: self.shared.term.load(Ordering::Acquire), ..Known::default() };
        if let Some(deferred) = self.filling.admit(submitted, &mut self.heads, &mut self.next_key, &known) {
            self.carried.push_back(deferred);
        }
    }

    /// Sends the filled batch off, or answers it at once where it has nothing to write.
    fn launch(&mut self, mut connection: PgConnection, idle: &mut Option<PgConnection>) -> Option<InFlight> {
        let batch = std::mem::take(&mut self.filling);
        self.next_key = self.stream_key + batch.new_streams.len() as i64;
        for submitted in std::mem::take(&mut self.carried) {
            self.admit(submitted);
        }
        if !batch.writes_anything() {
            let position = self.position;
            batch.answer(position, Utc::now());
            *idle = Some(connection);
            return None;
        }
        let position = self.position;
        Some(tokio::spawn(async move {
            let written = writer::write(&mut connection, &batch, position).await;
            (connection, batch, written)
        }))
    }

    /// Takes the result of a batch; the connection to go on with, or none when the store is lost for good.
    async fn finish(&mut self, mut connection: PgConnection, batch: Batch, written: Written) -> Option<PgConnection> {
        let outcome = match written {
            Written::Committed(recorded_at) => {
                self.committed(batch, recorded_at);
                return Some(connection);
            }
            Written::FenceMissed => {
                metrics::counter!("palmares_store_fence_missed_total").increment(1);
                let result = self.refresh(&mut connection).await;
                self.check_again(batch.into_submitted());
                result
            }
            Written::Violation(constraint) => {
                tracing::debug!(%constraint, "a batch goes to the slow path");
                metrics::counter!("palmares_store_slow_path_total").increment(1);
                self.isolate(&mut connection, batch).await
            }
            Written::Lost(error) => return self.recover(error, batch).await,
        };
        match outcome {
            Ok(()) => Some(connection),
            Err(error) => self.reconnect(error).await,
        }
    }

    fn committed(&mut self, batch: Batch, recorded_at: DateTime<Utc>) {
        self.position += batch.event_count as i64;
        self.stream_key += batch.new_streams.len() as i64;
        metrics::counter!("palmares_store_events_total").increment(batch.event_count as u64);
        metrics::histogram!("palmares_store_batch_events").record(batch.event_count as f64);
        let first = self.position - batch.event_count as i64;
        batch.answer(first, recorded_at);
        self.announce();
    }

    /// Tells who waits for the log how far it is; never backwards.
    fn announce(&self) {
        let position = self.position;
        self.shared.committed.send_if_modified(|known| {
            position > *known && {
                *known = position;
                true
            }
        });
    }

    /// Commits what of a batch is sound under the head's lock, and answers the rest with its reason.
    async fn isolate(&mut self, connection: &mut PgConnection, batch: Batch) -> Result<(), sqlx::Error> {
        let touched: Vec<StreamName> = batch.streams().collect();
        match slow_path::commit(connection, batch.into_submitted()).await {
            Ok(done) => {
                for stream in &touched {
                    self.heads.forget(stream);
                }
                for (stream, head) in done.heads {
                    self.heads.set(stream, head);
                }
                let behind = done.position_before != self.position;
                if behind {
                    self.refresh(connection).await?;
                }
                self.position = done.position_before;
                self.stream_key = done.stream_key_before;
                self.carried.extend(done.deferred);
                self.committed(done.batch, done.recorded_at);
                self.check_again(Vec::new());
                Ok(())
            }
            Err((error, submitted)) => {
                self.check_again(submitted);
                Err(error)
            }
        }
    }

    /// Takes in what other nodes have appended since the known position.
    async fn refresh(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let head = LogHead::from_row(&sqlx::query(statements::HEAD).fetch_one(&mut *connection).await?)?;
        if head.position == self.position {
            return Ok(());
        }
        let rows = sqlx::query(statements::HEADS_AFTER).bind(self.position).fetch_all(connection).await?;
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            let stream = super::stream_name(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            self.heads.set(stream, StreamHead { key: StreamKey(row.try_get(3)?), version: row.try_get(4)? });
            changed.push(stream);
        }
        self.position = head.position;
        self.stream_key = head.stream_key;
        self.next_key = head.stream_key;
        self.announce();
        // Nobody listening is fine: then nothing is cached.
        let _ = self.shared.foreign.send(changed.into());
        Ok(())
    }

    /// Checks `first` and then everything that was checked on top of it, on the heads as they are now.
    fn check_again(&mut self, first: Vec<Submitted>) {
        let filling = std::mem::take(&mut self.filling);
        self.next_key = self.stream_key;
        let again: Vec<Submitted> = first.into_iter().chain(filling.into_submitted()).chain(std::mem::take(&mut self.carried)).collect();
        for submitted in again {
            self.admit(submitted);
        }
    }

    /// After a lost connection: connects again, finds out whether the batch was recorded, and goes on.
    async fn recover(&mut self, error: sqlx::Error, batch: Batch) -> Option<PgConnection> {
        let event_id = batch.first_event_id();
        let mut error = error;
        let deadline = Instant::now() + Duration::from_secs(RECONNECT_SECONDS);
        loop {
            let Some(mut connection) = self.reconnect_until(error, deadline).await else {
                return self.give_up(batch).await;
            };
            match slow_path::was_recorded(&mut connection, self.position, event_id).await {
                Ok(Some(recorded_at)) => {
                    self.committed(batch, recorded_at);
                    return Some(connection);
                }
                Ok(None) => {
                    let submitted = batch.into_submitted();
                    for stream in submitted.iter().flat_map(|submitted| &submitted.append.writes).map(|write| write.stream) {
                        self.heads.forget(&stream);
                    }
                    return match slow_path::stream_heads(&mut connection, &submitted).await {
                        Ok(heads) => {
                            heads.into_iter().for_each(|(stream, head)| self.heads.set(stream, head));
                            let refreshed = self.refresh(&mut connection).await;
                            self.check_again(submitted);
                            match refreshed {
                                Ok(()) => Some(connection),
                                Err(error) => self.reconnect(error).await,
                            }
                        }
                        Err(error) => {
                            self.check_again(submitted);
                            self.reconnect(error).await
                        }
                    };
                }
                Err(again) => error = again,
            }
        }
    }

    /// The store stayed away: nobody waits for ever, and nothing of what was known is trusted.
    async fn give_up(&mut self, batch: Batch) -> Option<PgConnection> {
        let reason = AppendError::Unavailable("PostgreSQL does not answer".into());
        batch.refuse(&reason);
        self.refuse_everything(&reason);
        self.reconnect(sqlx::Error::WorkerCrashed).await
    }

    fn refuse_everything(&mut self, reason: &AppendError) {
        self.shared.term.fetch_add(1, Ordering::AcqRel);
        std::mem::take(&mut self.filling).refuse(reason);
        let mut waiting: Vec<Submitted> = std::mem::take(&mut self.carried).into();
        while let Ok(submitted) = self.inbox.try_recv() {
            waiting.push(submitted);
        }
        for submitted in waiting {
            // A waiter that left does not need the answer.
            let _ = submitted.waiter.send(Err(reason.clone()));
        }
        self.heads.clear();
    }

    /// Connects again, for as long as it takes; what arrives meanwhile is refused after a while.
    async fn reconnect(&mut self, error: sqlx::Error) -> Option<PgConnection> {
        let mut error = error;
        loop {
            let deadline = Instant::now() + Duration::from_secs(RECONNECT_SECONDS);
            if let Some(mut connection) = self.reconnect_until(error, deadline).await {
                match self.refresh(&mut connection).await {
                    Ok(()) => {
                        self.check_again(Vec::new());
                        return Some(connection);
                    }
                    Err(again) => error = again,
                }
            } else {
                self.refuse_everything(&AppendError::Unavailable("PostgreSQL does not answer".into()));
                if self.inbox.is_closed() {
                    return None;
                }
                error = sqlx::Error::WorkerCrashed;
            }
        }
    }

    async fn reconnect_until(&self, error: sqlx::Error, deadline: Instant) -> Option<PgConnection> {
        tracing::warn!(%error, "the committer's connection is lost");
        let mut pause = Duration::from_millis(20);
        while Instant::now() < deadline {
            match writer::connect(&self.options).await {
                Ok(connection) => return Some(connection),
                Err(error) => tracing::debug!(%error, "PostgreSQL does not answer yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        None
    }
}

async fn wait_for(in_flight: &mut Option<InFlight>) -> Option<(PgConnection, Batch, Written)> {
    match in_flight {
        Some(task) => task.await.map_err(|error| tracing::error!(%error, "the committer's write failed")).ok(),
        None => None,
    }
}

impl Batch {
    /// Whether PostgreSQL has to hear of it.
    fn writes_anything(&self) -> bool {
        self.event_count > 0
            || self.accepted.iter().any(|accepted| {
                let append = &accepted.submitted.append;
                append.command.is_some() || !append.claims.is_empty() || !append.releases.is_empty()
            })
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = StreamName> {
        self.accepted.iter().flat_map(|accepted| &accepted.submitted.append.writes).map(|write| write.stream)
    }

    fn first_event_id(&self) -> Option<uuid::Uuid> {
        let mut writes = self.accepted.iter().flat_map(|accepted| &accepted.submitted.append.writes);
        writes.find_map(|write| write.events.first()).map(|event| event.id.0)
    }

    /// Answers everyone: the batch is committed behind `position`.
    fn answer(self, mut position: i64, recorded_at: DateTime<Utc>) {
        for accepted in self.accepted {
            position += accepted.submitted.append.event_count() as i64;
            // A waiter that left does not need the answer.
            let _ = accepted.submitted.waiter.send(Ok(Committed { position, recorded_at }));
        }
        for (submitted, error) in self.refused {
            let _ = submitted.waiter.send(Err(error));
        }
    }

    fn refuse(self, reason: &AppendError) {
        for submitted in self.into_submitted() {
            let _ = submitted.waiter.send(Err(reason.clone()));
        }
    }
}
