//! Whoever is erased is forgotten everywhere, but where a reason says otherwise.
//!
//! Nothing is listed that the catalogue of PostgreSQL knows: a table that a later migration adds, and that
//! may hold something of people, has to forget them or to say here why not.

use crate::{
    engine::erasure::Blind,
    support::servers::{self, Database},
};
use palmares::wiring::projectors;
use palmares_domain::{
    compliance::deletion_request::{DeletionEvent, DeletionSubject, SubjectErased},
    kernel::{DeletionRequestId, Event, EventId, OrganizationId, Purpose, RecordedEvent, StreamVersion, UserId, derive_uuid},
};
use palmares_projections::{
    compliance::ERASED,
    engine::{ApplyContext, Delivered, Projector, Slot},
};
use serde_json::value::RawValue;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// The read models that forget whoever is erased, and what of a row of theirs is emptied: nothing where the
/// row goes.
pub const FORGET: &[(&str, &[&str])] = &[
    ("challenges_activities", &[]),
    ("challenges_activity_days", &[]),
    // Points stand under the random id; what is sealed are scores of activities.
    ("challenges_leaderboards", &["sealed"]),
    ("compliance_subject_exports", &[]),
    ("experts_assignments", &[]),
    ("identity_invitations", &[]),
    ("identity_sessions", &[]),
    ("identity_signups", &[]),
    ("identity_user_import_rows", &["user_id", "role", "invitation_id", "read_position", "read_event_id"]),
    ("identity_user_names", &[]),
    ("identity_users", &["external_ref_hash", "email_hash", "email_position", "email_event_id"]),
    ("operations_presence", &[]),
    ("recognition_team_members", &[]),
];

const OF_POINTS: &str = "tax law: what was earned and spent, under the random id";
const TO_ACCOUNT: &str = "the organization has to show that it did what was asked (GDPR, article 5, paragraph 2), under the random id";
const WHO_ACTED: &str = "who did it, by the random id, is what the log of audit is for";
const OF_THE_LOG: &str = "the log: random ids stay, and what is personal is unreadable, and deleted by the eraser";
const OF_NO_PERSON: &str = "the ids are of no people";

/// The tables that may hold something of people and forget nobody, each with its reason.
const KEEP: &[(&str, &str)] = &[
    ("challenges_leaderboard_changes", OF_NO_PERSON),
    ("checkpoints", OF_NO_PERSON),
    ("claims", "what somebody claimed is let go with the keys under which it was hashed"),
    ("client_contexts", OF_THE_LOG),
    ("commands", "an answer is an id and a status"),
    ("compliance_access_reviews", WHO_ACTED),
    ("compliance_anomalies", WHO_ACTED),
    ("compliance_anomaly_sightings", WHO_ACTED),
    ("compliance_audit_log", WHO_ACTED),
    ("compliance_audit_texts", "words of the log that are neither personal nor above INTERNAL"),
    ("compliance_breaches", WHO_ACTED),
    ("compliance_consents", TO_ACCOUNT),
    ("compliance_deletion_requests", TO_ACCOUNT),
    ("compliance_export_files", "deleted with the rows of the exports: see the test of it"),
    ("compliance_legal_holds", TO_ACCOUNT),
    ("compliance_retention_periods", WHO_ACTED),
    ("compliance_siem_cursors", OF_NO_PERSON),
    ("compliance_siem_streams", WHO_ACTED),
    ("compliance_subject_index", "by it a hold, and an export of what is still kept, find what is recorded of somebody"),
    ("compliance_subject_requests", TO_ACCOUNT),
    ("data_keys", "a destroyed key leaves its name, so that it cannot return"),
    ("event_sealed", OF_THE_LOG),
    ("events", OF_THE_LOG),
    ("hidden_subjects", OF_THE_LOG),
    ("identity_api_keys", WHO_ACTED),
    ("identity_decisions", WHO_ACTED),
    ("identity_elevations", WHO_ACTED),
    ("identity_policies", "whom a policy is about is part of its text, under the random id"),
    ("identity_user_imports", WHO_ACTED),
    ("key_changes", OF_THE_LOG),
    ("key_holds", OF_THE_LOG),
    ("log_admissions", "why an operator answered for events, of no person"),
    ("log_head", OF_NO_PERSON),
    ("message_key", OF_NO_PERSON),
    ("operations_analytics", OF_NO_PERSON),
    ("operations_standings", "where a random id stands, so that it is counted once; the purge moves it"),
    ("organizations_directory", OF_NO_PERSON),
    ("organizations_provisioning", OF_NO_PERSON),
    ("parked_events", "an event that could not be applied, by its stream"),
    ("points_balances", OF_POINTS),
    ("points_ledger_members", OF_POINTS),
    ("points_lots", OF_POINTS),
    ("points_statement", OF_POINTS),
    ("points_statement_balances", OF_POINTS),
    ("points_transactions", OF_POINTS),
    ("proof_log", OF_NO_PERSON),
    ("rebuild_requests", OF_NO_PERSON),
    ("snapshots", "the eraser deletes those of whoever is erased"),
    ("streams", OF_THE_LOG),
    ("timers", "what is due of a stream, by its id"),
];

