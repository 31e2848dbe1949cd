//! The port as a repository of cqrs-es.

use super::foreign::{self, ForeignError};
use super::hosted::Envelope;
use crate::store::{Append, AppendError, EventStore, LoadRequest, NewEvent, StreamName, StreamWrite};
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot};
use palmares_domain::kernel::{EventId, OrganizationId, UserId};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

const REPLAY_PAGE: usize = 500;

/// One organization's streams as a repository of cqrs-es. Aggregate ids are UUIDs.
///
/// Aggregates of the domain come in as [`super::Hosted`]; any other one is stored as cqrs-es hands
/// it over, once [`Repository::declare_no_personal_data`] was said.
#[derive(Clone)]
pub struct Repository {
    pub(super) store: Arc<dyn EventStore>,
    organization: OrganizationId,
    actor: UserId,
    foreign_is_not_personal: bool,
}

impl Repository {
    pub fn new(store: Arc<dyn EventStore>, organization: OrganizationId, actor: UserId) -> Self {
        Self { store, organization, actor, foreign_is_not_personal: false }
    }

    /// The caller's word that events of aggregates of their own hold no personal data.
    ///
    /// The payload of such an event has no declared classes, so nothing in it can be sealed for its
    /// subject, and the log is never changed: personal data in it could never be erased (design 7).
    /// Sealing all of it would need a subject for it too, and postgres-es could not read it.
    pub fn declare_no_personal_data(self) -> Self {
        Self { foreign_is_not_personal: true, ..self }
    }

    pub(super) fn stream(&self, stream_type: &'static str, id: &str) -> Result<StreamName, PersistenceError> {
        let id = id.parse().map_err(|error| PersistenceError::UnknownError(Box::new(error)))?;
        Ok(StreamName { organization: self.organization, stream_type, id })
    }

    pub(super) async fn append(&self, write: StreamWrite, metadata: Vec<u8>) -> Result<(), AppendError> {
        let append = Append {
            organization: self.organization,
            actor: self.actor,
            metadata: metadata.into(),
            writes: vec![write],
            claims: Vec::new(),
            releases: Vec::new(),
            command: None,
        };
        crate::store::append(self.store.as_ref(), append).await.map(drop)
    }

    async fn serialized<A: cqrs_es::Aggregate>(&self, id: &str) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let request = LoadRequest { stream: self.stream(A::TYPE, id)?, shape: 0, with_sealed: false };
        let loaded = self.store.load(request).await.map_err(persistence)?;
        loaded
            .events
            .into_iter()
            .map(|event| serialized(id, A::TYPE, event.version, event.event_type, event.schema_version, &event.payload))
            .collect()
    }

    fn new_event(&self, foreign: bool, event: &SerializedEvent) -> Result<NewEvent, PersistenceError> {
        let (event_type, schema_version, payload) = if !foreign {
            let envelope: Envelope = serde_json::from_value(event.payload.clone()).map_err(malformed)?;
            let payload = serde_json::to_vec(&envelope.payload).map_err(malformed)?;
            (stored_name(&envelope.event_type)?, envelope.schema_version, payload)
        } else if self.foreign_is_not_personal {
            let payload = foreign::seal(&event.event_version, &event.metadata.to_string(), &event.payload.to_string()).map_err(refused)?;
            (foreign::event_name(&event.event_type).map_err(refused)?, foreign::SCHEMA_VERSION, payload)
        } else {
            return Err(PersistenceError::UnknownError(
                "events of aggregates that are not of the domain have no declared classes: `declare_no_personal_data` first".into(),
            ));
        };
        Ok(NewEvent { id: EventId(Uuid::now_v7()), event_type, schema_version, effective_at: None, payload, sealed: Vec::new() })
    }
}

fn refused(error: ForeignError) -> PersistenceError {
    PersistenceError::UnknownError(Box::new(error))
}

