//! The personal fields of events: sealed before an append, opened again for the streams that decide
//! on them.

#[cfg(test)]
mod tests;

pub use crate::store::SealedBlob;

use super::key_ring::Prepared;
use super::{DataKeyName, KeyRing, PrivacyError, Sealed};
use crate::digests::digest_of;
use palmares_domain::kernel::{Digest, Event, EventId, OrganizationId, PersonalVisitor, Place, Purpose, Sealable};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Which event it is: the part of a [`Place`] that its fields share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPlace<'a> {
    pub organization: OrganizationId,
    pub stream_type: &'a str,
    pub stream_id: Uuid,
    pub event_id: EventId,
}

impl EventPlace<'_> {
    fn field(&self, name: &str, subject: Uuid, purpose: Purpose) -> Place {
        Place::in_event(self.organization, (self.stream_type, self.stream_id), self.event_id, name, subject, purpose)
    }
}

/// An event seen without its type, so that events of several aggregates are sealed in one call.
pub trait PersonalFields: Send {
    fn visit(&mut self, visitor: &mut dyn PersonalVisitor);
}

impl<E: Event> PersonalFields for E {
    fn visit(&mut self, visitor: &mut dyn PersonalVisitor) {
        self.visit_personal(visitor);
    }
}

/// An event whose clear fields are to be sealed.
pub struct UnsealedEvent<'e> {
    pub place: EventPlace<'e>,
    pub event: &'e mut dyn PersonalFields,
}

/// A recorded event with the ciphertexts that stand beside it, by field.
pub struct SealedEvent<'e> {
    pub place: EventPlace<'e>,
    pub event: &'e mut dyn PersonalFields,
    pub sealed: &'e [(String, Vec<u8>)],
}

