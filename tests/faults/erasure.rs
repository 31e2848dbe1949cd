//! Many people are erased while the server is killed, and nothing of them is found anywhere afterwards.

use super::{
    load::read_until,
    seeded,
    world::{Caller, Victim, World},
};
use crate::{
    contexts::code,
    support::running::{AUDIENCE, ISSUER},
};
use palmares::{
    pipeline::{Environment, TokenKeys},
    reactors::erasure::{Certificate, PURPOSE},
};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use palmares_projections::{challenges, compliance, engine::Projector, experts, identity, organizations, points};
use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Arc, time::Duration};

/// So many people are erased; `make faults` takes 200.
fn subjects() -> usize {
    std::env::var("FAULT_SUBJECTS").ok().map_or(20, |subjects| subjects.parse().expect("FAULT_SUBJECTS is a number"))
}

// covers: E-163, E-292
#[test]
fn nothing_of_whom_was_erased_is_found_anywhere_and_a_rebuild_is_what_was_purged() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

/// Somebody who will be erased.
struct Subject {
    id: String,
    request: String,
}

async fn run(mut world: World) {
    let mark = format!("canary{:016x}", seeded("erasure").random::<u64>());
    let descriptor = world.descriptor();
    let (admin, officer) = (
        Caller::new(&world.base_url, &descriptor.tokens.organization_admin),
        Caller::new(&world.base_url, &descriptor.tokens.compliance_officer),
    );
    let keys = token_keys(&world);
    let mint = |user: &str| {
        let user = UserId(user.parse().expect("an id"));
        keys.mint(user, descriptor.organization_id, [Role::Member], Duration::from_secs(3600)).expect("a token")
    };
    // What is not personal is found by the same search: the search can fail.
    let control = format!("control-of-{mark}").replace("canary", "c");
    let program = post(&admin, "/points/programs", json!({ "name": control })).await["id"].as_str().expect("an id").to_owned();
    let mut people = Vec::new();
    for n in 0..subjects() {
        people.push(subject(&admin, &officer, &format!("{mark}{n}"), &program, |user| Caller::new(&world.base_url, &mint(user))).await);
    }

    // A month later they are hidden, another month later erased, with a kill on the way.
    world.ahead(31);
    all_become(&officer, &people, "SOFT_DELETED").await;
    let hidden = |user: &Value| user["status"] == "SOFT_DELETED" && user["external_ref"].is_null() && user["email"].is_null();
    read_until(&admin, &format!("/users/{}", people[0].id), hidden).await;
    world.ahead(62);
    world.kill(Victim::Server);
    all_become(&officer, &people, "RETENTION_COUNTDOWN").await;

    let mut database = as_projector(&descriptor.database_url).await;
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;
    let purged = read_models(&mut database, until).await;
    assert_nothing_is_found(&world, &mark, &control).await;
    assert_certified(&officer, &keys, &people, descriptor.organization_id).await;
    rebuild_all(&Caller::new(&world.base_url, &descriptor.tokens.platform_admin), &mut database).await;
    let rebuilt = read_models(&mut database, until).await;
    for (name, rows) in &purged {
        assert_eq!(Some(rows), rebuilt.get(name), "{name} after a rebuild");
    }

    // When the last retention is over the subjects are purged.
    world.ahead(62 + 3700);
    all_become(&officer, &people, "PURGED").await;
    assert_eq!(get(&admin, &format!("/users/{}", people[0].id)).await["status"], "PURGED");
}

async fn post(caller: &Caller, path: &str, body: Value) -> Value {
    let response = caller.request(Method::POST, path).json(&body).send().await.expect("the server answers");
    let status = response.status();
    let body: Value = response.json().await.expect("JSON");
    assert!(status.is_success(), "{path}: {body}");
    body
}

async fn get(caller: &Caller, path: &str) -> Value {
    read_until(caller, path, Value::is_object).await
}

/// Makes somebody who leaves traces of every purpose, asks to be deleted, and is approved.
async fn subject(admin: &Caller, officer: &Caller, canary: &str, program: &str, caller: impl Fn(&str) -> Caller) -> Subject {
    let user = json!({
        "external_ref": canary, "role": "member", "display_name": format!("name {canary}"), "email": format!("{canary}@example.test"),
    });
    let id = post(admin, "/users", user).await["id"].as_str().expect("an id").to_owned();
    let own = caller(&id);
    let credit = json!({ "program_id": program, "user_id": id, "amount": 10, "reason": format!("for {canary}") });
    post(admin, "/points/credits", credit).await;
    let record = json!({
        "user_id": id, "source": "test", "source_record_id": canary, "metric": "steps", "value": 1234, "local_day": "2026-01-05", "time_zone": "Europe/Paris",
    });
    post(&own, "/activities", json!({ "items": [record] })).await;
    let secret = post(&own, "/me/mfa/totp", json!({})).await["secret"].as_str().expect("a secret").to_owned();
    post(&own, "/me/mfa/totp/confirm", json!({ "code": code(&secret, -1) })).await;
    let request = post(&own, "/deletion-requests", json!({ "user_id": id, "reason": format!("why {canary}") })).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    post(&own, &format!("/deletion-requests/{request}/verify"), json!({ "code": code(&secret, 0) })).await;
    post(officer, &format!("/deletion-requests/{request}/approve"), json!({})).await;
    Subject { id, request }
}

async fn all_become(officer: &Caller, people: &[Subject], status: &str) {
    for subject in people {
        read_until(officer, &format!("/deletion-requests/{}", subject.request), |request| request["status"] == status).await;
    }
}

