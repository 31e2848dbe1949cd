use super::*;
use crate::privacy::SealRequest;
use crate::privacy::data_keys::MemoryDataKeyTable;
use crate::privacy::key_store::MemoryKeyStore;
use palmares_domain::events;
use palmares_domain::kernel::{Personal, UserId};
use std::sync::Arc;

events! {
    /// Events with no, one and several personal fields.
    pub enum NoteEvent {
        NoteTaken = "test.note_taken" v 1 {
            user_id: UserId = internal,
            author_id: UserId = internal,
            text: Personal<String> = restricted of user_id for Health,
            points: i64 = internal,
            reason: Option<Personal<String>> = confidential of author_id for Hr,
        },
        NoteCounted = "test.note_counted" v 1 { count: i64 = internal },
    }
}

struct World {
    table: Arc<MemoryDataKeyTable>,
    ring: KeyRing,
    organization: OrganizationId,
    stream_id: Uuid,
    user: UserId,
    author: UserId,
}

impl World {
    fn new() -> Self {
        let table = Arc::new(MemoryDataKeyTable::default());
        let ring = KeyRing::new(Arc::new(MemoryKeyStore::default()), table.clone());
        let [organization, stream_id, user, author] = std::array::from_fn(|_| Uuid::now_v7());
        Self { table, ring, organization: OrganizationId(organization), stream_id, user: UserId(user), author: UserId(author) }
    }

    fn place(&self) -> EventPlace<'static> {
        let (organization, stream_id) = (self.organization, self.stream_id);
        EventPlace { organization, stream_type: "note", stream_id, event_id: EventId(Uuid::now_v7()) }
    }

    fn note(&self, text: &str, reason: Option<&str>) -> NoteEvent {
        let clear = |text: &str| Personal::Clear(text.to_owned());
        NoteTaken { user_id: self.user, author_id: self.author, text: clear(text), points: 5, reason: reason.map(clear) }.into()
    }
}

/// The event as it comes back from the log, with its rows.
fn recorded(event: &NoteEvent, blobs: &[SealedBlob]) -> (NoteEvent, Vec<(String, Vec<u8>)>) {
    let payload = event.to_payload().unwrap();
    let stored = NoteEvent::from_payload(event.event_type(), event.schema_version(), &payload).unwrap();
    (stored, blobs.iter().map(|blob| (blob.field.to_owned(), blob.ciphertext.clone())).collect())
}

fn texts(event: &NoteEvent) -> (Option<String>, Option<String>) {
    match event {
        NoteEvent::NoteTaken(note) => (note.text.clear().cloned(), note.reason.as_ref().and_then(Personal::clear).cloned()),
        NoteEvent::NoteCounted(_) => (None, None),
    }
}

fn both(text: &str, reason: &str) -> (Option<String>, Option<String>) {
    (Some(text.to_owned()), Some(reason.to_owned()))
}

#[tokio::test]
async fn a_sealed_event_is_written_without_clear_text_and_opens_again() {
    let world = World::new();
    let (place, mut event) = (world.place(), world.note("slept badly", Some("asked by HR")));
    assert!(event.to_payload().is_err(), "a clear field cannot be written");
    let blobs = seal_event(&world.ring, place, &mut event).await.unwrap();
    let owners: Vec<_> = blobs.iter().map(|blob| (blob.field, blob.subject, blob.purpose)).collect();
    assert_eq!(owners, [("text", world.user.0, Purpose::Health), ("reason", world.author.0, Purpose::Hr)]);
    assert_eq!(texts(&event), both("slept badly", "asked by HR"), "its holder still reads it");
    let payload = String::from_utf8(event.to_payload().unwrap()).unwrap();
    assert!(!payload.contains("slept") && payload.contains(&digest_of(&blobs[0].ciphertext).to_string()));

    let (mut stored, rows) = recorded(&event, &blobs);
    assert_eq!(texts(&stored), (None, None));
    assert_eq!(open_event(&world.ring, place, &mut stored, &rows).await.unwrap(), 0);
    assert_eq!(stored, event);
}

