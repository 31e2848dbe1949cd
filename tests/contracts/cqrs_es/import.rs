//! A table of postgres-es becomes streams of the log, and nobody who reads notices.

use super::customer::{Customer, TABLE, Vanilla};
use super::{facts, repository, through_the_view};
use crate::support::running::PALMARES;
use crate::support::servers::{self, Database};
use crate::support::streams;
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore, SerializedEvent};
use cqrs_es::{CqrsFramework, EventStore as _};
use palmares::cli::keys::KeyFiles;
use palmares_commands::organizations::slug_claim;
use palmares_commands::store::cqrs::import::{Import, Report, STATEMENTS, Source, Step};
use palmares_commands::store::cqrs::{Hosted, HostedStore, Repository};
use palmares_commands::store::memory::MemoryStore;
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use palmares_commands::store::{self, Append, Claim, EventStore};
use palmares_domain::kernel::{OrganizationId, UserId};
use palmares_domain::organizations::{
    Locale,
    organization::{CreateOrganization, Organization, OrganizationCommand},
};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

async fn open(database: &Database) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap())
}

fn organization() -> OrganizationId {
    OrganizationId(Uuid::now_v7())
}

/// Runs an import as the command does; the reasons are by the aggregate's id.
async fn import(store: Arc<dyn EventStore>, organization: OrganizationId, source: &Database) -> (Report, BTreeMap<String, String>) {
    let mut reasons = BTreeMap::new();
    let mut tell = |step: Step| {
        if let Step::Refused { aggregate, reason, .. } = step {
            reasons.insert(aggregate.aggregate_id, reason.to_string());
        }
    };
    let mut source = Source::open(&source.url, TABLE).await.unwrap();
    let import = Import { store, organization, actor: UserId(Uuid::now_v7()) };
    let report = import.run(&mut source, &mut tell).await.unwrap();
    (report, reasons)
}

fn counts(report: &Report) -> (u64, u64, u64) {
    (report.accepted, report.duplicate, report.refused)
}

async fn events(repository: &impl PersistedEventRepository, id: &str) -> Vec<SerializedEvent> {
    repository.get_events::<Customer>(id).await.unwrap()
}

