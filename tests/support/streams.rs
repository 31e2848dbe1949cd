//! Appends made by hand, for tests of the store itself.

use palmares_commands::store::{Append, Claim, ClaimKey, CommandRecord, EventStore, NewEvent, StreamName, StreamWrite};
use palmares_domain::kernel::{CommandId, EventId, OrganizationId, UserId};
use std::sync::Arc;
use uuid::Uuid;

pub fn stream() -> StreamName {
    StreamName { organization: OrganizationId(Uuid::now_v7()), stream_type: "user", id: Uuid::now_v7() }
}

pub fn event(body: &str) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        event_type: "test.happened",
        schema_version: 1,
        effective_at: None,
        payload: serde_json::to_vec(&serde_json::json!({ "body": body })).expect("JSON"),
        sealed: Vec::new(),
    }
}

/// An append of `count` events to a stream that the writer saw at `expected_version`.
pub fn append(stream: StreamName, expected_version: i64, count: usize) -> Append {
    let events = (0..count).map(|n| event(&format!("{n} after {expected_version}"))).collect();
    appends(vec![StreamWrite { stream, expected_version, handle: None, events }])
}

pub fn appends(writes: Vec<StreamWrite>) -> Append {
    Append {
        organization: writes[0].stream.organization,
        actor: UserId(Uuid::now_v7()),
        metadata: Arc::from(b"{}".as_slice()),
        writes,
        claims: Vec::new(),
        releases: Vec::new(),
        command: None,
    }
}

pub fn claim(organization: OrganizationId, name: &str, owner: Uuid) -> Claim {
    Claim::new(ClaimKey { organization, key: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()) }, owner)
}

pub fn command(answer: &str) -> CommandRecord {
    CommandRecord { id: CommandId(Uuid::now_v7()), request_hash: [7; 32], answer: answer.as_bytes().to_vec(), position: 0, version: 0 }
}

/// Every position and version in the log, in the order in which a follower sees them.
pub async fn follow(store: &dyn EventStore) -> Vec<(i64, Uuid, i64)> {
    let mut seen: Vec<(i64, Uuid, i64)> = Vec::new();
    loop {
        let last = seen.last().map_or(0, |(position, ..)| *position);
        let events = store.read_after(last, 100).await.expect("the log is read");
        if events.is_empty() {
            return seen;
        }
        seen.extend(events.into_iter().map(|event| (event.position, event.stream.id, event.stream.version)));
    }
}

/// Asserts that positions are 1..n and that each stream's versions are 1..n in that order.
pub fn assert_contiguous(log: &[(i64, Uuid, i64)]) {
    let mut versions = std::collections::HashMap::new();
    for (expected, (position, stream, version)) in (1..).zip(log) {
        assert_eq!(*position, expected, "positions are contiguous");
        let last = versions.entry(*stream).or_insert(0);
        *last += 1;
        assert_eq!(version, last, "versions of {stream} are contiguous");
    }
}
