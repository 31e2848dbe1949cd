//! One attempt at a command: lock, load, decide, seal, append, wait.

use super::answers::{command_record, rehearse, replay};
use super::kind::{Change, StreamRef};
use super::load::{fields, place};
use super::metadata::{Commitments, metadata};
use super::operation::{Involved, Unit};
use super::slots::{Entry, Loaded, Slot};
use super::{Answer, Engine, Operation, Receipt, Refused, Rejection, vouched};
use crate::privacy::UnsealedEvent;
use crate::privacy::sealing::{seal_events, try_seal_events};
use crate::store::{Append, AppendError, Claim, ClaimKey, NewEvent, SealedBlob, Snapshot, StreamName, StreamWrite};
use palmares_domain::kernel::{Admission, EventId, Facts, OrganizationId};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};
use uuid::Uuid;

enum Guard {
    Write(OwnedRwLockWriteGuard<Entry>),
    Read(OwnedRwLockReadGuard<Entry>),
}

impl Guard {
    fn entry(&self) -> &Entry {
        match self {
            Guard::Write(guard) => guard,
            Guard::Read(guard) => guard,
        }
    }
}

/// A stream that the command works with, locked.
pub(super) struct Held {
    pub stream: StreamRef,
    pub writable: bool,
    slot: Arc<Slot>,
    guard: Guard,
}

impl Held {
    pub fn loaded(&self) -> Result<&Loaded, Rejection> {
        self.guard.entry().loaded.as_ref().ok_or_else(|| Rejection::Internal(anyhow::anyhow!("a locked stream is not loaded")))
    }
}

/// What was decided, detached from the states.
pub(super) struct Decided {
    pub answer: Answer,
    /// Per held stream, in the same order.
    pub changes: Vec<Vec<Box<dyn Change>>>,
    claims: Vec<Claim>,
    releases: Vec<ClaimKey>,
    released: Option<OrganizationId>,
}

/// What to do with a slot once its append is through.
struct Settle {
    stream: StreamName,
    slot: Arc<Slot>,
    epoch: u64,
    version: i64,
    snapshot: Option<Snapshot>,
}

impl Engine {
    /// `None` means that the command has to be decided again.
    pub(super) async fn attempt(&self, admission: &Admission, operation: &dyn Operation) -> Result<Option<Receipt>, Rejection> {
        if let Some(receipt) = self.recorded(admission).await? {
            return Ok(Some(receipt));
        }
        let hashed = self.hashed(admission, operation).await?;
        let held_claims = self.held_claims(admission, operation, &hashed).await?;
        let held = self.hold(operation.streams(admission), operation.reads(admission)).await?;
        let primary = operation.streams(admission).first().and_then(|stream| held.iter().position(|held| held.stream.name == stream.name));
        let decided = {
            let mut unit = Unit {
                admission,
                facts: Facts { now: self.clock.now(), actor: admission.actor },
                involved: held.iter().map(involve).collect::<Result<_, _>>()?,
                held: &held_claims,
                hashed: &hashed,
                claims: Vec::new(),
                releases: Vec::new(),
                released: None,
                ids: 0,
                permissions: &self.permissions,
            };
            let version = primary.map_or(0, |index| unit.involved[index].version);
            match admission.if_match.filter(|expected| *expected != version) {
                Some(_) => Err(Rejection::PreconditionFailed { actual: version }),
                None => operation.decide(&mut unit).map_err(Rejection::Refused).map(|answer| Decided {
                    answer,
                    changes: unit.involved.into_iter().map(|involved| involved.changes).collect(),
                    claims: unit.claims,
                    releases: unit.releases,
                    released: unit.released,
                }),
            }
        };
        match decided {
            Ok(decided) if admission.dry_run => rehearse(&held, decided).map(Some),
            Ok(decided) => self.record(admission, held, primary, decided).await,
            Err(rejection) => self.refuse(admission, held, rejection).await,
        }
    }

