//! What the sealer does not sign: another history than the one that it signed before.

use super::{Keys, Site, organization, root};
use palmares_projections::engine::sealing::{SealError, inspect};
use palmares_proofs::{Checkpoint, keys, note::Note};

pub(super) fn refusal(outcome: Result<i64, SealError>) -> String {
    match outcome {
        Err(SealError::Refused(why)) => why,
        other => panic!("sealed: {other:?}"),
    }
}

/// The whole database as it was before, trees and all: only the file outside it knows better.
const ROLL_BACK: &str = "
    DELETE FROM events WHERE position > 10;
    UPDATE log_head SET position = 10, incarnation = gen_random_uuid();
    DELETE FROM proof_checkpoints WHERE root_index > 0;
    DELETE FROM proof_root_checkpoints WHERE size > 1;
    UPDATE proof_log SET position = 10, root_size = 1;
    UPDATE proof_edges SET hashes = substr(hashes, 1, 320), positions = substr(positions, 1, 80);
    UPDATE proof_root_edges SET hashes = substr(hashes, 1, 32)";

// covers: E-184
#[tokio::test]
async fn a_database_that_was_rolled_back_is_not_signed() {
    let mut site = Site::open().await;
    let organization = organization();
    site.append(organization, 10).await;
    site.seal().await.unwrap();
    site.append(organization, 5).await;
    site.seal().await.unwrap();
    site.tamper(ROLL_BACK).await;
    let why = refusal(site.seal().await);
    assert!(why.contains("rolled back: 1 leaves"), "{why}");
    assert!(inspect(&site.log, &site.outside()).await.unwrap_err().to_string().contains("rolled back"), "the doctor says so");
    // Another history grows past the size that was signed: still another one.
    site.store = site.another_node().await;
    site.append(organization, 7).await;
    assert!(refusal(site.seal().await).contains("rolled back"));
    let kept = std::fs::read(&site.outside).unwrap();
    std::fs::remove_file(&site.outside).unwrap();
    site.seal().await.unwrap();
    site.append(organization, 1).await;
    site.seal().await.unwrap();
    std::fs::write(&site.outside, kept).unwrap();
    let why = refusal(site.seal().await);
    assert!(why.contains("another history"), "{why}");
}

/// A new incarnation that lost nothing is the same log: whoever pinned a checkpoint sees it extended.
#[tokio::test]
async fn a_new_incarnation_that_lost_nothing_goes_on_in_the_same_trees() {
    let site = Site::open().await;
    let organization = organization();
    site.append(organization, 3).await;
    site.seal().await.unwrap();
    sqlx::query("UPDATE log_head SET incarnation = gen_random_uuid()").execute(&site.superuser).await.unwrap();
    let last = site.append(organization, 4).await;
    assert_eq!(site.seal().await.unwrap(), last);
    let trusted = site.trusted().await;
    assert_eq!(site.checkpoint(organization, &trusted).await.root, root(&site.leaves(organization).await));
}

// covers: E-184
#[tokio::test]
async fn a_log_that_is_shorter_than_what_is_sealed_or_has_a_gap_is_not_signed() {
    let site = Site::open().await;
    let organization = organization();
    let last = site.append(organization, 10).await;
    site.seal().await.unwrap();
    site.append(organization, 3).await;
    site.tamper(&format!("DELETE FROM events WHERE position = {last} + 2")).await;
    let why = refusal(site.seal().await);
    assert!(why.contains(&format!("no event at position {}", last + 2)), "{why}");
    site.tamper("UPDATE log_head SET position = 4").await;
    let why = refusal(site.seal().await);
    assert!(why.contains("ends at position 4"), "{why}");
}

// covers: E-184
#[tokio::test]
async fn trees_that_are_not_those_that_were_signed_are_not_signed_again() {
    let site = Site::open().await;
    let organization = organization();
    site.append(organization, 10).await;
    site.seal().await.unwrap();
    site.append(organization, 1).await;
    let flip = "SET hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1)";
    site.tamper(&format!("UPDATE proof_edges {flip}")).await;
    assert!(refusal(site.seal().await).contains("is not the one that was signed last"));
    site.tamper(&format!("UPDATE proof_edges {flip}; UPDATE proof_root_edges {flip}")).await;
    assert!(refusal(site.seal().await).contains("the root log is not the one"));
    site.tamper(&format!("UPDATE proof_root_edges {flip}; UPDATE proof_root_checkpoints SET note = replace(note, E'\\n1\\n', E'\\n2\\n')"))
        .await;
    assert!(refusal(site.seal().await).contains("was not signed by this log"));
    site.tamper("UPDATE proof_root_checkpoints SET note = replace(note, E'\\n2\\n', E'\\n1\\n')").await;
    site.seal().await.unwrap();
}

