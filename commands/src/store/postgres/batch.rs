//! A batch: appends that were checked against the heads in memory and go to PostgreSQL together.

use super::heads::{Heads, StreamHead};
use super::tail::Recorded;
use crate::store::{Append, AppendError, Claim, ClaimKey, CommandRecord, Committed, EVENT_MAX_BYTES, StreamKey, StreamName};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::CommandId;
use std::collections::{HashMap, HashSet};
use tokio::sync::oneshot;

/// How many events a batch may hold; the next one starts when this one is through.
pub(super) const BATCH_MAX_EVENTS: usize = 2_000;

/// An append and who waits for it.
pub(super) struct Submitted {
    pub append: Append,
    pub waiter: oneshot::Sender<Result<Committed, AppendError>>,
}

/// An append in a batch, with the key of each of its streams.
pub(super) struct Accepted {
    pub submitted: Submitted,
    pub keys: Vec<StreamKey>,
}

/// What is known of claims and commands beyond this batch. Empty on the fast path, where the
/// unique indexes decide; complete for the batch's keys on the slow path.
#[derive(Default)]
pub(super) struct Known {
    /// The store's term: handles of an earlier one prove nothing.
    pub term: u64,
    pub claims: HashMap<ClaimKey, Claim>,
    pub commands: HashMap<CommandId, CommandRecord>,
}

#[derive(Default)]
pub(super) struct Batch {
    pub accepted: Vec<Accepted>,
    /// Refused on heads that hold only if this batch commits, so they are answered after it.
    pub refused: Vec<(Submitted, AppendError)>,
    pub new_streams: Vec<(StreamName, StreamKey)>,
    pub event_count: usize,
    /// What it records, where that is vouched for: known when it is written.
    pub recorded: Option<Recorded>,
    /// The heads as they were before this batch moved them, in the order of the moves.
    moved: Vec<(StreamName, Option<StreamHead>)>,
    claimed: HashSet<ClaimKey>,
    released: HashSet<ClaimKey>,
    commands: HashSet<CommandId>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.accepted.is_empty() && self.refused.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.event_count >= BATCH_MAX_EVENTS
    }

    /// Takes every append back out, in the order in which they came.
    pub fn into_submitted(self) -> Vec<Submitted> {
        let accepted = self.accepted.into_iter().map(|accepted| accepted.submitted);
        accepted.chain(self.refused.into_iter().map(|(submitted, _)| submitted)).collect()
    }

    /// Undoes what the batch did to the heads: it was not committed. What was checked on top of it
    /// has to be rolled back before it.
    pub fn roll_back(&mut self, heads: &mut Heads) {
        for (stream, before) in self.moved.drain(..).rev() {
            match before {
                Some(head) => heads.set(stream, head),
                None => heads.forget(&stream),
            }
        }
    }

    /// Checks an append and takes it in, or notes its refusal. An append that touches a claim or a
    /// command of this very batch is handed back, for the next one.
    pub fn admit(&mut self, submitted: Submitted, heads: &mut Heads, next_key: &mut i64, known: &Known) -> Option<Submitted> {
        if self.collides(&submitted.append) {
            return Some(submitted);
        }
        match check(&submitted.append, heads, known) {
            Ok(()) => self.take(submitted, heads, next_key),
            Err(error) => self.refused.push((submitted, error)),
        }
        None
    }

    /// Whether PostgreSQL has to hear of it.
    pub fn writes_anything(&self) -> bool {
        self.event_count > 0
            || self.accepted.iter().any(|accepted| {
                let append = &accepted.submitted.append;
                append.command.is_some() || !append.claims.is_empty() || !append.releases.is_empty()
            })
    }

    pub fn first_event_id(&self) -> Option<uuid::Uuid> {
        let mut writes = self.accepted.iter().flat_map(|accepted| &accepted.submitted.append.writes);
        writes.find_map(|write| write.events.first()).map(|event| event.id.0)
    }

    /// Answers everyone: the batch is committed behind `position`.
    pub fn answer(self, mut position: i64, recorded_at: DateTime<Utc>) {
        for accepted in self.accepted {
            position += accepted.submitted.append.event_count() as i64;
            // A waiter that left does not need the answer.
            let _ = accepted.submitted.waiter.send(Ok(Committed { position, recorded_at }));
        }
        for (submitted, error) in self.refused {
            let _ = submitted.waiter.send(Err(error));
        }
    }

    pub fn refuse(self, reason: &AppendError) {
        for submitted in self.into_submitted() {
            let _ = submitted.waiter.send(Err(reason.clone()));
        }
    }

    fn collides(&self, append: &Append) -> bool {
        append.claims.iter().any(|claim| self.claimed.contains(&claim.key) || self.released.contains(&claim.key))
            || append.releases.iter().any(|key| self.claimed.contains(key))
            || append.command.as_ref().is_some_and(|command| self.commands.contains(&command.id))
    }

    fn take(&mut self, submitted: Submitted, heads: &mut Heads, next_key: &mut i64) {
        let append = &submitted.append;
        let mut keys = Vec::with_capacity(append.writes.len());
        for write in &append.writes {
            let before = heads.get(&write.stream);
            let known = before.map(|head| head.key).or(write.handle.map(|handle| handle.key));
            let key = match known {
                Some(key) => key,
                None if write.events.is_empty() => {
                    keys.push(StreamKey(0));
                    continue;
                }
                None => {
                    *next_key += 1;
                    self.new_streams.push((write.stream, StreamKey(*next_key)));
                    StreamKey(*next_key)
                }
            };
            self.moved.push((write.stream, before));
            heads.set(write.stream, StreamHead { key, version: write.expected_version + write.events.len() as i64 });
            keys.push(key);
        }
        self.event_count += append.event_count();
        self.claimed.extend(append.claims.iter().map(|claim| claim.key));
        self.released.extend(append.releases.iter().copied());
        self.commands.extend(append.command.as_ref().map(|command| command.id));
        self.accepted.push(Accepted { submitted, keys });
    }
}

/// Whether an append fits the heads. A stream without a head in memory is taken at the writer's
/// word if the writer loaded it in this term (the unique index on stream and version is the backstop) or says
/// that it is new (the unique index on the stream's name is).
fn check(append: &Append, heads: &mut Heads, known: &Known) -> Result<(), AppendError> {
    for write in &append.writes {
        let fits = match heads.get(&write.stream) {
            Some(head) => head.version == write.expected_version,
            None => write.expected_version == 0 || write.handle.is_some_and(|handle| handle.term == known.term),
        };
        if !fits {
            return Err(AppendError::WrongVersion { stream: write.stream, expected: write.expected_version });
        }
        if let Some(event) = write.events.iter().find(|event| event.payload.len() > EVENT_MAX_BYTES) {
            return Err(AppendError::EventTooLarge(event.payload.len()));
        }
    }
    if let Some(record) = append.command.as_ref().and_then(|command| known.commands.get(&command.id)) {
        return Err(AppendError::DuplicateCommand(Box::new(record.clone())));
    }
    match append.claims.iter().find_map(|claim| known.claims.get(&claim.key)) {
        Some(held) => Err(AppendError::ClaimTaken { held: *held }),
        None => Ok(()),
    }
}
