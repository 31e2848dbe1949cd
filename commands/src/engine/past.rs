//! What the log says of one stream: its state up to a position, and single events with what is personal in them.

use super::{Engine, Rejection, kind::StreamRef, load::place};
use crate::{
    privacy::{DataKeyName, sealing::open_event},
    store::{LoadRequest, StreamName},
};
use palmares_domain::kernel::{Aggregate, Event, OrganizationId, Purpose};
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

    /// The last event of a stream that `wanted` picks, and how many it picks. What is personal in it is open where it
    /// can still be read: an aggregate that does not decide on it keeps none of it.
    ///
    /// # Errors
    /// Where what is sealed beside the event is not what was sealed.
    pub async fn last_opened<A: Aggregate>(
        &self,
        organization: OrganizationId,
        id: impl Into<Uuid>,
        wanted: fn(&A::Event) -> bool,
    ) -> Result<Option<(u32, A::Event)>, Rejection> {
        let stream = StreamRef::of::<A>(organization, id);
        let found = self.store.load(LoadRequest { stream: stream.name, shape: 0, with_sealed: true }).await?;
        let (mut picked, mut last) = (0, None);
        for stored in &found.events {
            let event = A::Event::from_payload(&stored.event_type, stored.schema_version, &stored.payload).map_err(anyhow::Error::from)?;
            if wanted(&event) {
                picked += 1;
                last = Some((stored, event));
            }
        }
        let Some((stored, mut event)) = last else { return Ok(None) };
        open_event(&self.ring, place(stream, stored.id), &mut event, &stored.sealed).await.map_err(anyhow::Error::from)?;
        Ok(Some((picked, event)))
    }

    /// Whether what is sealed for a subject and purpose cannot be opened for now, and may be again.
    pub async fn is_hidden(&self, organization: OrganizationId, subject: impl Into<Uuid>, purpose: Purpose) -> Result<bool, Rejection> {
        let name = DataKeyName { organization, subject: subject.into(), purpose };
        Ok(self.ring.is_hidden(&name).await.map_err(anyhow::Error::from)?)
    }
}
