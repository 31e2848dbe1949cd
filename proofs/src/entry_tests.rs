use super::*;

fn entry() -> Entry {
    Entry {
        position: 7,
        organization_id: Id([1; 16]),
        stream_type: "account".to_owned(),
        stream_id: Id([2; 16]),
        version: 3,
        event_id: Id([3; 16]),
        event_type: "points.hold_placed".to_owned(),
        schema_version: 1,
        actor_id: Id([4; 16]),
        recorded_at: Instant(1_795_255_975_123_456),
        effective_at: None,
        metadata: BytesHash::of(b"{}"),
        payload: BytesHash::of(br#"{"points":40}"#),
    }
}

/// Written by hand from `docs/proofs.md`: whoever writes another verifier comes to these bytes.
#[test]
fn a_leaf_has_the_bytes_that_the_document_says() {
    let mut expected = vec![1];
    let mut field = |bytes: &[u8]| {
        expected.extend((bytes.len() as u32).to_be_bytes());
        expected.extend(bytes);
    };
    field(&[0, 0, 0, 0, 0, 0, 0, 7]);
    field(&[1; 16]);
    field(b"account");
    field(&[2; 16]);
    field(&[0, 0, 0, 0, 0, 0, 0, 3]);
    field(&[3; 16]);
    field(b"points.hold_placed");
    field(&[0, 1]);
    field(&[4; 16]);
    field(&1_795_255_975_123_456_i64.to_be_bytes());
    field(b"");
    field(&sha256(b"{}"));
    expected.extend(sha256(br#"{"points":40}"#));
    assert_eq!(entry().leaf(), expected);
    assert_eq!(Entry::from_leaf(&expected), Some(entry()));
    let dated = Entry { effective_at: Some(Instant(0)), ..entry() };
    assert_eq!(Entry::from_leaf(&dated.leaf()), Some(dated));
    for cut in 0..expected.len() {
        assert_eq!(Entry::from_leaf(&expected[..cut]), None, "{cut} bytes");
    }
}

/// Two entries that differ in one field have two leaves, also where a letter moves to the field beside it.
#[test]
fn every_field_changes_the_leaf() {
    let changed = [
        Entry { position: 8, ..entry() },
        Entry { organization_id: Id([9; 16]), ..entry() },
        Entry { stream_type: "accoun".to_owned(), ..entry() },
        Entry { stream_id: Id([9; 16]), ..entry() },
        Entry { version: 4, ..entry() },
        Entry { event_id: Id([9; 16]), ..entry() },
        Entry { event_type: "points.hold_place".to_owned(), ..entry() },
        Entry { schema_version: 2, ..entry() },
        Entry { actor_id: Id([9; 16]), ..entry() },
        Entry { recorded_at: Instant(1_795_255_975_123_457), ..entry() },
        Entry { effective_at: Some(Instant(0)), ..entry() },
        Entry { metadata: BytesHash::of(b"{ }"), ..entry() },
        Entry { payload: BytesHash::of(br#"{"points":41}"#), ..entry() },
    ];
    let hashes: std::collections::BTreeSet<_> = changed.iter().chain([&entry()]).map(Entry::hash).collect();
    assert_eq!(hashes.len(), changed.len() + 1);
}
