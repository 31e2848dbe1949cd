//! What this node committed last, kept for the sealer of the same process: it need not read it again.
//!
//! It is what was submitted, not what the database made of it: a row that somebody changes before it
//! is sealed no longer agrees with its leaf, and the audit of the log finds it.

use crate::store::{Append, StreamName};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::kernel::{EventId, UserId};
use palmares_proofs::{
    Entry,
    entry::{BytesHash, Id, Instant},
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// 2000-01-01, from which PostgreSQL counts the microseconds of a time.
const POSTGRES_EPOCH_S: i64 = 946_684_800;

/// The end of the log as far as this node wrote it, within a number of bytes. What is not here is in the log.
pub struct Tail {
    kept: Mutex<Kept>,
    bytes_max: usize,
    /// Nothing is kept before somebody asks.
    wanted: AtomicBool,
}

#[derive(Default)]
struct Kept {
    /// In the order of positions; between two of them other nodes may have written.
    batches: VecDeque<Arc<Recorded>>,
    bytes: usize,
}

/// A batch behind `after`, as its leaves have it. What it is made of is copied or hashed: what workers
/// have allocated goes back to them at once.
pub(super) struct Recorded {
    after: i64,
    /// As PostgreSQL says; 1970 before it is committed.
    at: DateTime<Utc>,
    events: Vec<Recent>,
}

/// An event of a batch, in the order of positions.
struct Recent {
    stream: StreamName,
    version: i64,
    id: EventId,
    event_type: &'static str,
    schema_version: u16,
    actor: UserId,
    effective_at: Option<DateTime<Utc>>,
    metadata: BytesHash,
    payload: BytesHash,
}

impl Tail {
    pub fn new(bytes_max: usize) -> Self {
        Self { kept: Mutex::default(), bytes_max, wanted: AtomicBool::new(false) }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Keeps what was recorded, and lets go of the oldest where that is too much.
    pub(super) fn keep(&self, batch: Recorded) {
        let mut kept = self.kept();
        // Positions that were given out again: what was kept of them was never, or is no longer, in the log.
        while kept.batches.back().is_some_and(|last| last.until() > batch.after) {
            kept.drop_last();
        }
        kept.bytes += batch.size();
        kept.batches.push_back(Arc::new(batch));
        while kept.bytes > self.bytes_max {
            kept.drop_first();
        }
    }

    /// The events behind a position without a gap, each with its organization, as leaves of the log have
    /// them; nothing where the next one is not here.
    pub fn entries(&self, after: i64) -> Vec<(Uuid, Entry)> {
        self.wanted.store(true, Ordering::Relaxed);
        let batches = self.behind(after);
        let events = batches.last().map_or(0, |last| last.until() - after);
        let mut entries = Vec::with_capacity(events as usize);
        batches.iter().for_each(|batch| entries.extend(batch.entries(after)));
        entries
    }

    /// Batches that follow one another from a position on. What is older is asked for no more.
    fn behind(&self, after: i64) -> Vec<Arc<Recorded>> {
        let mut kept = self.kept();
        while kept.batches.front().is_some_and(|first| first.until() <= after) {
            kept.drop_first();
        }
        let mut reach = None;
        let starts = |batch: &Recorded, reach: Option<i64>| reach.map_or(batch.after <= after, |reach| batch.after == reach);
        let follows = |batch: &&Arc<Recorded>| {
            let follows = starts(batch, reach);
            reach = Some(batch.until());
            follows
        };
        kept.batches.iter().take_while(follows).cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_first(&mut self) {
        self.bytes -= self.batches.pop_front().map_or(0, |batch| batch.size());
    }

    fn drop_last(&mut self) {
        self.bytes -= self.batches.pop_back().map_or(0, |batch| batch.size());
    }
}

impl Recorded {
    /// What appends record behind a position.
    pub fn of<'a>(after: i64, appends: impl Iterator<Item = &'a Append>) -> Self {
        let mut batch = Self { after, at: DateTime::UNIX_EPOCH, events: Vec::new() };
        appends.for_each(|append| batch.push(append));
        batch
    }

    /// The same, committed.
    pub fn at(self, at: DateTime<Utc>) -> Self {
        Self { at, ..self }
    }

    /// Its events as leaves of the log have them.
    pub fn leaves(&self) -> impl Iterator<Item = Entry> {
        self.entries(self.after).map(|(_, entry)| entry)
    }

    fn push(&mut self, append: &Append) {
        let metadata = BytesHash::of(&append.metadata);
        // In the order in which the writer gives them their positions.
        for write in &append.writes {
            for (version, event) in (write.expected_version + 1..).zip(&write.events) {
                self.events.push(Recent {
                    stream: write.stream,
                    version,
                    id: event.id,
                    event_type: event.event_type,
                    schema_version: event.schema_version,
                    actor: append.actor,
                    effective_at: event.effective_at,
                    metadata,
                    payload: BytesHash::of(&event.payload),
                });
            }
        }
    }

    fn until(&self) -> i64 {
        self.after + self.events.len() as i64
    }

    fn size(&self) -> usize {
        self.events.len() * size_of::<Recent>()
    }

    fn entries(&self, after: i64) -> impl Iterator<Item = (Uuid, Entry)> {
        let behind = (self.after + 1..).zip(&self.events).skip_while(move |(position, _)| *position <= after);
        behind.map(|(position, event)| (event.stream.organization.0, self.entry(position, event)))
    }

    fn entry(&self, position: i64, event: &Recent) -> Entry {
        Entry {
            position,
            organization_id: Id(event.stream.organization.0.into_bytes()),
            stream_type: event.stream.stream_type.to_owned(),
            stream_id: Id(event.stream.id.into_bytes()),
            version: event.version,
            event_id: Id(event.id.0.into_bytes()),
            event_type: event.event_type.to_owned(),
            schema_version: event.schema_version as i16,
            actor_id: Id(event.actor.0.into_bytes()),
            recorded_at: stored(self.at),
            effective_at: event.effective_at.map(stored),
            metadata: event.metadata,
            payload: event.payload,
        }
    }
}

/// A time as its column has it: whole microseconds from 2000 on, the rest cut off.
fn stored(at: DateTime<Utc>) -> Instant {
    let since = at - DateTime::UNIX_EPOCH - TimeDelta::seconds(POSTGRES_EPOCH_S);
    // What has no such number was refused when it was written.
    Instant(since.num_microseconds().unwrap_or_default() + POSTGRES_EPOCH_S * 1_000_000)
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
