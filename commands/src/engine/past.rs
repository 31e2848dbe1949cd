//! States of the past: a stream folded up to a position.

use super::{Engine, Rejection};
use crate::store::{LoadRequest, StreamName};
use palmares_domain::kernel::{Aggregate, Event, OrganizationId};
use uuid::Uuid;

/// A state as it was, with the version of its stream then.
#[derive(Clone, Debug, Default)]
pub struct Past<A> {
    pub state: A,
    pub version: i64,
}

impl Engine {
    /// The state of an aggregate after the event at `position` of the log, from its stream alone.
    ///
    /// Aggregates that decide on personal data have no past here: their state is nobody's to show.
    pub async fn state_as_of<A: Aggregate>(
        &self,
        organization: OrganizationId,
        id: impl Into<Uuid>,
        position: i64,
    ) -> Result<Past<A>, Rejection> {
        const { assert!(A::DECIDES_ON_PERSONAL_DATA.is_none(), "its events cannot be folded while they are sealed") };
        let stream = StreamName { organization, stream_type: A::TYPE, id: id.into() };
        // No snapshot has shape 0: one might know more than the past did.
        let found = self.store.load(LoadRequest { stream, shape: 0, with_sealed: false }).await?;
        let mut past = Past { state: A::default(), version: 0 };
        for event in found.events.iter().take_while(|event| event.position <= position) {
            let event = A::Event::from_payload(&event.event_type, event.schema_version, &event.payload).map_err(anyhow::Error::from)?;
            past.state.evolve(&event);
            past.version += 1;
        }
        Ok(past)
    }
}
