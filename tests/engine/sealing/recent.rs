//! The sealer beside the committer: what the process recorded itself is sealed from its memory.

use super::{Site, organization};
use crate::support::streams;
use palmares_commands::store::{self, NewEvent, StreamName, StreamWrite};
use palmares_domain::kernel::{OrganizationId, Purpose};
use palmares_projections::engine::sealing::{Sealer, audit::Wrong};
use uuid::Uuid;

impl Site {
    /// A sealer as a server has it that also takes commands.
    fn sealer_beside_the_committer(&self) -> Sealer {
        let tail = self.store.tail();
        // Nothing is kept before somebody asks.
        assert!(tail.entries(0).is_empty());
        self.sealer().with_recent(std::sync::Arc::new(move |after| tail.entries(after)))
    }
}

/// Events of every shape: dated to the nanosecond before and after 2000, with ciphertexts, of several
/// streams in one append.
async fn append_of_every_shape(site: &Site, organization: OrganizationId) -> i64 {
    let dated = |at: &str| Some(at.parse().unwrap());
    let blob = store::SealedBlob { field: "body", subject: Uuid::now_v7(), purpose: Purpose::Health, ciphertext: vec![7; 40] };
    let events = vec![
        streams::event("plain"),
        NewEvent { effective_at: dated("1969-07-20T20:17:40.123456789Z"), ..streams::event("before 1970") },
        NewEvent { effective_at: dated("1999-12-31T23:59:59.999999999Z"), ..streams::event("before 2000") },
        NewEvent { effective_at: dated("2026-11-21T10:12:55.999999999Z"), schema_version: 3, ..streams::event("after 2000") },
        NewEvent { sealed: vec![blob], ..streams::event("sealed") },
    ];
    let write =
        |events| StreamWrite { stream: StreamName { organization, ..streams::stream() }, expected_version: 0, handle: None, events };
    let writes = vec![write(events), write(vec![streams::event("another stream")])];
    store::append(&site.store, streams::appends(writes)).await.unwrap().position
}

// covers: E-184
#[tokio::test]
async fn what_is_sealed_from_memory_agrees_with_the_rows() {
    let site = Site::open().await;
    let (one, other, sealer) = (organization(), organization(), site.sealer_beside_the_committer());
    for count in [1, 300, 7] {
        append_of_every_shape(&site, one).await;
        let last = site.append(other, count).await;
        assert_eq!(sealer.seal_all().await.unwrap(), last);
    }
    assert_eq!(site.audit().await.unwrap().findings, Vec::new());
}

/// The leaf is of what was recorded, not of what somebody made of the row meanwhile.
// covers: E-184
#[tokio::test]
async fn a_row_that_is_changed_or_deleted_before_it_is_sealed_is_found() {
    for (sql, wrong) in [
        ("UPDATE events SET payload = convert_to('{\"body\":\"other\"}', 'UTF8') WHERE position =", Wrong::Changed),
        ("DELETE FROM events WHERE position =", Wrong::Removed),
    ] {
        let site = Site::open().await;
        let (organization, sealer) = (organization(), site.sealer_beside_the_committer());
        let last = site.append(organization, 5).await;
        site.tamper(&format!("{sql} {}", last - 1)).await;
        assert_eq!(sealer.seal_all().await.unwrap(), last);
        let findings = site.audit().await.unwrap().findings;
        assert_eq!(findings.len(), 1, "{sql}: {findings:?}");
        assert_eq!((findings[0].index, findings[0].wrong), (3, wrong), "{sql}");
    }
}

#[tokio::test]
async fn what_other_nodes_record_between_is_read_from_the_log() {
    let site = Site::open().await;
    let (organization, sealer) = (organization(), site.sealer_beside_the_committer());
    let there = site.another_node().await;
    let mut last = 0;
    for round in 0..4 {
        for count in [2, 3] {
            site.append(organization, count).await;
            let stream = StreamName { organization, ..streams::stream() };
            last = store::append(&there, streams::append(stream, 0, count + round)).await.unwrap().position;
        }
        assert_eq!(sealer.seal_all().await.unwrap(), last);
    }
    let found = site.audit().await.unwrap();
    assert_eq!((found.leaves as i64, found.findings), (last, Vec::new()));
}
