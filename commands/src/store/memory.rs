//! The store in memory, for tests of what stands on the port. It passes the same contract suite.

use super::*;
use palmares_domain::kernel::StreamVersion;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    log: Vec<(RecordedEvent, Vec<SealedBlob>)>,
    streams: HashMap<StreamName, (StreamKey, Vec<usize>)>,
    claims: BTreeMap<ClaimKey, Claim>,
    commands: HashMap<CommandId, CommandRecord>,
    snapshots: HashMap<StreamName, Snapshot>,
    recorded_at: DateTime<Utc>,
}

/// An event store that forgets everything when it is dropped.
pub struct MemoryStore {
    state: Mutex<State>,
    incarnation: Uuid,
    committed: watch::Sender<i64>,
    foreign: broadcast::Sender<Arc<[StreamName]>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { state: Mutex::default(), incarnation: Uuid::now_v7(), committed: watch::channel(0).0, foreign: broadcast::channel(1).0 }
    }
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes the ciphertexts of a subject and answers how many there were. Events stay.
    pub fn redact(&self, organization: OrganizationId, subject: Uuid, purposes: &[Purpose]) -> u64 {
        let mut redacted = 0;
        for (event, sealed) in &mut self.state().log {
            let before = sealed.len();
            sealed.retain(|blob| event.organization_id != organization || blob.subject != subject || !purposes.contains(&blob.purpose));
            redacted += before - sealed.len();
        }
        redacted as u64
    }

    /// Drops the snapshots of the streams of these types that have this id.
    pub fn drop_snapshots(&self, organization: OrganizationId, id: Uuid, types: &[&str]) -> u64 {
        let mut state = self.state();
        let before = state.snapshots.len();
        state.snapshots.retain(|name, _| (name.organization, name.id) != (organization, id) || !types.contains(&name.stream_type));
        (before - state.snapshots.len()) as u64
    }
}

impl State {
    fn version(&self, stream: &StreamName) -> i64 {
        self.streams.get(stream).map_or(0, |(_, events)| events.len() as i64)
    }

    fn check(&self, append: &Append) -> Result<(), AppendError> {
        for write in &append.writes {
            if self.version(&write.stream) != write.expected_version {
                return Err(AppendError::WrongVersion { stream: write.stream, expected: write.expected_version });
            }
            if let Some(event) = write.events.iter().find(|event| event.payload.len() > EVENT_MAX_BYTES) {
                return Err(AppendError::EventTooLarge(event.payload.len()));
            }
        }
        if let Some(record) = append.command.as_ref().and_then(|command| self.commands.get(&command.id)) {
            return Err(AppendError::DuplicateCommand(Box::new(record.clone())));
        }
        for claim in &append.claims {
            if let Some(held) = self.claims.get(&claim.key) {
                return Err(AppendError::ClaimTaken { held: *held });
            }
        }
        Ok(())
    }

    fn apply(&mut self, append: Append) -> Result<Committed, AppendError> {
        let json = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|error| AppendError::Unavailable(error.to_string()));
        self.check(&append)?;
        self.recorded_at = Utc::now().max(self.recorded_at + chrono::TimeDelta::microseconds(1));
        let metadata: Box<serde_json::value::RawValue> = json(&append.metadata)?;
        let version = append.writes.first().map_or(0, |write| write.expected_version + write.events.len() as i64);
        for write in append.writes.into_iter().filter(|write| !write.events.is_empty()) {
            let next_key = StreamKey(self.streams.len() as i64 + 1);
            for (version, event) in (write.expected_version + 1..).zip(write.events) {
                let recorded = RecordedEvent {
                    position: self.log.len() as i64 + 1,
                    id: event.id,
                    event_type: event.event_type.to_owned(),
                    schema_version: event.schema_version,
                    stream: StreamVersion { stream_type: write.stream.stream_type.to_owned(), id: write.stream.id, version },
                    organization_id: write.stream.organization,
                    actor_id: append.actor.0,
                    recorded_at: self.recorded_at,
                    effective_at: event.effective_at,
                    metadata: metadata.clone(),
                    payload: json(&event.payload)?,
                };
                self.streams.entry(write.stream).or_insert_with(|| (next_key, Vec::new())).1.push(self.log.len());
                self.log.push((recorded, event.sealed));
            }
        }
        append.releases.iter().for_each(|key| {
            self.claims.remove(key);
        });
        self.claims.extend(append.claims.iter().map(|claim| (claim.key, *claim)));
        let position = self.log.len() as i64;
        if let Some(command) = append.command {
            self.commands.insert(command.id, CommandRecord { position, version, ..command });
        }
        Ok(Committed { position, recorded_at: self.recorded_at })
    }
}

