//! What a server of this system did not record is not signed: the database alone cannot make an event.

use super::{Site, organization, refusals::refusal};
use crate::support::{running::PALMARES, streams};
use palmares::cli::keys::KeyFiles;
use palmares_commands::{
    privacy::{MasterKey, key_store::SealedFileKeyStore},
    store::{
        self, StreamName,
        postgres::{VoucherKey, admit},
    },
};
use palmares_domain::kernel::OrganizationId;
use palmares_projections::engine::sealing::foreign;
use serde_json::{Value, json};
use uuid::Uuid;

/// One more event of a stream, in every column as the store would have written it.
const FORGE: &str = "
    WITH head AS (UPDATE log_head SET position = position + 1, recorded_at = clock_timestamp() RETURNING position, recorded_at)
    INSERT INTO events (position, organization_id, stream_key, version, event_id, actor_id, recorded_at, schema_version, event_type,
                        payload, metadata, voucher)
    SELECT head.position, e.organization_id, e.stream_key, e.version + 1, gen_random_uuid(), e.actor_id, head.recorded_at,
           e.schema_version, e.event_type, e.payload, e.metadata, e.voucher
    FROM head, LATERAL (SELECT * FROM events WHERE events.position < head.position ORDER BY position DESC LIMIT 1) e";

impl Site {
    /// Appends through another node, whose commits this process has to read from the log.
    async fn elsewhere(&self, organization: OrganizationId, count: usize) -> i64 {
        let stream = StreamName { organization, ..streams::stream() };
        store::append(&self.another_node().await, streams::append(stream, 0, count)).await.unwrap().position
    }
}

// covers: E-184
#[tokio::test]
async fn an_event_that_somebody_appends_as_the_store_would_is_not_signed() {
    let site = Site::open().await;
    let organization = organization();
    let ours = site.append(organization, 5).await;
    site.tamper(FORGE).await;
    // What was recorded before it is signed, and nothing behind it.
    let sealer = site.sealer();
    let why = refusal(sealer.seal_all().await);
    assert!(why.contains(&format!("the event at position {} was not recorded by a server of this system", ours + 1)), "{why}");
    assert_eq!(sealer.status().await.unwrap().sealed_position, ours);
    // Nor together with what a node appends behind it, and it is named alone.
    site.elsewhere(organization, 4).await;
    let why = refusal(site.seal().await);
    assert!(why.contains(&format!("the event at position {} was", ours + 1)), "{why}");
}

/// Between commit and seal, of what another process recorded: each column, a swap, a stream's name.
// covers: E-184
#[tokio::test]
async fn what_another_node_recorded_is_not_signed_once_it_was_changed() {
    let (one, other) = ("position = (SELECT max(position) FROM events) - 2", "position = (SELECT max(position) FROM events) - 1");
    let edits = [
        format!("UPDATE events SET payload = convert_to('{{\"body\":\"other\"}}', 'UTF8') WHERE {one}"),
        format!("UPDATE events SET metadata = convert_to('{{ }}', 'UTF8') WHERE {one}"),
        format!("UPDATE events SET actor_id = gen_random_uuid() WHERE {one}"),
        format!("UPDATE events SET event_id = gen_random_uuid() WHERE {one}"),
        format!("UPDATE events SET event_type = event_type || 's' WHERE {one}"),
        format!("UPDATE events SET schema_version = 2 WHERE {one}"),
        format!("UPDATE events SET effective_at = now() WHERE {one}"),
        format!("UPDATE events SET version = version + 1000 WHERE {one}"),
        format!("UPDATE events SET organization_id = gen_random_uuid() WHERE {one}"),
        "UPDATE streams SET id = gen_random_uuid()".to_owned(),
        "UPDATE events SET voucher = NULL".to_owned(),
        format!(
            "UPDATE events a SET payload = b.payload FROM events b WHERE a.{one} AND b.{other};
             UPDATE events SET payload = convert_to('{{\"body\":\"other\"}}', 'UTF8') WHERE {other}"
        ),
    ];
    let site = Site::open().await;
    let organization = organization();
    for edit in edits {
        let before = site.seal().await.unwrap();
        let last = site.elsewhere(organization, 5).await;
        site.tamper(&format!("DROP TABLE IF EXISTS kept, kept_streams; CREATE TABLE kept AS SELECT * FROM events WHERE position > {before}; CREATE TABLE kept_streams AS SELECT * FROM streams")).await;
        site.tamper(&edit).await;
        let why = refusal(site.seal().await);
        assert!(why.contains(&format!("the events at positions {} to {last} were", before + 1)), "{edit}: {why}");
        site.tamper(&format!(
            "DELETE FROM events WHERE position > {before}; INSERT INTO events SELECT * FROM kept;
             UPDATE streams SET id = k.id FROM kept_streams k WHERE k.key = streams.key"
        ))
        .await;
        assert_eq!(site.seal().await.unwrap(), last, "as it was: {edit}");
    }
}

