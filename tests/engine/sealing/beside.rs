//! What a superuser does to what stands beside the log: ciphertexts, keys and the root log.

use super::{Site, organization};
use crate::support::streams;
use palmares_commands::store::{self, NewEvent, SealedBlob, StreamName, StreamWrite};
use palmares_domain::kernel::{OrganizationId, Purpose};
use palmares_projections::engine::sealing::{Rounds, Unfit};
use palmares_proofs::entry::BytesHash;
use std::time::Duration;
use uuid::Uuid;

/// Somebody with two sealed fields, and somebody else with one; each with a key.
struct Sealed {
    site: Site,
    organization: OrganizationId,
    one: Uuid,
}

impl Sealed {
    async fn open() -> Self {
        let (site, organization, one, other) = (Site::open().await, organization(), Uuid::now_v7(), Uuid::now_v7());
        for (subject, name) in [(one, "ada"), (one, "lovelace"), (other, "grace")] {
            let stream = StreamName { organization, ..streams::stream() };
            let ciphertext = format!("sealed {name}").into_bytes();
            let digest: String = BytesHash::of(&ciphertext).0.iter().map(|byte| format!("{byte:02x}")).collect();
            let payload = serde_json::json!({ "user_id": subject, "name": { "sealed": digest } });
            let sealed = vec![SealedBlob { field: "name", subject, purpose: Purpose::Profile, ciphertext }];
            let events = vec![NewEvent { payload: payload.to_string().into_bytes(), sealed, ..streams::event("") }];
            let write = StreamWrite { stream, expected_version: 0, handle: None, events };
            store::append(&site.store, streams::appends(vec![write])).await.unwrap();
            site.tamper(&format!(
                "INSERT INTO data_keys (organization_id, subject_id, purpose, epoch, wrapped)
                 VALUES ('{}', '{subject}', 'profile', 1, '\\x00') ON CONFLICT DO NOTHING",
                organization.0
            ))
            .await;
        }
        site.seal().await.unwrap();
        let sealed = Self { site, organization, one };
        assert_eq!(sealed.site.beside().await, []);
        sealed
    }
}

// covers: E-184
#[tokio::test]
async fn a_ciphertext_that_was_changed_moved_or_deleted_is_found_with_its_event() {
    let sealed = Sealed::open().await;
    let changed = sealed.site.after(&["event_sealed"], "UPDATE event_sealed SET ciphertext = '\\x01' WHERE position = 2").await;
    assert_eq!(changed, [(Unfit::SealedAltered, Some(2), None)]);
    let moved = "UPDATE event_sealed SET ciphertext = (SELECT ciphertext FROM event_sealed WHERE position = 2) WHERE position = 3";
    assert_eq!(sealed.site.after(&["event_sealed"], moved).await, [(Unfit::SealedAltered, Some(3), None)]);
    let deleted = sealed.site.after(&["event_sealed"], "DELETE FROM event_sealed WHERE position = 1").await;
    assert_eq!(deleted, [(Unfit::SealedGone, Some(1), None)]);
}

// covers: E-184
#[tokio::test]
async fn a_key_that_went_without_an_erasure_is_found_with_its_subject() {
    let sealed = Sealed::open().await;
    let (one, of_one) = (Some(sealed.one), format!("WHERE subject_id = '{}'", sealed.one));
    assert_eq!(sealed.site.after(&["data_keys"], &format!("DELETE FROM data_keys {of_one}")).await, [(Unfit::KeyGone, None, one)]);
    let ended = |at: &str| {
        format!("UPDATE data_keys SET epoch = NULL, wrapped = NULL, erasure_id = gen_random_uuid(), destroyed_at = {at} {of_one}")
    };
    assert_eq!(sealed.site.after(&["data_keys"], &ended("now() - interval '2 hours'")).await, [(Unfit::KeyEnded, None, one)]);
    assert_eq!(sealed.site.after(&["data_keys"], &ended("now()")).await, [], "an erasure is on record a little later than it is done");
    // With the erasure on record it is in order, and so are the ciphertexts that went with the key.
    let stream = StreamName { organization: sealed.organization, stream_type: "deletion_request", ..streams::stream() };
    let payload = serde_json::json!({ "subject": { "user": sealed.one } }).to_string().into_bytes();
    let events = vec![NewEvent { event_type: "compliance.subject_erased", payload, ..streams::event("") }];
    let write = StreamWrite { stream, expected_version: 0, handle: None, events };
    store::append(&sealed.site.store, streams::appends(vec![write])).await.unwrap();
    sealed.site.seal().await.unwrap();
    let erased = format!("{}; DELETE FROM event_sealed {of_one}", ended("now() - interval '2 hours'"));
    assert_eq!(sealed.site.after(&["data_keys", "event_sealed"], &erased).await, []);
}

