use super::*;
use crate::store::{NewEvent, StreamName, StreamWrite};
use palmares_domain::kernel::{EventId, OrganizationId, UserId};

fn append(events: usize) -> Append {
    let stream = StreamName { organization: OrganizationId(Uuid::from_u128(1)), stream_type: "user", id: Uuid::from_u128(2) };
    let event = || NewEvent {
        id: EventId(Uuid::from_u128(3)),
        event_type: "test.happened",
        schema_version: 1,
        effective_at: None,
        payload: vec![7; 100],
        sealed: Vec::new(),
    };
    let events = (0..events).map(|_| event()).collect();
    Append {
        organization: stream.organization,
        actor: UserId(Uuid::from_u128(4)),
        metadata: Arc::from([]),
        writes: vec![StreamWrite { stream, expected_version: 0, handle: None, events }],
        claims: Vec::new(),
        releases: Vec::new(),
        command: None,
    }
}

fn keep(tail: &Tail, after: i64, events: &[usize]) {
    let appends: Vec<Append> = events.iter().map(|count| append(*count)).collect();
    tail.keep(Recorded::of(after, appends.iter()));
}

fn positions(tail: &Tail, after: i64) -> Vec<i64> {
    tail.entries(after).into_iter().map(|(_, entry)| entry.position).collect()
}

#[test]
fn what_was_committed_follows_without_a_gap() {
    let tail = Tail::new(1 << 20);
    keep(&tail, 10, &[2, 1]);
    keep(&tail, 13, &[1]);
    assert!(positions(&tail, 9).is_empty(), "position 10 is another node's, or older than what is kept");
    assert_eq!(positions(&tail, 10), [11, 12, 13, 14]);
    assert_eq!(positions(&tail, 12), [13, 14], "within a batch");
    assert!(positions(&tail, 14).is_empty());
    assert!(positions(&tail, 10).is_empty(), "what was behind is let go");
}

#[test]
fn it_ends_where_another_node_has_written() {
    let tail = Tail::new(1 << 20);
    keep(&tail, 0, &[2]);
    keep(&tail, 5, &[1]);
    assert_eq!(positions(&tail, 0), [1, 2]);
    assert!(positions(&tail, 2).is_empty());
    assert_eq!(positions(&tail, 5), [6]);
}

#[test]
fn positions_that_are_given_out_again_replace_what_was_there() {
    let tail = Tail::new(1 << 20);
    keep(&tail, 0, &[2]);
    keep(&tail, 2, &[3]);
    keep(&tail, 2, &[1]);
    assert_eq!(positions(&tail, 0), [1, 2, 3]);
}

#[test]
fn it_keeps_the_newest_within_its_bytes_and_nothing_before_somebody_asks() {
    let tail = Tail::new(10 * (size_of::<Recent>() + 100));
    assert!(!tail.is_wanted());
    (0..100).for_each(|after| keep(&tail, after, &[1]));
    assert!(positions(&tail, 80).is_empty());
    assert_eq!(positions(&tail, 90), (91..=100).collect::<Vec<_>>());
    assert!(tail.is_wanted());
    keep(&tail, 100, &[50]);
    assert!(positions(&tail, 100).is_empty(), "a batch over the whole bound is not kept");
    assert_eq!(tail.kept().bytes, 0);
}

#[test]
fn a_time_is_cut_to_the_microsecond_from_2000_as_its_column_does() {
    let at = |text: &str| stored(text.parse().unwrap()).0;
    assert_eq!(at("2000-01-01T00:00:00.000001999Z"), 946_684_800_000_001);
    assert_eq!(at("1999-12-31T23:59:59.999998001Z"), 946_684_799_999_999, "towards 2000");
    assert_eq!(at("2026-11-21T10:12:55.123456Z") % 1_000_000, 123_456);
}
