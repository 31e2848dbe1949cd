//! What a superuser does to the log, with every trigger off: found, with the place.

use super::{Site, organization};
use palmares_domain::kernel::OrganizationId;
use palmares_projections::engine::sealing::audit::Wrong;
use sqlx::Executor;

/// A sealed log of two organizations, each with leaves in a whole tile and behind it.
async fn sealed() -> (Site, OrganizationId) {
    let site = Site::open().await;
    let (one, other) = (organization(), organization());
    for _ in 0..8 {
        site.append(one, 40).await;
        site.append(other, 5).await;
        site.seal().await.unwrap();
    }
    assert_eq!(site.audit().await.unwrap().findings, Vec::new());
    (site, one)
}

async fn position(site: &Site, organization: OrganizationId, index: i64) -> i64 {
    sqlx::query_scalar("SELECT position FROM events WHERE organization_id = $1 ORDER BY position OFFSET $2 LIMIT 1")
        .bind(organization.0)
        .bind(index)
        .fetch_one(&site.superuser)
        .await
        .unwrap()
}

/// Of each column one change, at the first leaf, in a whole tile, at a border and at the last leaf.
// covers: E-184
#[tokio::test]
async fn a_row_that_was_edited_is_found_with_its_index() {
    let (site, organization) = sealed().await;
    let edits = [
        (0, "payload = convert_to('{\"body\":\"other\"}', 'UTF8')"),
        (100, "metadata = convert_to('{ }', 'UTF8')"),
        (255, "actor_id = gen_random_uuid()"),
        (256, "recorded_at = recorded_at + interval '1 microsecond'"),
        (257, "effective_at = now()"),
        (300, "event_type = event_type || 's'"),
        (301, "schema_version = 2"),
        (302, "event_id = gen_random_uuid()"),
        (319, "version = version + 1000"),
    ];
    for (index, edit) in edits {
        let at = position(&site, organization, index).await;
        sqlx::raw_sql(&format!("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM events WHERE position = {at}"))
            .execute(&site.superuser)
            .await
            .unwrap();
        site.tamper(&format!("UPDATE events SET {edit} WHERE position = {at}")).await;
        let findings = site.audit().await.unwrap().findings;
        assert_eq!(findings.len(), 1, "{edit}: {findings:?}");
        let finding = &findings[0];
        assert_eq!(
            (finding.organization_id, finding.index as i64, finding.position, finding.wrong),
            (organization.0, index, at, Wrong::Changed),
            "{edit}"
        );
        site.tamper(&format!("DELETE FROM events WHERE position = {at}; INSERT INTO events SELECT * FROM kept")).await;
        assert_eq!(site.audit().await.unwrap().findings, Vec::new(), "as it was");
    }
}

// covers: E-184
#[tokio::test]
async fn a_row_that_was_deleted_is_found_with_its_index() {
    for index in [0, 130, 255, 256, 319] {
        let (site, organization) = sealed().await;
        let at = position(&site, organization, index).await;
        site.tamper(&format!("DELETE FROM events WHERE position = {at}")).await;
        let findings = site.audit().await.unwrap().findings;
        assert_eq!((findings.len(), findings[0].index as i64, findings[0].position, findings[0].wrong), (1, index, at, Wrong::Removed));
    }
}

/// Swapped with a neighbour, with a far one, and with one of another organization.
// covers: E-184
#[tokio::test]
async fn rows_that_were_swapped_are_found_with_the_first_of_them() {
    for (index, other) in [(10, 11), (3, 300), (255, 256)] {
        let (site, organization) = sealed().await;
        let (one, other) = (position(&site, organization, index).await, position(&site, organization, other).await);
        let swap = format!(
            "UPDATE events SET position = -1 WHERE position = {one};
             UPDATE events SET position = {one} WHERE position = {other};
             UPDATE events SET position = {other} WHERE position = -1"
        );
        site.tamper(&swap).await;
        let findings = site.audit().await.unwrap().findings;
        assert_eq!((findings.len(), findings[0].index as i64, findings[0].position, findings[0].wrong), (1, index, one, Wrong::Changed));
    }
    let (site, organization) = sealed().await;
    let at = position(&site, organization, 39).await;
    // The next event is the other organization's.
    let swap = format!(
        "UPDATE events SET position = -1 WHERE position = {at};
         UPDATE events SET position = {at} WHERE position = {at} + 1;
         UPDATE events SET position = {at} + 1 WHERE position = -1"
    );
    site.tamper(&swap).await;
    let findings = site.audit().await.unwrap().findings;
    let of_one = findings.iter().find(|finding| finding.organization_id == organization.0).unwrap();
    assert_eq!((findings.len(), of_one.index, of_one.position, of_one.wrong), (2, 39, at, Wrong::Removed));
}

/// Who changes the row and the tree has no key to sign the tree with.
// covers: E-184
#[tokio::test]
async fn a_tree_that_was_changed_with_the_row_is_not_the_one_that_was_signed() {
    let (site, organization) = sealed().await;
    let at = position(&site, organization, 70).await;
    let new: Vec<u8> = {
        site.tamper(&format!("UPDATE events SET payload = convert_to('{{}}', 'UTF8') WHERE position = {at}")).await;
        site.leaves(organization).await[70].0.to_vec()
    };
    let hex: String = new.iter().map(|byte| format!("{byte:02x}")).collect();
    site.tamper(&format!(
        "UPDATE proof_tiles SET hashes = overlay(hashes PLACING '\\x{hex}'::bytea FROM {} FOR 32) WHERE organization_id = '{}' AND level = 0",
        70 * 32 + 1,
        organization.0
    ))
    .await;
    let findings = site.audit().await.unwrap().findings;
    // Leaves 0 to 39 were signed by themselves, and 40 to 79 together with the one that was changed.
    assert_eq!((findings.len(), findings[0].index, findings[0].wrong), (1, 40, Wrong::Forged));
}

/// Neither the sealer nor the owner of the tables changes what is whole.
// covers: P-11, P-20, E-183, E-207
#[tokio::test]
async fn no_role_and_no_owner_changes_what_was_sealed_or_recorded() {
    let (site, _) = sealed().await;
    let owner = super::pool(&site.database.url, None).await;
    for table in ["events", "streams", "proof_tiles", "proof_checkpoints", "proof_keys", "proof_root_tiles", "proof_root_checkpoints"] {
        for statement in [format!("DELETE FROM {table}"), format!("TRUNCATE {table}")] {
            let refused = owner.execute(statement.as_str()).await.unwrap_err().to_string();
            assert!(refused.contains("is append-only"), "{statement}: {refused}");
        }
    }
    let refused = owner.execute("UPDATE proof_tiles SET hashes = hashes").await.unwrap_err().to_string();
    assert!(refused.contains("is append-only"), "{refused}");
    for role in ["palmares_reader", "palmares_committer", "palmares_projector", "palmares_relay"] {
        let role = super::pool(&site.database.url, Some(role)).await;
        for statement in [
            "UPDATE events SET payload = ''",
            "DELETE FROM events",
            "UPDATE proof_tiles SET level = 1",
            "DELETE FROM proof_tiles",
            "DELETE FROM proof_edges",
        ] {
            let refused = role.execute(statement).await.unwrap_err().to_string();
            assert!(refused.contains("permission denied"), "{statement}: {refused}");
        }
    }
}
