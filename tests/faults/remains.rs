//! What is left of somebody: in files, dumps and exports, and in the read models, before and after a rebuild.

use super::world::{Caller, World};
use crate::contracts::forgetting::FORGET;
use palmares::wiring::projectors;
use palmares_domain::kernel::OrganizationId;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    time::Duration,
};

/// A connection that sees every tenant's rows.
pub async fn as_projector(database_url: &str) -> PgConnection {
    let options: PgConnectOptions = database_url.parse().expect("a URL");
    PgConnection::connect_with(&options.options([("role", "palmares_projector")])).await.expect("the projector's role")
}

/// The read models of those that forget which tell of one of these people.
pub async fn telling_of(database: &mut PgConnection, people: &[String]) -> BTreeSet<&'static str> {
    let mut telling = BTreeSet::new();
    for (table, emptied) in FORGET {
        let full = emptied.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
        let full = if full.is_empty() { "true".to_owned() } else { full };
        let sql = format!("SELECT EXISTS (SELECT FROM {table} t WHERE ({full}) AND to_jsonb(t)::text LIKE ANY ($1))");
        let of: Vec<String> = people.iter().map(|id| format!("%{id}%")).collect();
        if sqlx::query_scalar(&sql).bind(of).fetch_one(&mut *database).await.expect("a read model") {
            telling.insert(*table);
        }
    }
    telling
}

/// Looks through every file of the system, a dump of its database, and an export.
pub async fn assert_nothing_is_found(world: &World, mark: &str, control: &str, exporter: &Caller) {
    assert_nothing_stands_in_clear(world, mark, control).await;
    let export = exporter.request(Method::GET, "/events");
    let export =
        export.header("Accept", "application/x-ndjson").send().await.expect("the server answers").bytes().await.expect("an export");
    assert!(holds(&export, control) && !holds(&export, mark), "an export names somebody who was erased");
}

/// What went with an erasure was let go in the log: nobody takes it for the work of somebody else.
pub fn assert_log_is_whole(world: &World) {
    let (is_whole, told) = world.verify_log();
    assert!(is_whole, "{told:?}");
}

/// Looks through every file of the system and a dump of its database. What PostgreSQL has in memory is written
/// out first, so that the files of its tables are what they come to.
pub async fn assert_nothing_stands_in_clear(world: &World, mark: &str, control: &str) {
    let superuser_url = superuser_url(world);
    let mut superuser = PgConnection::connect(&superuser_url).await.expect("the superuser");
    sqlx::query("CHECKPOINT").execute(&mut superuser).await.expect("a checkpoint");
    let dump = dump(&superuser_url);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(holds(&dump, &hex(control)) || holds(&dump, control), "the dump is searched for what is in it");
    assert!(!holds(&dump, mark) && !holds(&dump, &hex(mark)), "a dump of the database names somebody");

    let (mut files, mut found) = (0, 0);
    for path in files_of(&world.data_dir).into_iter().chain([world.log_path()]) {
        let Ok(bytes) = fs::read(&path) else { continue };
        files += 1;
        found += usize::from(holds(&bytes, control));
        assert!(!holds(&bytes, mark) && !holds(&bytes, &hex(mark)), "{} names somebody", path.display());
    }
    assert!(files > 100 && found > 0, "{found} of {files} files hold what is not personal");
}

pub fn holds(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

pub fn files_of(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_of(&path)) } else { files.push(path) }
    }
    files
}

/// What of an organization can still be opened, or is claimed: keys, ciphertexts beside events, addresses, and claims.
pub async fn left_of(world: &World, organization: OrganizationId) -> Vec<i64> {
    let mut superuser = PgConnection::connect(&superuser_url(world)).await.expect("the superuser");
    let mut left = Vec::new();
    for sql in LEFT {
        left.push(sqlx::query_scalar(sql).bind(organization.0).fetch_one(&mut superuser).await.expect("a count"));
    }
    left
}

const LEFT: [&str; 4] = [
    "SELECT count(*) FROM data_keys WHERE organization_id = $1 AND wrapped IS NOT NULL",
    "SELECT count(*) FROM event_sealed WHERE organization_id = $1",
    "SELECT count(*) FROM client_contexts WHERE organization_id = $1",
    "SELECT count(*) FROM claims WHERE organization_id = $1",
];

