//! The port as the event store of cqrs-es.

use super::hosted::{Hosted, HostedEvent};
use super::repository::{Repository, malformed, persistence};
use crate::store::{LoadRequest, NewEvent, StreamHandle, StreamWrite};
use cqrs_es::persist::PersistenceError;
use cqrs_es::{AggregateContext, AggregateError, EventEnvelope};
use palmares_domain::kernel::{Aggregate, Event, EventId};
use std::collections::HashMap;
use std::marker::PhantomData;
use uuid::Uuid;

/// The port as the event store of cqrs-es, for aggregates of the domain: no detour over JSON values.
pub struct HostedStore<A> {
    repository: Repository,
    aggregate: PhantomData<fn() -> A>,
}

impl<A> HostedStore<A> {
    pub fn new(repository: Repository) -> Self {
        Self { repository, aggregate: PhantomData }
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }
}

/// An aggregate and where its next event goes.
pub struct HostedContext<A: Aggregate> {
    aggregate: Hosted<A>,
    id: String,
    version: i64,
    handle: Option<StreamHandle>,
    history: Vec<EventEnvelope<Hosted<A>>>,
}

impl<A: Aggregate> AggregateContext<Hosted<A>> for HostedContext<A> {
    fn aggregate(&mut self) -> &mut Hosted<A> {
        &mut self.aggregate
    }
}

impl<A: Aggregate> HostedStore<A> {
    async fn context(&self, id: &str) -> Result<HostedContext<A>, PersistenceError> {
        let stream = self.repository.stream(A::TYPE, id)?;
        let loaded = self.repository.store.load(LoadRequest { stream, shape: 0, with_sealed: false }).await.map_err(persistence)?;
        let mut context =
            HostedContext { aggregate: Hosted(A::default()), id: id.to_owned(), version: 0, handle: loaded.handle, history: Vec::new() };
        for event in loaded.events {
            let payload = A::Event::from_payload(&event.event_type, event.schema_version, &event.payload)
                .map_err(|error| PersistenceError::DeserializationError(Box::new(error)))?;
            context.aggregate.0.evolve(&payload);
            context.version = event.version;
            context.history.push(envelope(id, event.version, HostedEvent(payload), HashMap::new()));
        }
        Ok(context)
    }
}

fn envelope<A: Aggregate>(
    id: &str,
    version: i64,
    payload: HostedEvent<A::Event>,
    metadata: HashMap<String, String>,
) -> EventEnvelope<Hosted<A>> {
    EventEnvelope { aggregate_id: id.to_owned(), sequence: version as usize, payload, metadata }
}

impl<A: Aggregate> cqrs_es::EventStore<Hosted<A>> for HostedStore<A> {
    type AC = HostedContext<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<Hosted<A>>>, AggregateError<A::Error>> {
        Ok(self.context(id).await?.history)
    }

    async fn load_aggregate(&self, id: &str) -> Result<HostedContext<A>, AggregateError<A::Error>> {
        Ok(self.context(id).await?)
    }

    async fn commit(
        &self,
        events: Vec<HostedEvent<A::Event>>,
        context: HostedContext<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<Hosted<A>>>, AggregateError<A::Error>> {
        let new_event = |event: &HostedEvent<A::Event>| {
            Ok(NewEvent {
                id: EventId(Uuid::now_v7()),
                event_type: event.0.event_type(),
                schema_version: event.0.schema_version(),
                effective_at: event.0.effective_at(),
                payload: event.0.to_payload().map_err(malformed)?,
                sealed: Vec::new(),
            })
        };
        let write = StreamWrite {
            stream: self.repository.stream(A::TYPE, &context.id)?,
            expected_version: context.version,
            handle: context.handle,
            events: events.iter().map(new_event).collect::<Result<_, PersistenceError>>()?,
        };
        let bytes = serde_json::to_vec(&metadata).map_err(malformed)?;
        self.repository.append(write, bytes).await.map_err(persistence)?;
        let numbered = (context.version + 1..).zip(events);
        Ok(numbered.map(|(version, event)| envelope(&context.id, version, event, metadata.clone())).collect())
    }
}