#[tokio::test]
async fn events_of_a_batch_get_their_own_rows() {
    let world = World::new();
    let (first_place, second_place, third_place) = (world.place(), world.place(), world.place());
    let (mut first, mut second, mut third) =
        (world.note("one", None), NoteEvent::from(NoteCounted { count: 1 }), world.note("three", Some("why")));
    let mut batch = [
        UnsealedEvent { place: first_place, event: &mut first },
        UnsealedEvent { place: second_place, event: &mut second },
        UnsealedEvent { place: third_place, event: &mut third },
    ];
    let blobs = seal_events(&world.ring, &mut batch).await.unwrap();
    assert_eq!(blobs.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 2]);

    let mut stored: Vec<_> = [&first, &second, &third].into_iter().zip(&blobs).map(|(event, blobs)| recorded(event, blobs)).collect();
    let mut batch: Vec<_> = stored
        .iter_mut()
        .zip([first_place, second_place, third_place])
        .map(|((event, sealed), place)| SealedEvent { place, event, sealed })
        .collect();
    assert_eq!(open_events(&world.ring, &mut batch).await.unwrap(), 0);
    let opened: Vec<_> = stored.into_iter().map(|(event, _)| event).collect();
    assert_eq!(opened, [first, second, third]);
}

#[tokio::test]
async fn the_fast_path_touches_no_event_without_every_key() {
    let world = World::new();
    let mut event = world.note("one", Some("why"));
    seal_event(&world.ring, world.place(), &mut world.note("so that one key is at hand", None)).await.unwrap();
    let mut batch = [UnsealedEvent { place: world.place(), event: &mut event }];
    assert!(try_seal_events(&world.ring, &mut batch).unwrap().is_none());
    assert!(event.to_payload().is_err(), "nothing was marked as sealed");

    seal_event(&world.ring, world.place(), &mut world.note("and the other", Some("too"))).await.unwrap();
    let place = world.place();
    let blobs = try_seal_events(&world.ring, &mut [UnsealedEvent { place, event: &mut event }]).unwrap().unwrap().remove(0);
    let (mut stored, rows) = recorded(&event, &blobs);
    assert_eq!(open_event(&world.ring, place, &mut stored, &rows).await.unwrap(), 0);
    assert_eq!(texts(&stored), both("one", "why"));
}

#[tokio::test]
async fn a_lost_row_or_key_leaves_its_field_sealed() {
    let world = World::new();
    let (place, mut event) = (world.place(), world.note("one", Some("why")));
    let blobs = seal_event(&world.ring, place, &mut event).await.unwrap();
    let (mut stored, rows) = recorded(&event, &blobs);
    assert_eq!(open_event(&world.ring, place, &mut stored, &rows[..1]).await.unwrap(), 1);
    assert_eq!(texts(&stored), (Some("one".to_owned()), None));

    world.table.lose(DataKeyName { organization: world.organization, subject: world.user.0, purpose: Purpose::Health });
    world.ring.evict(world.organization, world.user.0);
    let (mut stored, rows) = recorded(&event, &blobs);
    assert_eq!(open_event(&world.ring, place, &mut stored, &rows).await.unwrap(), 1);
    assert_eq!(texts(&stored), (None, Some("why".to_owned())));
}

#[tokio::test]
async fn rows_that_the_event_did_not_record_are_refused() {
    let world = World::new();
    let (place, mut event) = (world.place(), world.note("one", Some("why")));
    let blobs = seal_event(&world.ring, place, &mut event).await.unwrap();
    let (stored, rows) = recorded(&event, &blobs);

    let swapped = [(rows[0].0.clone(), rows[1].1.clone()), (rows[1].0.clone(), rows[0].1.clone())];
    let error = open_event(&world.ring, place, &mut stored.clone(), &swapped).await.unwrap_err();
    assert!(matches!(error, PrivacyError::DigestMismatch(at) if at.field == "text"));

    // The same bytes, digest and all, under another event or stream.
    let moved = [
        EventPlace { event_id: EventId(Uuid::now_v7()), ..place },
        EventPlace { stream_id: Uuid::now_v7(), ..place },
        EventPlace { stream_type: "diary", ..place },
    ];
    for elsewhere in moved {
        let error = open_event(&world.ring, elsewhere, &mut stored.clone(), &rows).await.unwrap_err();
        assert!(matches!(error, PrivacyError::NotAuthentic(_)));
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_named_but_not_quoted() {
    let world = World::new();
    let (place, mut event) = (world.place(), world.note("one", None));
    let clear = serde_json::to_vec(&["slept badly"]).unwrap();
    let at = place.field("text", world.user.0, Purpose::Health);
    let sealed = world.ring.seal_many(&[SealRequest { place: &at, clear: &clear }]).await.unwrap().remove(0);
    if let NoteEvent::NoteTaken(note) = &mut event {
        note.text = Personal::Sealed(sealed.digest);
    }
    let error = open_event(&world.ring, place, &mut event, &[("text".to_owned(), sealed.ciphertext)]).await.unwrap_err();
    assert!(matches!(error, PrivacyError::WrongType(_)));
    assert!(!format!("{error} {error:?}").contains("slept"));
}