#[tokio::test]
async fn an_imported_table_reads_through_the_view_as_it_did_from_itself_and_goes_on_from_there() {
    let (database, source) = (servers::database().await, servers::database().await);
    let vanilla = Vanilla::on(&source).await;
    let ids = [(); 3].map(|()| Uuid::now_v7().to_string());
    vanilla.rename(&ids[0], &["Ada", "Ada \\ \"Lovelace\"", "阿达"]).await;
    vanilla.rename(&ids[1], &["Blaise"]).await;
    vanilla.rename(&ids[2], &["Chien-Shiung", "Wu"]).await;

    let (store, organization) = (open(&database).await, organization());
    let (report, reasons) = import(store.clone(), organization, &source).await;
    assert_eq!((counts(&report), report.aggregates, report.position), ((6, 0, 0), 3, Some(6)), "{reasons:?}");
    let (theirs, view) = (vanilla.repository(), through_the_view(&database.url).await);
    let ours = Repository::new(store.clone(), organization, UserId(Uuid::now_v7())).declare_no_personal_data();
    for id in &ids {
        let original = events(&theirs, id).await;
        assert!(!original.is_empty() && original[0].event_version == "1.0");
        assert_eq!(events(&view, id).await, original);
        assert_eq!(events(&ours, id).await, original);
    }

    let (again, _) = import(store.clone(), organization, &source).await;
    assert_eq!((counts(&again), again.position), ((0, 6, 0), None));

    let cqrs = CqrsFramework::<Customer, _>::new(PersistedEventStore::new_event_store(ours.clone()), vec![], ());
    cqrs.execute(&ids[0], "Ada King".to_owned()).await.unwrap();
    let gone_on = events(&view, &ids[0]).await;
    assert_eq!(gone_on.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(gone_on[3].payload["CustomerRenamed"]["name"], "Ada King");

    // Where the old table goes on in another way, nobody can tell which is true.
    vanilla.rename(&ids[0], &["Countess"]).await;
    vanilla.rename(&ids[1], &["Pascal"]).await;
    let (diverged, reasons) = import(store, organization, &source).await;
    assert_eq!(counts(&diverged), (1, 3, 4));
    assert_eq!(reasons, BTreeMap::from([(ids[0].clone(), "sequence 4 is in the log already, with another content".to_owned())]));
    assert_eq!(events(&view, &ids[0]).await, gone_on);
    assert_eq!(events(&view, &ids[1]).await, events(&theirs, &ids[1]).await);
}

#[tokio::test]
async fn an_import_that_was_stopped_half_way_goes_on_and_records_nothing_twice() {
    let (database, source) = (servers::database().await, servers::database().await);
    let vanilla = Vanilla::on(&source).await;
    vanilla.fill(7, 2_000, 300).await;
    let (store, organization) = (open(&database).await, organization());
    let mut committed = store.committed();
    tokio::select! {
        biased;
        seen = committed.wait_for(|position| *position > 0) => drop(seen.unwrap()),
        _ = import(store.clone(), organization, &source) => panic!("the import was not stopped"),
    }
    // What was on its way is through when this is.
    store.submit(streams::append(streams::stream(), 0, 1)).await.unwrap().unwrap();
    let before = store.head().await.unwrap().position as u64 - 1;
    assert!(before > 0 && before < 14_000, "{before}");

    let (report, reasons) = import(open(&database).await, organization, &source).await;
    assert_eq!(counts(&report), (14_000 - before, before, 0), "{reasons:?}");
    let mut connection = PgConnection::connect(&database.superuser_url).await.unwrap();
    let whole =
        "SELECT count(*), min(version), max(version), count(DISTINCT version) FROM events WHERE schema_version = 0 GROUP BY stream_key";
    let streams: Vec<(i64, i64, i64, i64)> = sqlx::query_as(whole).fetch_all(&mut connection).await.unwrap();
    assert_eq!(streams, [(2_000, 1, 2_000, 2_000); 7]);
}

#[tokio::test]
async fn an_aggregate_that_is_not_sound_is_refused_whole_and_says_why() {
    let (database, source) = (servers::database().await, servers::database().await);
    let vanilla = Vanilla::on(&source).await;
    let good = Uuid::now_v7().to_string();
    vanilla.rename(&good, &["Ada"]).await;
    let large = format!("\"{}\"", "x".repeat(store::EVENT_MAX_BYTES));
    let unsound: &[(&str, &[i64], &str, &str, &str)] = &[
        ("Customer", &[1, 2, 4], "Renamed", "{}", "sequence 4 stands where 3 belongs"),
        ("Customer", &[0, 1], "Renamed", "{}", "sequence 0 stands where 1 belongs"),
        ("Customer", &[1], "Renamed", &large, "over the limit of 262144"),
        ("Customer", &[1], "Renamed", r#""\u0000""#, "U+0000"),
        ("Customer", &[1], "points.credited", "{}", "Palmares' own"),
        ("user", &[1], "Renamed", "{}", "Palmares' own"),
        ("two words", &[1], "Renamed", "{}", "letters, digits"),
    ];
    let mut expected = BTreeMap::new();
    for (aggregate_type, sequences, event_type, payload, reason) in unsound {
        let id = Uuid::now_v7().to_string();
        for sequence in *sequences {
            vanilla.insert(aggregate_type, &id, *sequence, event_type, payload).await;
        }
        expected.insert(id, *reason);
    }
    vanilla.insert("Customer", "customer-1", 1, "Renamed", "{}").await;
    expected.insert("customer-1".to_owned(), "not a UUID");

    let (report, reasons) = import(open(&database).await, organization(), &source).await;
    assert_eq!((counts(&report), report.aggregates), ((1, 0, 11), 9));
    assert_eq!(reasons.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (id, reason) in &expected {
        assert!(reasons[id].contains(reason), "{reason}: {}", reasons[id]);
    }
    let mut connection = PgConnection::connect(&database.superuser_url).await.unwrap();
    let recorded: Vec<String> = sqlx::query_scalar("SELECT id::text FROM streams").fetch_all(&mut connection).await.unwrap();
    assert_eq!(recorded, [good]);
}

#[tokio::test]
async fn aggregates_of_their_own_are_stored_only_by_who_says_that_they_hold_no_personal_data() {
    let undeclared = repository(Arc::new(MemoryStore::default()));
    let id = Uuid::now_v7().to_string();
    let cqrs = CqrsFramework::<Customer, _>::new(PersistedEventStore::new_event_store(undeclared.clone()), vec![], ());
    assert!(cqrs.execute(&id, "Ada".to_owned()).await.is_err());
    assert!(events(&undeclared, &id).await.is_empty());
    let declared = undeclared.declare_no_personal_data();
    let cqrs = CqrsFramework::<Customer, _>::new(PersistedEventStore::new_event_store(declared.clone()), vec![], ());
    cqrs.execute(&id, "Ada".to_owned()).await.unwrap();
    let stored = PersistedEventStore::<_, Customer>::new_event_store(declared);
    let mut context = stored.load_aggregate(&id).await.unwrap();
    assert_eq!(cqrs_es::AggregateContext::aggregate(&mut context).renamed, 1);
}

/// An organization as the API would have made it.
async fn create_organization(store: Arc<dyn EventStore>, slug: &str) -> OrganizationId {
    let (id, actor) = (organization(), UserId(Uuid::now_v7()));
    let hosted = HostedStore::<Organization>::new(Repository::new(store.clone(), id, actor));
    let create =
        CreateOrganization { organization_id: id, name: "Acme".into(), slug: slug.into(), default_locale: Locale::En, with_setup: false };
    let cqrs = CqrsFramework::<Hosted<Organization>, _>::new(hosted, vec![], ());
    cqrs.execute(&id.to_string(), (OrganizationCommand::Create(create), facts())).await.unwrap();
    let claims = vec![Claim::new(slug_claim(slug), id)];
    let metadata = Arc::from(b"{}".as_slice());
    let claim = Append { organization: id, actor, metadata, writes: vec![], claims, releases: vec![], command: None };
    store::append(store.as_ref(), claim).await.unwrap();
    id
}

#[tokio::test]
async fn the_command_imports_for_whoever_gives_their_word_and_says_what_became_of_the_events() {
    let (database, source) = (servers::database().await, servers::database().await);
    let vanilla = Vanilla::on(&source).await;
    vanilla.rename(&Uuid::now_v7().to_string(), &["Ada", "Lovelace"]).await;
    let id = create_organization(open(&database).await, "acme").await;
    let folder = std::env::temp_dir().join(format!("palmares-keys-{}", Uuid::now_v7().simple()));
    let keys = KeyFiles::ensure(&folder).unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(PALMARES);
        command.args(["import", "postgres-es", "--from", &source.url, "--table", TABLE, "--database-url", &database.url]);
        command.arg("--master-key-file").arg(&keys.master).arg("--key-dir").arg(&keys.epochs);
        let output = command.args(arguments).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, _, stderr) = run(&["--organization", "acme"]).await;
    assert!(code == Some(1) && stderr.contains("--payloads-hold-no-personal-data"), "{stderr}");
    let (code, _, stderr) = run(&["--organization", "nobody", "--payloads-hold-no-personal-data"]).await;
    assert!(code == Some(1) && stderr.contains("there is no organization `nobody`"), "{stderr}");
    for (organization, accepted, duplicate) in [("acme", 2, 0), (id.to_string().as_str(), 0, 2)] {
        let (code, stdout, stderr) = run(&["--organization", organization, "--payloads-hold-no-personal-data"]).await;
        assert_eq!(code, Some(0), "{stderr}");
        let report: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
        let told = (&report["event"], &report["accepted"], &report["duplicate"], &report["refused"], &report["organization_id"]);
        assert_eq!(told, (&"report".into(), &accepted.into(), &duplicate.into(), &0.into(), &id.to_string().into()));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The view has the columns of any table of postgres-es.
#[tokio::test]
async fn every_statement_of_the_import_fits_the_columns_of_postgres_es() {
    let database = servers::database().await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    for (name, sql) in STATEMENTS {
        let sql = sql.replace("{table}", "postgres_es_events").replace("{after}", ">");
        let prepared = sqlx::Executor::prepare(&mut connection, sql.as_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}