// covers: E-184
#[tokio::test]
async fn whoever_is_hidden_without_a_deletion_or_shown_after_one_is_found() {
    let (site, organization, one) = (Site::open().await, organization(), Uuid::now_v7());
    let stream = StreamName { organization, stream_type: "deletion_request", ..streams::stream() };
    let happens = async |expected_version: i64, event_type: &'static str| {
        let payload = serde_json::json!({ "subject": { "user": one } }).to_string().into_bytes();
        let events = vec![NewEvent { event_type, payload, ..streams::event("") }];
        let write = StreamWrite { stream, expected_version, handle: None, events };
        store::append(&site.store, streams::appends(vec![write])).await.unwrap();
    };
    let hide =
        |subject: Uuid| format!("INSERT INTO hidden_subjects (organization_id, subject_id) VALUES ('{}', '{subject}')", organization.0);
    happens(0, "compliance.subject_soft_deleted").await;
    // Two hours ago; whoever was deleted just now is hidden a little later.
    site.tamper("UPDATE events SET recorded_at = recorded_at - interval '2 hours'").await;
    site.seal().await.unwrap();
    assert_eq!(site.beside().await, [(Unfit::Shown, None, Some(one))]);
    site.tamper(&hide(one)).await;
    assert_eq!(site.beside().await, []);
    let other = Uuid::now_v7();
    assert_eq!(site.after(&["hidden_subjects"], &hide(other)).await, [(Unfit::Hidden, None, Some(other))]);
    // Restored, they are shown again a little later.
    happens(1, "compliance.subject_restored").await;
    site.seal().await.unwrap();
    assert_eq!(site.beside().await, []);
    site.tamper("DELETE FROM hidden_subjects").await;
    assert_eq!(site.beside().await, []);
}

/// Nobody has to ask: a worker does it each day.
// covers: E-184
#[tokio::test]
async fn the_whole_log_is_read_again_when_it_is_time_and_what_is_wrong_is_counted() {
    let sealed = Sealed::open().await;
    let site = &sealed.site;
    let after = |seconds| Rounds::new(site.log.clone(), site.outside(), Duration::from_secs(seconds));
    assert_eq!(after(3_600).make().await.unwrap(), Some(0), "it never was");
    site.tamper("UPDATE event_sealed SET ciphertext = '\\x01' WHERE position = 2; UPDATE events SET actor_id = gen_random_uuid() WHERE position = 3").await;
    assert_eq!(after(3_600).make().await.unwrap(), None, "not yet again");
    assert_eq!(after(0).make().await.unwrap(), Some(2));
    let status = site.sealer().status().await.unwrap();
    assert_eq!((status.findings, status.verified_at.is_some(), status.refusal), (Some(2), true, None));
    site.tamper("UPDATE proof_log SET position = 1").await;
    assert_eq!(after(0).make().await.unwrap(), Some(1), "not even the seal is right");
}

/// More entries than a tile has, so that one is whole.
// covers: E-184
#[tokio::test]
async fn an_entry_or_a_tile_of_the_root_log_that_was_changed_is_found() {
    let sealed = Sealed::open().await;
    for _ in 0..256 {
        sealed.site.append(sealed.organization, 1).await;
        sealed.site.seal().await.unwrap();
    }
    let deleted = sealed.site.after(&["proof_checkpoints"], "DELETE FROM proof_checkpoints WHERE root_index = 7").await;
    assert_eq!(deleted, [(Unfit::RootEntry, Some(7), None)]);
    let flipped = "UPDATE proof_root_tiles SET hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1)";
    // The file outside PostgreSQL is verified with the growing edge, and this tile is needed for nothing else.
    let found = sealed.site.after(&["proof_root_tiles"], flipped).await;
    assert_eq!(found, [(Unfit::RootTile, Some(0), None)]);
}
