//! Deciders of the domain as aggregates of cqrs-es, which the domain itself does not know.

use cqrs_es::{DomainEvent, event_sink::EventSink};
use palmares_domain::kernel::{Aggregate, Event, Facts};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A decider of the domain as an aggregate of cqrs-es.
#[derive(Clone, Default)]
pub struct Hosted<A>(pub A);

impl<A: Aggregate> Serialize for Hosted<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, A: Aggregate> Deserialize<'de> for Hosted<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        A::deserialize(deserializer).map(Hosted)
    }
}

/// An event of the domain as cqrs-es stores it: name and version travel with the payload.
#[derive(Clone, Debug)]
pub struct HostedEvent<E>(pub E);

#[derive(Serialize, Deserialize)]
pub(super) struct Envelope {
    pub event_type: String,
    pub schema_version: u16,
    pub payload: Value,
}

impl<E: Event> HostedEvent<E> {
    fn envelope(&self) -> serde_json::Result<Envelope> {
        let payload = serde_json::from_slice(&self.0.to_payload()?)?;
        Ok(Envelope { event_type: self.0.event_type().to_owned(), schema_version: self.0.schema_version(), payload })
    }
}

impl<E: Event> Serialize for HostedEvent<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.envelope().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, E: Event> Deserialize<'de> for HostedEvent<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let envelope = Envelope::deserialize(deserializer)?;
        let payload = serde_json::to_vec(&envelope.payload).map_err(serde::de::Error::custom)?;
        E::from_payload(&envelope.event_type, envelope.schema_version, &payload).map(HostedEvent).map_err(serde::de::Error::custom)
    }
}

impl<E: Event> PartialEq for HostedEvent<E> {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.0.to_payload(), other.0.to_payload()), (Ok(mine), Ok(theirs)) if mine == theirs)
            && self.0.event_type() == other.0.event_type()
    }
}

impl<E: Event> DomainEvent for HostedEvent<E> {
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }
    fn event_version(&self) -> String {
        self.0.schema_version().to_string()
    }
}

impl<A: Aggregate> cqrs_es::Aggregate for Hosted<A> {
    const TYPE: &'static str = A::TYPE;
    type Command = (A::Command, Facts);
    type Event = HostedEvent<A::Event>;
    type Error = A::Error;
    type Services = ();

    async fn handle(&mut self, (command, facts): Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), A::Error> {
        for event in self.0.decide(&command, &facts)? {
            sink.write(HostedEvent(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.0.evolve(&event.0);
    }
}