fn token_keys(world: &World) -> Arc<TokenKeys> {
    let pem = fs::read_to_string(world.data_dir.join("keys/jwt.pem")).expect("the key that signs tokens");
    let keys = TokenKeys::from_pems(ISSUER, AUDIENCE, [pem.as_str()]).expect("a key");
    Arc::new(keys.in_environment(Environment::development()))
}

/// A connection that sees every tenant's rows.
async fn as_projector(database_url: &str) -> PgConnection {
    let options: PgConnectOptions = database_url.parse().expect("a URL");
    PgConnection::connect_with(&options.options([("role", "palmares_projector")])).await.expect("the projector's role")
}

async fn assert_certified(officer: &Caller, keys: &TokenKeys, people: &[Subject], organization: OrganizationId) {
    for subject in people {
        let certificate = get(officer, &format!("/deletion-requests/{}/certificate", subject.request)).await;
        let text = certificate["certificate"].as_str().expect("a certificate");
        let said: Certificate = keys.unseal(PURPOSE, text).expect("it verifies");
        assert_eq!((said.organization_id, said.round, said.steps.len()), (organization, 1, 5));
        assert!(said.destroyed.len() == 3 && said.retained.len() == 2, "{said:?}");
    }
}

/// Looks through every file of the system, a dump of its database, and an export.
async fn assert_nothing_is_found(world: &World, mark: &str, control: &str) {
    let descriptor = world.descriptor();
    let dump = dump(&descriptor.database_url);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(holds(&dump, &hex(control)) || holds(&dump, control), "the dump is searched for what is in it");
    assert!(!holds(&dump, mark) && !holds(&dump, &hex(mark)), "a dump of the database names somebody who was erased");

    let export = Caller::new(&world.base_url, &descriptor.tokens.organization_admin).request(Method::GET, "/events");
    let export =
        export.header("Accept", "application/x-ndjson").send().await.expect("the server answers").bytes().await.expect("an export");
    assert!(holds(&export, control) && !holds(&export, mark), "an export names somebody who was erased");

    let (mut files, mut found) = (0, 0);
    for path in files_of(&world.data_dir).into_iter().chain([world.log_path()]) {
        let Ok(bytes) = fs::read(&path) else { continue };
        files += 1;
        found += usize::from(holds(&bytes, control));
        assert!(!holds(&bytes, mark) && !holds(&bytes, &hex(mark)), "{} names somebody who was erased", path.display());
    }
    assert!(files > 100 && found > 0, "{found} of {files} files hold what is not personal");
}

fn holds(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

fn files_of(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_of(&path)) } else { files.push(path) }
    }
    files
}

/// The tables of the log: what is personal stands nowhere else on the write side.
const OF_THE_LOG: [&str; 8] = ["streams", "events", "event_sealed", "claims", "commands", "snapshots", "data_keys", "client_contexts"];

fn dump(database_url: &str) -> Vec<u8> {
    let folder = std::env::var("PALMARES_POSTGRES_BIN").unwrap_or_else(|_| "/usr/lib/postgresql/15/bin".to_owned());
    let program = if Path::new(&folder).exists() { format!("{folder}/pg_dump") } else { "pg_dump".to_owned() };
    let mut dump = Command::new(program);
    dump.args(["--enable-row-security", "--role=palmares_committer", "--data-only", "--dbname", database_url]);
    dump.args(OF_THE_LOG.map(|table| format!("--table={table}")));
    let dumped = dump.output().expect("pg_dump runs");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    dumped.stdout
}

fn projectors() -> Vec<Arc<dyn Projector>> {
    let contexts = [
        organizations::projectors(),
        identity::projectors(),
        points::projectors(),
        challenges::projectors(),
        experts::projectors(),
        compliance::projectors(),
    ];
    contexts.into_iter().flatten().collect()
}

/// What grows with each look at the system: of these the rows are compared that were there.
const GROWING: [&str; 3] = ["compliance_audit_log", "compliance_subject_index", "identity_decisions"];

async fn head(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT position FROM log_head").fetch_one(database).await.expect("the head of the log")
}

/// Waits until every projection has seen what was recorded until then.
async fn all_reach(database: &mut PgConnection, until: i64) {
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

/// The rows of every read model, but for what is new with each fold: nonces and revisions.
async fn read_models(database: &mut PgConnection, until: i64) -> BTreeMap<String, String> {
    let mut models = BTreeMap::new();
    for projector in projectors() {
        for table in projector.tables() {
            let known = if GROWING.contains(table) { "position <= $1" } else { "$1 > 0" };
            let sql = format!(
                "SELECT coalesce(string_agg(row, E'\\n' ORDER BY row), '') FROM (
                    SELECT (to_jsonb(t) - 'revision' - 'sealed')::text AS row FROM {table} t WHERE {known}) rows"
            );
            let rows: String = sqlx::query_scalar(&sql).bind(until).fetch_one(&mut *database).await.expect("a read model");
            models.insert((*table).to_owned(), rows);
        }
    }
    models
}

/// Has every read model made anew, and waits until the new ones serve.
async fn rebuild_all(platform: &Caller, database: &mut PgConnection) {
    for projector in projectors() {
        let Some(table) = projector.tables().first() else { continue };
        let before = active(database, table).await;
        post(platform, &format!("/projections/{}/rebuild", projector.name()), json!({})).await;
        let deadline = std::time::Instant::now() + Duration::from_secs(120);
        while active(database, table).await == before {
            assert!(std::time::Instant::now() < deadline, "{} is not rebuilt in time", projector.name());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn active(database: &mut PgConnection, table: &str) -> String {
    let query = sqlx::query_scalar("SELECT active::text FROM projection_slots WHERE read_model = $1").bind(table.to_owned());
    query.fetch_one(database).await.expect("a slot")
}