    async fn hashed(&self, admission: &Admission, operation: &dyn Operation) -> Result<HashMap<&'static str, Uuid>, Rejection> {
        let mut hashed = HashMap::new();
        for (kind, value) in operation.hashed() {
            hashed.insert(kind, self.lookup_key(admission.organization, kind, value).await?);
        }
        Ok(hashed)
    }

    /// The key under which a personal value is claimed.
    pub async fn lookup_key(&self, organization: OrganizationId, kind: &str, value: &str) -> Result<Uuid, Rejection> {
        let hash = self.ring.lookup_hash(organization, kind, value).await.map_err(anyhow::Error::from)?;
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Ok(Uuid::from_bytes(id))
    }

    async fn held_claims(
        &self,
        admission: &Admission,
        operation: &dyn Operation,
        hashed: &HashMap<&'static str, Uuid>,
    ) -> Result<HashMap<ClaimKey, Uuid>, Rejection> {
        let of_values = hashed.values().map(|key| ClaimKey { organization: admission.organization, key: *key });
        let mut held = HashMap::new();
        for key in operation.claims(admission).into_iter().chain(of_values) {
            if let Some(claim) = self.store.claim(key).await? {
                held.insert(key, claim.owner);
            }
        }
        Ok(held)
    }

    /// Locks every stream in the order of their names, so that two commands never wait for each other.
    async fn hold(&self, writes: Vec<StreamRef>, reads: Vec<StreamRef>) -> Result<Vec<Held>, Rejection> {
        let writes = writes.into_iter().map(|stream| (stream, true));
        let mut streams: Vec<(StreamRef, bool)> = writes.chain(reads.into_iter().map(|stream| (stream, false))).collect();
        // A stream that is both written and read is written.
        streams.sort_by_key(|(stream, writable)| (stream.name, !writable));
        streams.dedup_by_key(|(stream, _)| stream.name);
        let mut held = Vec::with_capacity(streams.len());
        for (stream, writable) in streams {
            let slot = self.slots.get(&stream.name);
            let guard = if writable {
                let mut guard = slot.lock.clone().write_owned().await;
                self.loaded(&mut guard, &slot, stream).await?;
                Guard::Write(guard)
            } else {
                Guard::Read(self.read_loaded(&slot, stream).await?)
            };
            held.push(Held { stream, writable, slot, guard });
        }
        Ok(held)
    }

    async fn read_loaded(&self, slot: &Arc<Slot>, stream: StreamRef) -> Result<OwnedRwLockReadGuard<Entry>, Rejection> {
        let guard = slot.lock.clone().read_owned().await;
        if guard.loaded.is_some() {
            return Ok(guard);
        }
        drop(guard);
        let mut guard = slot.lock.clone().write_owned().await;
        self.loaded(&mut guard, slot, stream).await?;
        Ok(guard.downgrade())
    }

    /// A refusal waits for the appends that its states were computed on. One of these may have been
    /// the same command, sent twice at once: then its answer is the answer.
    async fn refuse(&self, admission: &Admission, held: Vec<Held>, rejection: Rejection) -> Result<Option<Receipt>, Rejection> {
        if self.await_states(admission, held).await?.is_none() {
            return Ok(None);
        }
        match self.recorded(admission).await? {
            Some(receipt) => Ok(Some(receipt)),
            None => Err(rejection),
        }
    }

    /// The first answer of the admitted command, if it was recorded before.
    async fn recorded(&self, admission: &Admission) -> Result<Option<Receipt>, Rejection> {
        let Some(key) = &admission.idempotency else { return Ok(None) };
        let record = self.store.command(key.command_id).await?;
        record.map(|record| replay(key, &record)).transpose()
    }

    /// Waits until every state that was seen is durable, and asks the log whether it is the newest:
    /// another node may have gone on. Answers the log's position, or nothing where one is neither.
    async fn await_states(&self, admission: &Admission, held: Vec<Held>) -> Result<Option<i64>, Rejection> {
        let mut ahead = false;
        let mut writes = Vec::with_capacity(held.len());
        let mut settles = Vec::with_capacity(held.len());
        for held in &held {
            let loaded = held.loaded()?;
            ahead |= held.slot.is_ahead(loaded.version);
            writes.push(StreamWrite {
                stream: held.stream.name,
                expected_version: loaded.version,
                handle: loaded.handle,
                events: Vec::new(),
            });
            settles.push(settle(held, loaded.version));
        }
        let names: Vec<StreamName> = settles.iter().map(|settle| settle.stream).collect();
        let seen: Vec<_> = settles.iter().map(|settle| (settle.slot.clone(), settle.epoch, settle.version)).collect();
        let position = if ahead {
            let outcome = self.store.submit(empty(admission, writes));
            drop(held);
            self.settle(outcome, settles).await?
        } else {
            drop(held);
            Some(*self.store.committed().borrow())
        };
        let mut current = true;
        for (version, (slot, epoch, seen)) in self.store.versions(&names).await?.into_iter().zip(seen) {
            // What this node has committed meanwhile came after the decision.
            if version > seen && slot.is_ahead(version) {
                current = false;
                slot.drop_state(epoch).await;
            }
        }
        Ok(position.filter(|_| current))
    }

    async fn record(
        &self,
        admission: &Admission,
        held: Vec<Held>,
        primary: Option<usize>,
        decided: Decided,
    ) -> Result<Option<Receipt>, Rejection> {
        let Decided { answer, mut changes, claims, releases, released } = decided;
        let version = match primary {
            Some(index) => held[index].loaded()?.version + changes[index].len() as i64,
            None => 0,
        };
        let (no_event, no_claim) = (changes.iter().all(Vec::is_empty), claims.is_empty() && releases.is_empty());
        debug_assert!(!no_event || no_claim, "what is claimed or let go stands in the metadata of an event, and there is none");
        if no_event && no_claim && admission.idempotency.is_none() {
            let position = self.await_states(admission, held).await?;
            return Ok(position.map(|position| Receipt { answer, position, version, replayed: false }));
        }
        let client = match &admission.client {
            Some(client) => self.contexts.record(admission.organization, admission.actor, client).await?,
            None => None,
        };
        let claimed = Commitments::of(self.store.as_ref(), &claims, &releases, released).await?;
        let metadata = metadata(admission, client, claimed).map_err(anyhow::Error::from)?;
        let command = admission.idempotency.map(|key| command_record(&key, &answer)).transpose()?;
        let sealed = self.seal(&held, &mut changes).await?;
        let events = changes.iter().zip(sealed).map(|(changes, sealed)| encode(changes, sealed)).collect::<Result<Vec<_>, _>>()?;
        // From here to the submission nothing fails and nothing waits: the states and the log stay together.
        let (mut writes, mut settles, mut locked) = (Vec::new(), Vec::new(), Vec::new());
        for ((mut held, changes), events) in held.into_iter().zip(changes).zip(events) {
            let (write, settle) = self.evolve(&mut held, changes, events)?;
            writes.push(write);
            settles.push(settle);
            locked.push(held);
        }
        // The first write is the one whose version the command's record keeps.
        if let Some(primary) = primary {
            writes.swap(0, primary);
        }
        let outcome = self.store.submit(Append { metadata, claims, releases, command, ..empty(admission, writes) });
        drop(locked);
        let position = self.settle(outcome, settles).await?;
        Ok(position.map(|position| Receipt { answer, position, version, replayed: false }))
    }

    async fn seal(&self, held: &[Held], changes: &mut [Vec<Box<dyn Change>>]) -> Result<Vec<Vec<(EventId, Vec<SealedBlob>)>>, Rejection> {
        let counts: Vec<usize> = changes.iter().map(Vec::len).collect();
        let ids: Vec<EventId> = (0..counts.iter().sum()).map(|_| EventId(Uuid::now_v7())).collect();
        let mut next = ids.iter();
        let mut unsealed: Vec<UnsealedEvent<'_>> = Vec::with_capacity(ids.len());
        for (held, changes) in held.iter().zip(changes.iter_mut()) {
            for (change, id) in changes.iter_mut().zip(next.by_ref()) {
                unsealed.push(UnsealedEvent { place: place(held.stream, *id), event: fields(change) });
            }
        }
        let sealed = match try_seal_events(&self.ring, &mut unsealed)? {
            Some(sealed) => sealed,
            None => seal_events(&self.ring, &mut unsealed).await?,
        };
        let mut sealed = ids.into_iter().zip(sealed);
        Ok(counts.into_iter().map(|count| sealed.by_ref().take(count).collect()).collect())
    }

    /// Evolves a held state by what was decided, exactly as a replay of it will.
    fn evolve(&self, held: &mut Held, changes: Vec<Box<dyn Change>>, events: Vec<NewEvent>) -> Result<(StreamWrite, Settle), Rejection> {
        let (stream, before, handle) = (held.stream, held.loaded()?.version, held.loaded()?.handle);
        let version = before + changes.len() as i64;
        let mut settle = settle(held, version);
        if let Guard::Write(guard) = &mut held.guard
            && let Some(loaded) = guard.loaded.as_mut()
        {
            for mut change in changes {
                if stream.kind.decides_on.is_none() {
                    change.forget();
                }
                change.apply(loaded.state.as_mut());
            }
            loaded.version = version;
            settle.snapshot = self.grow(stream, &settle.slot, loaded, &events);
        }
        Ok((StreamWrite { stream: stream.name, expected_version: before, handle, events }, settle))
    }

    /// Keeps a snapshot, which nobody waits for.
    fn keep(&self, stream: StreamName, snapshot: Snapshot) {
        let (ring, store) = (self.ring.clone(), self.store.clone());
        tokio::spawn(async move {
            match vouched::vouch(&ring, stream, snapshot).await {
                Ok(snapshot) => store.keep_snapshot(stream, snapshot),
                Err(error) => tracing::warn!(%error, "a snapshot was not kept"),
            }
        });
    }

    /// Waits for an append. Its position, or nothing where the command has to be decided again.
    async fn settle(&self, outcome: crate::store::Outcome, settles: Vec<Settle>) -> Result<Option<i64>, Rejection> {
        let outcome = outcome.await.unwrap_or_else(|_| Err(AppendError::Unavailable("the committer has stopped".into())));
        match outcome {
            Ok(committed) => {
                for settle in settles {
                    settle.slot.commit(settle.version);
                    if let Some(snapshot) = settle.snapshot {
                        self.keep(settle.stream, snapshot);
                    }
                }
                Ok(Some(committed.position))
            }
            Err(error) => {
                for settle in settles {
                    settle.slot.drop_state(settle.epoch).await;
                }
                match error {
                    AppendError::WrongVersion { .. } | AppendError::ClaimTaken { .. } | AppendError::DuplicateCommand(_) => Ok(None),
                    AppendError::EventTooLarge(_) => Err(Rejection::Refused(Refused::new(
                        palmares_domain::kernel::Code::PayloadTooLarge,
                        "engine.event_too_large",
                        error.to_string(),
                    ))),
                    AppendError::Unavailable(reason) => Err(Rejection::Unavailable(reason)),
                }
            }
        }
    }
}