/// Seals the clear fields of every event and records their digests in it. The answer has one list
/// per event, in order.
pub async fn seal_events(ring: &KeyRing, events: &mut [UnsealedEvent<'_>]) -> Result<Vec<Vec<SealedBlob>>, PrivacyError> {
    let (names, clear) = clear_fields(events)?;
    let keys = if names.is_empty() { Vec::new() } else { ring.sealing_keys(&names).await? };
    seal_with(&keys, clear, events)
}

/// As [`seal_events`], without waiting: `None`, and no event touched, where a key is not at hand.
pub fn try_seal_events(ring: &KeyRing, events: &mut [UnsealedEvent<'_>]) -> Result<Option<Vec<Vec<SealedBlob>>>, PrivacyError> {
    let (names, clear) = clear_fields(events)?;
    ring.sealing_keys_at_hand(&names).map(|keys| seal_with(&keys, clear, events)).transpose()
}

/// Seals the clear fields of one event.
pub async fn seal_event<E: Event>(ring: &KeyRing, place: EventPlace<'_>, event: &mut E) -> Result<Vec<SealedBlob>, PrivacyError> {
    let mut blobs = seal_events(ring, &mut [UnsealedEvent { place, event }]).await?;
    Ok(blobs.pop().unwrap_or_default())
}

/// Opens the sealed fields of every event in place, and answers how many could not be opened
/// because their ciphertext or their key does not exist any more: those stay sealed.
///
/// A ciphertext that is not the one its event recorded, or that was moved, is an error.
pub async fn open_events(ring: &KeyRing, events: &mut [SealedEvent<'_>]) -> Result<usize, PrivacyError> {
    let mut fields = Vec::new();
    let mut unreadable = 0;
    for (event, entry) in events.iter_mut().enumerate() {
        let mut ordinal = 0;
        let (place, sealed) = (entry.place, entry.sealed);
        entry.event.visit(&mut OnField(|name: &'static str, subject, purpose, value: &mut dyn Sealable| {
            if let Some(digest) = value.sealed_digest() {
                match sealed.iter().find(|(field, _)| field == name) {
                    Some((_, ciphertext)) => {
                        fields.push((event, ordinal, digest, (place.field(name, subject, purpose), ciphertext.as_slice())))
                    }
                    None => unreadable += 1,
                }
            }
            ordinal += 1;
        }));
    }
    let mut items = Vec::with_capacity(fields.len());
    let mut at = Vec::with_capacity(fields.len());
    for (event, ordinal, digest, (place, ciphertext)) in fields {
        check(&place, ciphertext, digest)?;
        items.push((place, ciphertext));
        at.push((event, ordinal));
    }
    let opened = ring.open_many(&items).await?;
    let mut clear = at.iter().zip(&items).zip(&opened).peekable();
    let mut failure = None;
    for (event, entry) in events.iter_mut().enumerate() {
        let mut ordinal = 0;
        entry.event.visit(&mut OnField(|_, _, _, value: &mut dyn Sealable| {
            if let Some((((_, _), (place, _)), opened)) = clear.next_if(|((at, _), _)| **at == (event, ordinal)) {
                match opened.as_ref().map(|bytes| value.open(bytes)) {
                    Some(Ok(())) => {}
                    // The cause is left out: serde quotes the value that did not fit.
                    Some(Err(_)) => failure = Some(PrivacyError::WrongType(Box::new(place.clone()))),
                    None => unreadable += 1,
                }
            }
            ordinal += 1;
        }));
    }
    failure.map_or(Ok(unreadable), Err)
}

/// Opens the sealed fields of one event; see [`open_events`].
pub async fn open_event<E: Event>(
    ring: &KeyRing,
    place: EventPlace<'_>,
    event: &mut E,
    sealed: &[(String, Vec<u8>)],
) -> Result<usize, PrivacyError> {
    open_events(ring, &mut [SealedEvent { place, event, sealed }]).await
}

fn check(place: &Place, ciphertext: &[u8], recorded: Digest) -> Result<(), PrivacyError> {
    if digest_of(ciphertext) == recorded { Ok(()) } else { Err(PrivacyError::DigestMismatch(Box::new(place.clone()))) }
}

/// A visitor out of a closure.
struct OnField<F>(F);

impl<F: FnMut(&'static str, Uuid, Purpose, &mut dyn Sealable)> PersonalVisitor for OnField<F> {
    fn field(&mut self, name: &'static str, subject: Uuid, purpose: Purpose, value: &mut dyn Sealable) {
        (self.0)(name, subject, purpose, value);
    }
}

/// The clear fields of events as bytes, in their order, and the key of each.
type ClearFields = (Vec<DataKeyName>, Vec<Zeroizing<Vec<u8>>>);

fn clear_fields(events: &mut [UnsealedEvent<'_>]) -> Result<ClearFields, PrivacyError> {
    let (mut names, mut clear) = ClearFields::default();
    let mut failure = None;
    for entry in events.iter_mut() {
        let organization = entry.place.organization;
        entry.event.visit(&mut OnField(|name, subject, purpose, value: &mut dyn Sealable| match value.to_seal() {
            Some(Ok(bytes)) => {
                names.push(DataKeyName { organization, subject, purpose });
                clear.push(Zeroizing::new(bytes));
            }
            Some(Err(_)) => failure = Some(PrivacyError::NotSerialisable(name)),
            None => {}
        }));
    }
    failure.map_or(Ok((names, clear)), Err)
}

/// Sets the digests of the clear fields, and gives each event its ciphertexts.
fn seal_with(
    keys: &[Prepared],
    clear: Vec<Zeroizing<Vec<u8>>>,
    events: &mut [UnsealedEvent<'_>],
) -> Result<Vec<Vec<SealedBlob>>, PrivacyError> {
    let mut fields = keys.iter().zip(clear);
    let mut failure = None;
    let mut of_event = |entry: &mut UnsealedEvent<'_>| {
        let (at, mut blobs) = (entry.place, Vec::new());
        entry.event.visit(&mut OnField(|field: &'static str, subject, purpose, value: &mut dyn Sealable| {
            let Some((key, clear)) = value.is_clear().then(|| fields.next()).flatten() else { return };
            match key.seal(&at.field(field, subject, purpose), &clear) {
                Ok(Sealed { ciphertext, digest }) => {
                    value.set_sealed(digest);
                    blobs.push(SealedBlob { field, subject, purpose, ciphertext });
                }
                Err(error) => failure = Some(error),
            }
        }));
        blobs
    };
    let blobs = events.iter_mut().map(&mut of_event).collect();
    failure.map_or(Ok(blobs), Err)
}
