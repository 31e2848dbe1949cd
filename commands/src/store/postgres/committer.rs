//! The committer: drains what is queued, commits it as one batch, and answers each waiter.
//!
//! A batch is what arrived while the last one committed; there is no wait to fill one. While a
//! batch is with PostgreSQL the next one is checked against heads that include it. If the batch in
//! flight fails, everything that was checked on top of it is checked again.

use super::batch::{Batch, Known, Submitted};
use super::heads::{Heads, StreamHead};
use super::tail::Tail;
use super::voucher::VoucherKey;
use super::writer::{self, LogHead, Written};
use super::{slow_path, statements};
use crate::store::{StreamKey, StreamName};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, Row};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinHandle;

const INBOX_MAX: usize = 1_024;

/// What the committer shares with the store's handle.
pub(super) struct Shared {
    pub committed: watch::Sender<i64>,
    pub foreign: broadcast::Sender<Arc<[StreamName]>>,
    /// Another node said that it has appended.
    pub foreign_append: Notify,
    pub tail: Arc<Tail>,
    pub voucher_key: Option<VoucherKey>,
    /// The term in which streams are loaded; see [`crate::store::StreamHandle`].
    pub term: AtomicU64,
}

pub(super) struct Committer {
    pub(super) options: PgConnectOptions,
    pub(super) inbox: mpsc::UnboundedReceiver<Submitted>,
    pub(super) shared: Arc<Shared>,
    pub(super) heads: Heads,
    /// The log's head as this node knows it: the fence.
    pub(super) position: i64,
    stream_key: i64,
    /// The batch that fills while another is in flight, and what has to wait for the one after.
    pub(super) filling: Batch,
    next_key: i64,
    pub(super) carried: VecDeque<Submitted>,
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
        // Whoever comes behind an append that has to wait, waits behind it.
        if !self.carried.is_empty() {
            return self.carried.push_back(submitted);
        }
        let known = Known { term: self.shared.term.load(Ordering::Acquire), ..Known::default() };
        if let Some(deferred) = self.filling.admit(submitted, &mut self.heads, &mut self.next_key, &known) {
            self.carried.push_back(deferred);
        }
    }

    /// Sends the filled batch off, or answers it at once where it has nothing to write.
    fn launch(&mut self, mut connection: PgConnection, idle: &mut Option<PgConnection>) -> Option<InFlight> {
        let mut batch = std::mem::take(&mut self.filling);
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
        let (position, shared) = (self.position, self.shared.clone());
        Some(tokio::spawn(async move {
            let written = writer::write(&mut connection, &mut batch, position, shared.voucher_key.as_ref()).await;
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
                let submitted = self.take_back(Some(batch));
                let result = self.refresh(&mut connection).await;
                self.admit_all(submitted);
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

    pub(super) fn committed(&mut self, mut batch: Batch, recorded_at: DateTime<Utc>) {
        self.position += batch.event_count as i64;
        self.stream_key += batch.new_streams.len() as i64;
        metrics::counter!("palmares_store_events_total").increment(batch.event_count as u64);
        metrics::histogram!("palmares_store_batch_events").record(batch.event_count as f64);
        let first = self.position - batch.event_count as i64;
        if let Some(recorded) = batch.recorded.take().filter(|_| self.shared.tail.is_wanted()) {
            self.shared.tail.keep(recorded.at(recorded_at));
        }
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
    async fn isolate(&mut self, connection: &mut PgConnection, mut batch: Batch) -> Result<(), sqlx::Error> {
        let on_top = self.take_back(None);
        batch.roll_back(&mut self.heads);
        match slow_path::commit(connection, batch.into_submitted(), self.shared.voucher_key.as_ref()).await {
            Ok(done) => {
                let refreshed = match done.position_before == self.position {
                    true => Ok(()),
                    false => self.refresh(connection).await,
                };
                done.heads.into_iter().for_each(|(stream, head)| self.heads.set(stream, head));
                // Where yet another node has appended behind it, the fence will tell.
                self.position = done.position_before;
                self.stream_key = done.stream_key_before;
                self.committed(done.batch, done.recorded_at);
                self.next_key = self.stream_key;
                self.admit_all(done.deferred.into_iter().chain(on_top));
                refreshed
            }
            Err((error, submitted)) => {
                self.admit_all(submitted.into_iter().chain(on_top));
                Err(error)
            }
        }
    }

    /// Takes in what other nodes have appended since the known position.
    pub(super) async fn refresh(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
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

    /// Takes back every append that is not committed: those of a failed batch, and those that were
    /// checked on top of it. The heads are then as if none of them had come.
    pub(super) fn take_back(&mut self, failed: Option<Batch>) -> Vec<Submitted> {
        let mut filling = std::mem::take(&mut self.filling);
        filling.roll_back(&mut self.heads);
        let mut submitted = Vec::new();
        if let Some(mut failed) = failed {
            failed.roll_back(&mut self.heads);
            submitted = failed.into_submitted();
        }
        submitted.extend(filling.into_submitted());
        submitted.extend(std::mem::take(&mut self.carried));
        self.next_key = self.stream_key;
        submitted
    }

    pub(super) fn admit_all(&mut self, submitted: impl IntoIterator<Item = Submitted>) {
        submitted.into_iter().for_each(|submitted| self.admit(submitted));
    }
}

async fn wait_for(in_flight: &mut Option<InFlight>) -> Option<(PgConnection, Batch, Written)> {
    match in_flight {
        Some(task) => task.await.map_err(|error| tracing::error!(%error, "the committer's write failed")).ok(),
        None => None,
    }
}