/// Every event by which days of an organization were closed, with all that is recorded of it in clear.
pub async fn closings(world: &World, organization: OrganizationId) -> Vec<String> {
    let mut superuser = PgConnection::connect(&superuser_url(world)).await.expect("the superuser");
    let sql = "SELECT concat_ws(' ', actor_id, convert_from(payload, 'UTF8'), convert_from(metadata, 'UTF8')) FROM events
        WHERE organization_id = $1 AND event_type = 'challenges.days_closed' ORDER BY position";
    sqlx::query_scalar(sql).bind(organization.0).fetch_all(&mut superuser).await.expect("events")
}

/// Who sees every row of every table.
pub fn superuser_url(world: &World) -> String {
    let owner: PgConnectOptions = world.descriptor().database_url.parse().expect("a URL");
    let state = fs::read(world.data_dir.join("embedded.json")).expect("the state of the system");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    let password = state["superuser_password"].as_str().expect("a password");
    format!("postgres://postgres:{password}@127.0.0.1:{}/palmares?sslmode=disable", owner.get_port())
}

pub fn dump(database_url: &str) -> Vec<u8> {
    let folder = std::env::var("PALMARES_POSTGRES_BIN").unwrap_or_else(|_| "/usr/lib/postgresql/15/bin".to_owned());
    let program = if Path::new(&folder).exists() { format!("{folder}/pg_dump") } else { "pg_dump".to_owned() };
    let mut dump = Command::new(program);
    dump.args(["--data-only", "--dbname", database_url]);
    let dumped = dump.output().expect("pg_dump runs");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    dumped.stdout
}

/// What grows with each look at the system: of these the rows are compared that were there.
const GROWING: [&str; 3] = ["compliance_audit_log", "compliance_subject_index", "identity_decisions"];

pub async fn head(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT position FROM log_head").fetch_one(database).await.expect("the head of the log")
}

/// Waits until every projection has seen what was recorded until then.
pub async fn all_reach(database: &mut PgConnection, until: i64) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let query = sqlx::query_scalar("SELECT min(position) FROM checkpoints WHERE active AND kind = 'projector'");
        let reached: i64 = query.fetch_one(&mut *database).await.expect("the checkpoints");
        if reached >= until {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "a projection stands at {reached}, before {until}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The rows of every read model, of one organization where one is named, but for what is new with each fold:
/// nonces and revisions.
pub async fn read_models(database: &mut PgConnection, until: i64, of: Option<OrganizationId>) -> BTreeMap<String, String> {
    let mut models = BTreeMap::new();
    for projector in projectors() {
        for table in projector.tables() {
            let known = match *table {
                table if GROWING.contains(&table) => "position <= $1",
                "compliance_anomalies" => "raised_position <= $1",
                "compliance_audit_texts" => "text_id IN (SELECT l.text_id FROM compliance_audit_log l WHERE l.position <= $1)",
                _ => "$1 > 0",
            };
            let sql = format!(
                "SELECT coalesce(string_agg(row, E'\\n' ORDER BY row), '') FROM (
                    SELECT (to_jsonb(t) - 'revision' - 'sealed')::text AS row FROM {table} t
                    WHERE {known} AND ($2::uuid IS NULL OR organization_id = $2)) rows"
            );
            let rows: String =
                sqlx::query_scalar(&sql).bind(until).bind(of.map(|of| of.0)).fetch_one(&mut *database).await.expect("a read model");
            models.insert((*table).to_owned(), rows);
        }
    }
    models
}

/// Has every read model made anew, and waits until the new ones serve.
pub async fn rebuild_all(platform: &Caller, database: &mut PgConnection) {
    for projector in projectors() {
        let Some(table) = projector.tables().first() else { continue };
        let before = active(database, table).await;
        platform.post(&format!("/projections/{}/rebuild", projector.name()), json!({})).await;
        let deadline = std::time::Instant::now() + Duration::from_secs(120);
        while active(database, table).await == before {
            assert!(std::time::Instant::now() < deadline, "{} is not rebuilt in time", projector.name());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let differing: Vec<String> = sqlx::query_scalar(
        "SELECT name || ': ' || compared FROM rebuild_requests WHERE compared IS NULL OR compared -> 'differences' <> '[]'",
    )
    .fetch_all(database)
    .await
    .expect("what the rebuilds found");
    assert!(differing.is_empty(), "what served was not what the log says: {differing:?}");
}

async fn active(database: &mut PgConnection, table: &str) -> String {
    let query = sqlx::query_scalar("SELECT active::text FROM projection_slots WHERE read_model = $1").bind(table.to_owned());
    query.fetch_one(database).await.expect("a slot")
}