/// Taken at its word, events would be signed twice, or never: no key could take that back.
// covers: E-184
#[tokio::test]
async fn a_place_in_the_log_that_was_moved_signs_nothing_twice_and_leaves_nothing_out() {
    let site = Site::open().await;
    let (one, other) = (organization(), organization());
    site.append(one, 300).await;
    let sealed = site.append(other, 7).await;
    site.seal().await.unwrap();
    let last = site.append(one, 12).await;
    for moved in [-300, -10, -1, 1, 5] {
        site.tamper(&format!("UPDATE proof_log SET position = {sealed} + {moved}")).await;
        let why = refusal(site.seal().await);
        assert!(why.contains(&format!("up to position {}, and its trees have {sealed} leaves", sealed + moved)), "{why}");
        assert!(matches!(site.audit().await, Err(SealError::Refused(_))), "so says whoever looks");
    }
    site.tamper(&format!("UPDATE proof_log SET position = {sealed}")).await;
    assert_eq!(site.seal().await.unwrap(), last);
    assert_eq!(site.audit().await.unwrap().findings, Vec::new());
}

#[tokio::test]
async fn the_checkpoint_of_another_log_is_not_overwritten() {
    let (site, another) = (Site::open().await, Site::open().await);
    for site in [&site, &another] {
        sqlx::query("UPDATE proof_log SET id = gen_random_uuid()").execute(&site.superuser).await.unwrap();
        site.append(organization(), 1).await;
        site.seal().await.unwrap();
    }
    std::fs::copy(&another.outside, &site.outside).unwrap();
    assert!(refusal(site.seal().await).contains("is of another log"));
    std::fs::write(&site.outside, "nonsense").unwrap();
    assert!(refusal(site.seal().await).contains("is no checkpoint"));
}

/// The key in use introduces the next one in the root log; whoever trusts the first trusts them all.
// covers: E-184
#[tokio::test]
async fn a_key_that_was_introduced_signs_and_another_one_does_not() {
    let site = Site::open().await;
    let organization = organization();
    site.append(organization, 2).await;
    site.seal().await.unwrap();

    site.keys.set(2, None);
    site.append(organization, 2).await;
    assert!(refusal(site.seal().await).contains("was not introduced"), "promoted before it was published");

    site.keys.set(1, Some(2));
    site.seal().await.unwrap();
    site.keys.set(2, None);
    site.append(organization, 2).await;
    site.seal().await.unwrap();
    site.keys.set(2, Some(3));
    site.append(organization, 1).await;
    site.seal().await.unwrap();

    let introductions: Vec<(String, i64)> =
        sqlx::query_as("SELECT introduction, root_index FROM proof_keys WHERE number > 0 ORDER BY number")
            .fetch_all(&site.superuser)
            .await
            .unwrap();
    let mut trusted = site.trusted().await;
    assert_eq!(introductions.len(), 2);
    for (introduction, _) in &introductions {
        assert!(trusted.introduce(introduction));
    }
    assert_eq!(site.checkpoint(organization, &trusted).await.size, 7);
    // Each is a leaf of the root log, at the number that it names.
    let checkpoints: Vec<(i64, String)> =
        sqlx::query_as("SELECT root_index, note FROM proof_checkpoints").fetch_all(&site.superuser).await.unwrap();
    let texts = checkpoints.into_iter().chain(introductions.into_iter().map(|(note, index)| (index, note)));
    let mut entries: Vec<(i64, String)> = texts.map(|(index, note)| (index, Note::parse(&note).unwrap().text)).collect();
    entries.sort();
    assert!(entries.iter().zip(0..).all(|((index, _), expected)| *index == expected));
    let leaves: Vec<_> = entries.iter().map(|(_, text)| palmares_proofs::NodeHash::of_leaf(text.as_bytes())).collect();
    let (signed, note) = Checkpoint::of_note(&site.outside().read().unwrap().unwrap()).unwrap();
    assert!(trusted.signed(&note, &keys::root_origin(&site.name().await)));
    assert_eq!(signed.root, root(&leaves));
    // Who lost the key in use cannot go on under a fresh one.
    let fresh = Keys::new(9, None);
    site.append(organization, 1).await;
    let sealer = palmares_projections::engine::sealing::Sealer::new(site.log.clone(), Default::default(), fresh, site.outside());
    assert!(refusal(sealer.seal_all().await).contains("was not introduced"));
}