fn involve(held: &Held) -> Result<Involved<'_>, Rejection> {
    let loaded = held.loaded()?;
    Ok(Involved {
        stream: held.stream,
        state: loaded.state.as_ref(),
        version: loaded.version,
        writable: held.writable,
        changes: Vec::new(),
        working: None,
    })
}

fn settle(held: &Held, version: i64) -> Settle {
    Settle { stream: held.stream.name, slot: held.slot.clone(), epoch: held.guard.entry().epoch, version, snapshot: None }
}

fn empty(admission: &Admission, writes: Vec<StreamWrite>) -> Append {
    Append {
        organization: admission.organization,
        actor: admission.actor,
        metadata: Arc::from([]),
        writes,
        claims: Vec::new(),
        releases: Vec::new(),
        command: None,
    }
}

fn encode(changes: &[Box<dyn Change>], sealed: Vec<(EventId, Vec<SealedBlob>)>) -> Result<Vec<NewEvent>, Rejection> {
    let mut events = Vec::with_capacity(changes.len());
    for (change, (id, sealed)) in changes.iter().zip(sealed) {
        let payload = change.payload().map_err(anyhow::Error::from)?;
        let (event_type, schema_version, effective_at) = (change.event_type(), change.schema_version(), change.effective_at());
        events.push(NewEvent { id, event_type, schema_version, effective_at, payload, sealed });
    }
    Ok(events)
}