#[async_trait::async_trait]
impl EventStore for MemoryStore {
    fn submit(&self, append: Append) -> Outcome {
        let (waiter, outcome) = oneshot::channel();
        let mut state = self.state();
        let result = state.apply(append);
        if let Ok(committed) = &result {
            self.committed.send_replace(committed.position);
        }
        // The receiver is in our hand, so this cannot fail.
        let _ = waiter.send(result);
        outcome
    }

    async fn load(&self, request: LoadRequest) -> Result<LoadedStream, AppendError> {
        let state = self.state();
        let Some((key, indexes)) = state.streams.get(&request.stream) else { return Ok(LoadedStream::default()) };
        let snapshot = state.snapshots.get(&request.stream).filter(|snapshot| snapshot.shape == request.shape).cloned();
        let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.version as usize);
        let events = indexes[after..].iter().map(|index| {
            let (event, sealed) = &state.log[*index];
            let sealed = sealed.iter().filter(|_| request.with_sealed);
            StoredEvent {
                id: event.id,
                position: event.position,
                version: event.stream.version,
                event_type: event.event_type.clone(),
                schema_version: event.schema_version,
                payload: event.payload.get().as_bytes().to_vec(),
                sealed: sealed.map(|blob| (blob.field.to_owned(), blob.ciphertext.clone())).collect(),
            }
        });
        Ok(LoadedStream { handle: Some(StreamHandle { key: *key, term: 0 }), events: events.collect(), snapshot })
    }

    async fn command(&self, id: CommandId) -> Result<Option<CommandRecord>, AppendError> {
        Ok(self.state().commands.get(&id).cloned())
    }

    async fn claim(&self, key: ClaimKey) -> Result<Option<Claim>, AppendError> {
        Ok(self.state().claims.get(&key).copied())
    }

    async fn read_after(&self, position: i64, limit: usize) -> Result<Vec<RecordedEvent>, AppendError> {
        Ok(self.state().log.iter().skip(position.max(0) as usize).take(limit).map(|(event, _)| event.clone()).collect())
    }

    async fn head(&self) -> Result<Head, AppendError> {
        let state = self.state();
        Ok(Head { position: state.log.len() as i64, recorded_at: state.recorded_at, incarnation: self.incarnation })
    }

    async fn versions(&self, streams: &[StreamName]) -> Result<Vec<i64>, AppendError> {
        let state = self.state();
        Ok(streams.iter().map(|stream| state.streams.get(stream).map_or(0, |(_, indexes)| indexes.len() as i64)).collect())
    }

    fn keep_snapshot(&self, stream: StreamName, snapshot: Snapshot) {
        let mut state = self.state();
        let newer = state.snapshots.get(&stream).is_none_or(|kept| kept.version < snapshot.version || kept.shape != snapshot.shape);
        if newer {
            state.snapshots.insert(stream, snapshot);
        }
    }

    fn committed(&self) -> watch::Receiver<i64> {
        self.committed.subscribe()
    }

    fn foreign_changes(&self) -> broadcast::Receiver<Arc<[StreamName]>> {
        self.foreign.subscribe()
    }
}
