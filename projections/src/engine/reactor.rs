//! What reacts to events with effects: process managers, credit resolution, mail.
//!
//! Forward-only: a reactor is never rebuilt, because its effects cannot be taken back.

use super::projector::Delivered;
use async_trait::async_trait;
use palmares_domain::kernel::{CommandId, EventId, RecordedEvent, derive_uuid};
use uuid::Uuid;

/// Turns events into effects.
///
/// An event may be handed over again after a crash between its effect and the checkpoint. A
/// command that carries the id of [`command_id`] then gets its first answer, so that its effect is
/// still exactly once; an effect outside Palmares has to carry an id of its own that the other
/// side knows again.
#[async_trait]
pub trait Reactor: Send + Sync + 'static {
    /// The stable name: it is part of command ids.
    fn name(&self) -> &'static str;

    /// The event types it reacts to; empty means all of them.
    fn interests(&self) -> &'static [&'static str];

    /// Where it starts when it is new.
    fn start(&self) -> Start {
        Start::FirstEvent
    }

    /// Events in progress at the same time.
    fn concurrency(&self) -> usize {
        64
    }

    /// Events of one key are handled one after the other, in order.
    fn sequence_key(&self, event: &RecordedEvent) -> Uuid {
        event.stream.id
    }

    /// Whether the engine opens sealed fields into [`Delivered::opened`].
    fn opens_personal(&self) -> bool {
        false
    }

    async fn react(&self, event: &Delivered) -> Result<(), ReactError>;
}

/// Where a new reactor starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Everything that ever happened concerns it.
    FirstEvent,
    /// Only what happens from now on does: nobody wants mail about last year.
    Now,
}

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum ReactError {
    /// Tried again, with growing pauses, until it works.
    #[error("{0}")]
    Transient(#[source] anyhow::Error),
    /// Parked with the error; everything else goes on.
    #[error("{0}")]
    Permanent(#[source] anyhow::Error),
}

/// The id of the command that `handler` sends because of `event`: the same each time, so that
/// the command is executed once. `index` tells several commands of one event apart.
pub fn command_id(event: EventId, handler: &str, index: u32) -> CommandId {
    CommandId(derive_uuid("reaction", &[event.0.as_bytes(), handler.as_bytes(), &index.to_be_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_id_depends_on_event_handler_and_index() {
        let event = EventId(Uuid::from_u128(1));
        assert_eq!(command_id(event, "points.resolver", 0), command_id(event, "points.resolver", 0));
        assert_ne!(command_id(event, "points.resolver", 0), command_id(event, "points.resolver", 1));
        assert_ne!(command_id(event, "points.resolver", 0), command_id(event, "points.other", 0));
    }
}
