//! From stored events to a state in memory, and from there to a snapshot.

use super::kind::{Change, State, StreamRef};
use super::size::Size;
use super::slots::{Entry, Loaded, Slot};
use super::{Engine, Rejection, vouched};
use crate::privacy::sealing::open_events;
use crate::privacy::{DataKeyName, EventPlace, PersonalFields, SealRequest, SealedEvent};
use crate::store::{LoadRequest, LoadedStream, NewEvent, Snapshot};
use palmares_domain::kernel::{EventId, Place, Purpose};

impl Engine {
    /// The state of a locked slot, loaded if it is not there.
    pub(super) async fn loaded<'e>(&self, entry: &'e mut Entry, slot: &Slot, stream: StreamRef) -> Result<&'e Loaded, Rejection> {
        if entry.loaded.is_none() {
            let with_sealed = stream.kind.decides_on.is_some();
            let request = LoadRequest { stream: stream.name, shape: stream.kind.shape, with_sealed };
            let loaded = self.fold(stream, self.store.load(request).await?).await?;
            slot.commit(loaded.version);
            slot.weigh(&loaded);
            self.slots.count(&stream.name);
            entry.loaded = Some(loaded);
        }
        entry.loaded.as_ref().ok_or_else(|| Rejection::Internal(anyhow::anyhow!("the state was not kept")))
    }

    async fn fold(&self, stream: StreamRef, found: LoadedStream) -> Result<Loaded, Rejection> {
        let mut size = Size::of(&found);
        let mut state = (stream.kind.fresh)();
        let mut version = 0;
        if let Some(snapshot) = &found.snapshot {
            let Some(state_of) = vouched::state(&self.ring, stream.name, snapshot).await else {
                return self.fold_from_the_beginning(stream).await;
            };
            match self.opened_snapshot(stream, snapshot.version, state_of).await? {
                Some(bytes) => state.restore(&bytes).map_err(anyhow::Error::from)?,
                // The key is destroyed: the events below it are as unreadable, and close the stream.
                None => return self.fold_from_the_beginning(stream).await,
            }
            version = snapshot.version;
        }
        let mut changes = Vec::with_capacity(found.events.len());
        for event in &found.events {
            changes.push((stream.kind.parse)(&event.event_type, event.schema_version, &event.payload)?);
        }
        if stream.kind.decides_on.is_some() {
            let mut sealed: Vec<SealedEvent<'_>> = changes
                .iter_mut()
                .zip(&found.events)
                .map(|(change, event)| SealedEvent { place: place(stream, event.id), event: fields(change), sealed: &event.sealed })
                .collect();
            open_events(&self.ring, &mut sealed).await.map_err(anyhow::Error::from)?;
        }
        changes.iter().for_each(|change| change.apply(state.as_mut()));
        version += changes.len() as i64;
        measure(&mut size, state.as_ref());
        Ok(Loaded { state, version, handle: found.handle, size })
    }

    async fn fold_from_the_beginning(&self, stream: StreamRef) -> Result<Loaded, Rejection> {
        // No snapshot has shape 0.
        let request = LoadRequest { stream: stream.name, shape: 0, with_sealed: true };
        let found = self.store.load(request).await?;
        Box::pin(self.fold(stream, LoadedStream { snapshot: None, ..found })).await
    }

    async fn opened_snapshot(&self, stream: StreamRef, version: i64, state: &[u8]) -> Result<Option<Vec<u8>>, Rejection> {
        let Some(purpose) = stream.kind.decides_on else { return Ok(Some(state.to_vec())) };
        let place = snapshot_place(stream, purpose, version);
        let opened = self.ring.open_many(&[(place, state)]).await.map_err(anyhow::Error::from)?;
        Ok(opened.into_iter().next().flatten().map(|bytes| bytes.to_vec()))
    }

    /// Counts events that the state has just evolved by, and gives the snapshot that they made due.
    pub(super) fn grow(&self, stream: StreamRef, slot: &Slot, loaded: &mut Loaded, events: &[NewEvent]) -> Option<Snapshot> {
        loaded.size.add(events.iter().map(|event| event.payload.len()));
        let mut due = None;
        if loaded.size.snapshot_is_due() {
            due = self.snapshot(stream, loaded.state.as_ref(), loaded.version);
            // One that could not be made is not tried again with each event.
            loaded.size.snapshot_taken(due.as_ref().map(|snapshot| snapshot.state.len()));
        }
        measure(&mut loaded.size, loaded.state.as_ref());
        slot.weigh(loaded);
        due
    }

    /// A snapshot, where it can be made without waiting: it is an optimisation, the next one will do.
    fn snapshot(&self, stream: StreamRef, state: &dyn State, version: i64) -> Option<Snapshot> {
        let clear = state.snapshot().inspect_err(|error| tracing::error!(%error, "a state cannot be written")).ok()?;
        let shape = stream.kind.shape;
        let Some(purpose) = stream.kind.decides_on else { return Some(Snapshot { version, shape, state: clear }) };
        let request = SealRequest { place: &snapshot_place(stream, purpose, version), clear: &clear };
        if !self.ring.is_open(&DataKeyName::of(request.place)) {
            return None;
        }
        let sealed = self.ring.try_seal_cached(&[request]).inspect_err(|error| tracing::error!(%error, "a snapshot cannot be sealed"));
        let sealed = sealed.ok().flatten()?.pop()?;
        Some(Snapshot { version, shape, state: sealed.ciphertext })
    }
}

/// Measures a state that may weigh much more than is known.
fn measure(size: &mut Size, state: &dyn State) {
    if size.is_vague() {
        match state.snapshot_bytes() {
            Ok(bytes) => size.measured(bytes),
            Err(error) => tracing::error!(%error, "a state cannot be written"),
        }
    }
}

pub(super) fn fields(change: &mut Box<dyn Change>) -> &mut dyn PersonalFields {
    change.as_mut()
}

pub(super) fn place(stream: StreamRef, event_id: EventId) -> EventPlace<'static> {
    let name = stream.name;
    EventPlace { organization: name.organization, stream_type: name.stream_type, stream_id: name.id, event_id }
}

/// Streams that decide on personal data are of one subject, whose id is the stream's.
fn snapshot_place(stream: StreamRef, purpose: Purpose, version: i64) -> Place {
    let name = stream.name;
    let container = format!("snapshot/{}/{version}", name.stream_type);
    Place { organization: name.organization, subject: name.id, purpose, container, id: name.id, field: "state".into() }
}