/// A batch of more events than are read at a time is read whole.
#[tokio::test]
async fn a_batch_larger_than_a_page_is_signed() {
    let site = Site::open().await;
    let organization = organization();
    site.elsewhere(organization, 3).await;
    let last = site.elsewhere(organization, 9_000).await;
    assert_eq!(site.seal().await.unwrap(), last);
    assert_eq!(site.audit().await.unwrap().findings, Vec::new());
}

/// Positions have no gaps, so it stays: somebody who holds the keys answers for it, as far as they say.
// covers: E-184
#[tokio::test]
async fn somebody_who_holds_the_keys_admits_what_nobody_vouches_for() {
    let site = Site::open().await;
    let organization = organization();
    let ours = site.append(organization, 2).await;
    for _ in 0..3 {
        site.tamper(FORGE).await;
    }
    site.tamper(&format!("UPDATE events SET voucher = NULL WHERE position > {ours}")).await;
    refusal(site.seal().await);
    let found = foreign(&site.log, &site.outside(), site.vouches()).await.unwrap().unwrap();
    assert_eq!(found.span(), (ours + 1, ours + 3));
    let connect = || site.database.url.parse().unwrap();
    admit(connect(), &site.voucher_key, &found.0[..2], "a repair").await.unwrap();
    let why = refusal(site.seal().await);
    assert!(why.contains(&format!("the event at position {} was", ours + 3)), "{why}");
    assert!(admit(connect(), &site.voucher_key, &found.0[..2], "again").await.is_err(), "answered for before");
    admit(connect(), &site.voucher_key, &found.0[2..], "another repair").await.unwrap();
    assert_eq!(site.seal().await.unwrap(), ours + 3);
    assert!(foreign(&site.log, &site.outside(), site.vouches()).await.unwrap().is_none());
    let last = site.elsewhere(organization, 2).await;
    assert_eq!(site.seal().await.unwrap(), last);
    assert_eq!(site.audit().await.unwrap().findings, Vec::new());
}

/// Who writes to the database writes admissions too, and has no key to make one good.
#[tokio::test]
async fn an_admission_without_the_key_admits_nothing() {
    let site = Site::open().await;
    let ours = site.append(organization(), 2).await;
    site.tamper(FORGE).await;
    site.tamper(&format!("INSERT INTO log_admissions SELECT {ours} + 1, {ours} + 1, voucher, 'none' FROM events WHERE position = {ours}"))
        .await;
    assert!(refusal(site.seal().await).contains("was not recorded by a server of this system"));
}

/// As an operator does it, with the keys of the system.
#[tokio::test]
async fn the_operator_looks_at_it_and_decides() {
    let folder = std::env::temp_dir().join(format!("palmares-keys-{}", Uuid::now_v7().simple()));
    let keys = KeyFiles::ensure(&folder).unwrap();
    let store = SealedFileKeyStore::open(&keys.epochs, &MasterKey::read(&keys.master).unwrap()).unwrap();
    let site = Site::of(VoucherKey::of(&store).await.unwrap()).await;
    let run = async |more: &[&str]| {
        let mut command = tokio::process::Command::new(PALMARES);
        command.args(["admit", "--database-url", &site.database.url, "--log-checkpoint-file"]).arg(&site.outside);
        command.arg("--master-key-file").arg(&keys.master).arg("--key-dir").arg(&keys.epochs).args(more);
        let output = command.output().await.unwrap();
        let (told, failed) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code(), lines, failed)
    };
    let ours = site.append(organization(), 2).await;
    assert_eq!(run(&[]).await, (Some(0), vec![json!({ "event": "foreign", "events": 0 })], String::new()));
    site.tamper(FORGE).await;
    let (code, lines, _) = run(&[]).await;
    assert_eq!((code, lines.len(), &lines[0]["event"], &lines[0]["position"]), (Some(1), 1, &json!("foreign_event"), &json!(ours + 1)));
    let (code, _, failed) = run(&["--until", "99", "--reason", "a repair"]).await;
    assert!(code == Some(1) && failed.contains("--until takes a position"), "{failed}");
    assert!(run(&["--until", "3"]).await.2.contains("--reason"), "nobody answers for it without a reason");
    refusal(site.seal().await);
    let until = (ours + 1).to_string();
    assert_eq!(run(&["--until", &until, "--reason", "a repair"]).await.0, Some(0));
    assert_eq!(site.seal().await.unwrap(), ours + 1);
    std::fs::remove_dir_all(folder).unwrap();
}