/// Columns of ids, or of something that is not told by its type, of which it is known that they name nobody.
const NOT_OF_PEOPLE: &[&str] = &[
    "breach_id",
    "causation_id",
    "checks",
    "client_context_id",
    "consent_id",
    "correlation_id",
    "document_id",
    "elevation_id",
    "errors",
    "event_id",
    "export_id",
    "hashes",
    "hold_id",
    "import_id",
    "invitation_id",
    "key_id",
    "lot_id",
    "organization_id",
    "original_id",
    "policies",
    "policy_id",
    "positions",
    "program_id",
    "public",
    "record_id",
    "resource",
    "retained",
    "role_id",
    "rule_id",
    "session_id",
    "settings",
    "setup",
    "steps",
    "team_id",
    "template_id",
    "transaction_id",
];

/// Tables with the columns that may hold something of people, partitions left out.
const COLUMNS: &str = "
    SELECT regexp_replace(c.relname, '_slots$', ''), a.attname::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND format_type(a.atttypid, NULL) IN ('uuid', 'uuid[]', 'bytea', 'json', 'jsonb') AND c.relname <> '_sqlx_migrations'";

/// The columns of a table, with their types.
const SHAPE: &str = "
    SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'slot' ORDER BY attnum";

async fn projector_of(database: &Database) -> PgConnection {
    let options: PgConnectOptions = database.url.parse().unwrap();
    PgConnection::connect_with(&options.options([("role", "palmares_projector")])).await.unwrap()
}

// covers: E-163, E-182
#[tokio::test]
async fn every_table_that_may_hold_something_of_people_forgets_them_or_says_why_not() {
    let database = servers::database().await;
    let mut superuser = PgConnection::connect(&database.superuser_url).await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(COLUMNS).fetch_all(&mut superuser).await.unwrap();
    let names_nobody = |column: &str| NOT_OF_PEOPLE.contains(&column) || column.ends_with("_event_id");
    let found: BTreeSet<String> = columns.into_iter().filter(|(_, column)| !names_nobody(column)).map(|(table, _)| table).collect();
    let forget: BTreeSet<String> = FORGET.iter().map(|(table, _)| (*table).to_owned()).collect();
    let keep: BTreeSet<String> = KEEP.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert!(forget.is_disjoint(&keep));
    let said: BTreeSet<String> = forget.union(&keep).cloned().collect();
    assert_eq!(found.difference(&said).collect::<Vec<_>>(), [] as [&String; 0], "forget nobody, and do not say why");
    assert_eq!(said.difference(&found).collect::<Vec<_>>(), [] as [&String; 0], "are not there, or hold nothing of people");
}

/// Waits for nobody to list it: what is told of an erasure is what forgets.
#[test]
fn every_projector_that_is_told_of_erasures_has_a_table_that_forgets() {
    let told: BTreeSet<&str> =
        projectors().iter().filter(|projector| projector.interests().contains(&ERASED)).map(|projector| projector.name()).collect();
    let owners: BTreeSet<&str> = FORGET.iter().map(|(table, _)| owner_of(table).name()).collect();
    assert_eq!(told, owners);
}

fn owner_of(table: &str) -> Arc<dyn Projector> {
    projectors().into_iter().find(|projector| projector.tables().contains(&table)).unwrap_or_else(|| panic!("nobody fills {table}"))
}

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(0xA));
const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(0xB));
const ALICE: UserId = UserId(Uuid::from_u128(0xA11CE));
const BOB: UserId = UserId(Uuid::from_u128(0xB0B));
const CAROL: UserId = UserId(Uuid::from_u128(0xCA501));
/// All rows that a test makes.
const PEOPLE: [(OrganizationId, UserId); 3] = [(ACME, ALICE), (ACME, BOB), (OTHER, CAROL)];

// covers: E-163
#[tokio::test]
async fn what_says_that_it_forgets_forgets_a_person_and_everybody_of_an_organization() {
    let database = servers::database().await;
    let mut connection = projector_of(&database).await;
    for (table, emptied) in FORGET {
        for (organization, user) in PEOPLE {
            insert(&mut connection, &format!("{table}_a"), organization, user).await;
        }
        let owner = owner_of(table);
        for (subject, left) in [(DeletionSubject::User(ALICE), &PEOPLE[1..]), (DeletionSubject::Organization(ACME), &PEOPLE[2..])] {
            let delivered = [erased(subject)];
            let mut tx = connection.begin().await.unwrap();
            let mut context = ApplyContext { tx: &mut tx, slot: Slot::A, keys: &Blind };
            owner.apply(&mut context, &delivered).await.unwrap_or_else(|error| panic!("{table}: {error}"));
            tx.commit().await.unwrap();
            let expected: BTreeSet<Uuid> = left.iter().map(|(_, user)| user.0).collect();
            assert_eq!(remembered(&mut connection, table, emptied).await, expected, "{table} after {subject:?}");
        }
    }
}

