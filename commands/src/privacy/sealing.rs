//! The personal fields of events: sealed before an append, opened again for the streams that decide
//! on them.

#[cfg(test)]
mod tests;

pub use crate::store::SealedBlob;

use super::{KeyRing, PrivacyError, SealRequest, Sealed};
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
    let fields = clear_fields(events)?;
    let sealed = if fields.is_empty() { Vec::new() } else { ring.seal_many(&requests(&fields)).await? };
    Ok(record(events, &fields, sealed))
}

/// As [`seal_events`], without waiting: `None`, and no event touched, where a key is not at hand.
pub fn try_seal_events(ring: &KeyRing, events: &mut [UnsealedEvent<'_>]) -> Result<Option<Vec<Vec<SealedBlob>>>, PrivacyError> {
    let fields = clear_fields(events)?;
    let sealed = ring.try_seal_cached(&requests(&fields))?;
    Ok(sealed.map(|sealed| record(events, &fields, sealed)))
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

/// A clear field: the n-th personal field of the n-th event.
struct ClearField {
    event: usize,
    ordinal: usize,
    name: &'static str,
    place: Place,
    clear: Zeroizing<Vec<u8>>,
}

fn clear_fields(events: &mut [UnsealedEvent<'_>]) -> Result<Vec<ClearField>, PrivacyError> {
    let mut fields = Vec::new();
    let mut failure = None;
    for (event, entry) in events.iter_mut().enumerate() {
        let mut ordinal = 0;
        let at = entry.place;
        entry.event.visit(&mut OnField(|name: &'static str, subject, purpose, value: &mut dyn Sealable| {
            match value.to_seal() {
                Some(Ok(clear)) => {
                    let (place, clear) = (at.field(name, subject, purpose), Zeroizing::new(clear));
                    fields.push(ClearField { event, ordinal, name, place, clear });
                }
                Some(Err(_)) => failure = Some(PrivacyError::NotSerialisable(name)),
                None => {}
            }
            ordinal += 1;
        }));
    }
    failure.map_or(Ok(fields), Err)
}

fn requests(fields: &[ClearField]) -> Vec<SealRequest<'_>> {
    fields.iter().map(|field| SealRequest { place: field.place.clone(), clear: &field.clear }).collect()
}

/// Sets the digests, and gives each event its ciphertexts.
fn record(events: &mut [UnsealedEvent<'_>], fields: &[ClearField], sealed: Vec<Sealed>) -> Vec<Vec<SealedBlob>> {
    let mut sealed = fields.iter().zip(sealed).peekable();
    let mut blobs = Vec::with_capacity(events.len());
    for (event, entry) in events.iter_mut().enumerate() {
        let mut of_event = Vec::new();
        let mut ordinal = 0;
        entry.event.visit(&mut OnField(|_, _, _, value: &mut dyn Sealable| {
            if let Some((field, sealed)) = sealed.next_if(|(field, _)| (field.event, field.ordinal) == (event, ordinal)) {
                value.set_sealed(sealed.digest);
                let Place { subject, purpose, .. } = field.place;
                of_event.push(SealedBlob { field: field.name, subject, purpose, ciphertext: sealed.ciphertext });
            }
            ordinal += 1;
        }));
        blobs.push(of_event);
    }
    blobs
}