fn serialized(
    id: &str,
    stream_type: &str,
    version: i64,
    event_type: String,
    schema: u16,
    payload: &[u8],
) -> Result<SerializedEvent, PersistenceError> {
    if schema == foreign::SCHEMA_VERSION {
        let event = foreign::open(payload).map_err(malformed)?;
        let (id, stream_type) = (id.to_owned(), stream_type.to_owned());
        return Ok(SerializedEvent::new(id, version as usize, stream_type, event_type, event.event_version, event.payload, event.metadata));
    }
    let payload = serde_json::from_slice(payload).map_err(malformed)?;
    let payload = serde_json::to_value(Envelope { event_type: event_type.clone(), schema_version: schema, payload }).map_err(malformed)?;
    let metadata = Value::Object(serde_json::Map::new());
    Ok(SerializedEvent::new(id.to_owned(), version as usize, stream_type.to_owned(), event_type, schema.to_string(), payload, metadata))
}

pub(super) fn malformed(error: serde_json::Error) -> PersistenceError {
    PersistenceError::DeserializationError(Box::new(error))
}

pub(super) fn persistence(error: AppendError) -> PersistenceError {
    match error {
        AppendError::WrongVersion { .. } => PersistenceError::OptimisticLockError,
        AppendError::Unavailable(_) => PersistenceError::ConnectionError(Box::new(error)),
        other => PersistenceError::UnknownError(Box::new(other)),
    }
}

/// Stored names are static in the port and owned in cqrs-es: they are looked up in the catalogue.
fn stored_name(event_type: &str) -> Result<&'static str, PersistenceError> {
    let spec = palmares_domain::registry::event_catalogue().find(|spec| spec.name == event_type);
    spec.map(|spec| spec.name)
        .ok_or_else(|| PersistenceError::UnknownError(format!("no event of the catalogue is named `{event_type}`").into()))
}

impl PersistedEventRepository for Repository {
    async fn get_events<A: cqrs_es::Aggregate>(&self, id: &str) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.serialized::<A>(id).await
    }

    async fn get_last_events<A: cqrs_es::Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let events = self.serialized::<A>(id).await?;
        Ok(events.into_iter().filter(|event| event.sequence > last_sequence).collect())
    }

    async fn get_snapshot<A: cqrs_es::Aggregate>(&self, _id: &str) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    async fn persist<A: cqrs_es::Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot_update: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        if snapshot_update.is_some() {
            return Err(PersistenceError::UnknownError("snapshots are the store's own affair: use `new_event_store`".into()));
        }
        let Some(first) = events.first() else { return Ok(()) };
        let foreign = foreign::is_foreign(A::TYPE);
        let stream = self.stream(if foreign { foreign::type_name(A::TYPE).map_err(refused)? } else { A::TYPE }, &first.aggregate_id)?;
        // What is foreign carries its metadata itself: they are not those of an admission.
        let metadata = if foreign { b"{}".to_vec() } else { serde_json::to_vec(&first.metadata).map_err(malformed)? };
        let write = StreamWrite {
            stream,
            expected_version: first.sequence as i64 - 1,
            handle: None,
            events: events.iter().map(|event| self.new_event(foreign, event)).collect::<Result<_, PersistenceError>>()?,
        };
        self.append(write, metadata).await.map_err(persistence)
    }

    async fn stream_events<A: cqrs_es::Aggregate>(&self, id: &str) -> Result<ReplayStream, PersistenceError> {
        let events = self.serialized::<A>(id).await?;
        let (mut feed, stream) = ReplayStream::new(REPLAY_PAGE);
        tokio::spawn(async move {
            for event in events {
                if feed.push(Ok(event)).await.is_err() {
                    return;
                }
            }
        });
        Ok(stream)
    }

    /// Every event of the type in this organization, in the order of the log. An error reaches the
    /// reader: the replay never ends early and looks complete.
    async fn stream_all_events<A: cqrs_es::Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        let (mut feed, stream) = ReplayStream::new(REPLAY_PAGE);
        let repository = self.clone();
        tokio::spawn(async move {
            let mut position = 0;
            loop {
                let page = match repository.store.read_after(position, REPLAY_PAGE).await {
                    Ok(page) => page,
                    Err(error) => return drop(feed.push(Err(persistence(error))).await),
                };
                let Some(last) = page.last() else { return };
                position = last.position;
                for event in page {
                    if event.organization_id != repository.organization || event.stream.stream_type != A::TYPE {
                        continue;
                    }
                    let (id, version) = (event.stream.id.to_string(), event.stream.version);
                    let event = serialized(&id, A::TYPE, version, event.event_type, event.schema_version, event.payload.get().as_bytes());
                    if feed.push(event).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(stream)
    }
}