/// The sealed files are in no read model: they go with the rows that say whose they are.
#[tokio::test]
async fn the_files_of_exports_go_with_whose_they_are() {
    let database = servers::database().await;
    let mut connection = projector_of(&database).await;
    for (organization, user) in PEOPLE {
        insert(&mut connection, "compliance_subject_exports_a", organization, user).await;
        insert(&mut connection, "compliance_export_files", organization, user).await;
    }
    let owner = owner_of("compliance_subject_exports");
    for (subject, left) in [(DeletionSubject::User(ALICE), 2), (DeletionSubject::Organization(ACME), 1)] {
        let mut context = ApplyContext { tx: &mut connection, slot: Slot::A, keys: &Blind };
        owner.apply(&mut context, &[erased(subject)]).await.unwrap();
        let files: i64 = sqlx::query_scalar("SELECT count(*) FROM compliance_export_files").fetch_one(&mut connection).await.unwrap();
        assert_eq!(files, left, "{subject:?}");
    }
}

/// Who of the three is still told of by a table: by a row, or by what is not emptied of theirs.
async fn remembered(connection: &mut PgConnection, table: &str, emptied: &[&str]) -> BTreeSet<Uuid> {
    let full = if emptied.is_empty() {
        "true".to_owned()
    } else {
        emptied.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR ")
    };
    let rows: Vec<String> =
        sqlx::query_scalar(&format!("SELECT to_jsonb(t)::text FROM {table}_a t WHERE {full}")).fetch_all(connection).await.unwrap();
    let tells = |user: &UserId| rows.iter().any(|row| row.contains(&user.to_string()));
    PEOPLE.iter().filter(|(_, user)| tells(user)).map(|(_, user)| user.0).collect()
}

/// A row of somebody's, with something in each column.
async fn insert(connection: &mut PgConnection, table: &str, organization: OrganizationId, user: UserId) {
    let shape: Vec<(String, String)> = sqlx::query_as(SHAPE).bind(table).fetch_all(&mut *connection).await.unwrap();
    // A leaderboard of points has nothing sealed.
    let values: BTreeMap<&str, String> = shape
        .iter()
        .zip(1..)
        .filter(|((column, _), _)| column != "points")
        .map(|((column, of_type), n)| (column.as_str(), format!("'{}'::{of_type}", value(column, of_type, n, organization, user))))
        .collect();
    let (columns, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", "));
    sqlx::query(&sql).execute(connection).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

fn value(column: &str, of_type: &str, number: i64, organization: OrganizationId, user: UserId) -> String {
    match (column, of_type) {
        ("organization_id", _) => organization.to_string(),
        ("user_id", _) => user.to_string(),
        (_, "uuid") => derive_uuid(column, &[user.0.as_bytes()]).to_string(),
        (_, "text") => "steps".to_owned(),
        (_, "integer" | "bigint") => (number + i64::from(user == BOB) * 100).to_string(),
        (_, "timestamp with time zone" | "date") => "2026-01-05".to_owned(),
        (_, "boolean") => "false".to_owned(),
        (_, "bytea") => "\\x01".to_owned(),
        (_, "jsonb") => "[]".to_owned(),
        (_, array) if array.ends_with("[]") => "{}".to_owned(),
        (column, other) => panic!("{column} is of the type {other}, of which the test knows no value"),
    }
}

fn erased(subject: DeletionSubject) -> Delivered {
    let request_id = DeletionRequestId::of(subject.id());
    let event: DeletionEvent = SubjectErased { request_id, subject, purposes: Purpose::ALL.to_vec() }.into();
    let raw = |bytes: Vec<u8>| RawValue::from_string(String::from_utf8(bytes).unwrap()).unwrap();
    let recorded = RecordedEvent {
        position: 1000,
        id: EventId(Uuid::now_v7()),
        event_type: event.event_type().to_owned(),
        schema_version: event.schema_version(),
        stream: StreamVersion { stream_type: "deletion_request".to_owned(), id: request_id.0, version: 1 },
        organization_id: ACME,
        actor_id: Uuid::nil(),
        recorded_at: chrono::Utc::now(),
        effective_at: None,
        metadata: raw(b"{}".to_vec()),
        payload: raw(event.to_payload().unwrap()),
    };
    Delivered { event: Arc::new(recorded), opened: BTreeMap::new() }
}
