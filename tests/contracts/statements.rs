//! Every SQL statement fits the migrated schema and the grants of the roles that run it.

use crate::support::servers::{self, Database};
use palmares::cli::migrate::MIGRATOR;
use palmares_commands::{privacy, store};
use palmares_projections::{
    challenges, compliance, engine, engine::Slot, experts, identity, operations, organizations, points, recognition,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Either, Executor, PgConnection, Statement};
use std::{collections::BTreeSet, path::Path};

async fn as_role(database: &Database, role: &str) -> PgConnection {
    let options: PgConnectOptions = database.url.parse().unwrap();
    PgConnection::connect_with(&options.options([("role", role)])).await.unwrap()
}

/// Prepares a statement and has it planned, which checks the grants without running anything.
async fn plan(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let parameters = match connection.prepare(sql).await?.parameters() {
        Some(Either::Left(types)) => types.len(),
        Some(Either::Right(count)) => count,
        None => 0,
    };
    let arguments = match parameters {
        0 => String::new(),
        count => format!("({})", vec!["NULL"; count].join(", ")),
    };
    connection.execute(sqlx::raw_sql(&format!("PREPARE planned AS {sql}"))).await?;
    let planned = connection.execute(sqlx::raw_sql(&format!("EXPLAIN EXECUTE planned{arguments}"))).await;
    connection.execute(sqlx::raw_sql("DEALLOCATE planned")).await?;
    planned.map(drop)
}

fn projections() -> Vec<(&'static str, &'static str)> {
    organizations::statements()
        .chain(identity::statements())
        .chain(points::statements())
        .chain(challenges::statements())
        .chain(experts::statements())
        .chain(recognition::statements())
        .chain(compliance::statements())
        .chain(operations::statements())
        .collect()
}

#[tokio::test]
async fn every_statement_of_a_slot_is_planned_as_the_projector_in_both_slots() {
    let database = servers::database().await;
    let mut projector = as_role(&database, "palmares_projector").await;
    let mut seen = 0;
    for (name, sql) in projections() {
        let slots = [Slot::A, Slot::B].map(|slot| slot.sql(sql));
        if slots[0] == slots[1] {
            continue;
        }
        seen += 1;
        for sql in slots {
            plan(&mut projector, &sql).await.unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
        }
    }
    assert!(seen > 15, "{seen}");
}

#[tokio::test]
async fn every_other_statement_of_a_context_is_planned_as_the_reader() {
    let database = servers::database().await;
    let mut reader = as_role(&database, "palmares_reader").await;
    let mut seen = 0;
    for (name, sql) in projections() {
        if Slot::A.sql(sql) == Slot::B.sql(sql) {
            seen += 1;
            plan(&mut reader, sql).await.unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
        }
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn what_stores_and_deletes_exports_is_planned_as_the_projector() {
    let database = servers::database().await;
    let mut projector = as_role(&database, "palmares_projector").await;
    for (name, sql) in compliance::subject_exports::FILE_STATEMENTS {
        plan(&mut projector, sql).await.unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
    }
}

/// The engine's statements are the projectors', the relay's or the readers', and one is of who serves the API.
#[tokio::test]
async fn every_statement_of_the_engine_is_planned_as_one_of_its_roles() {
    let database = servers::database().await;
    let mut roles = Vec::new();
    for role in ["palmares_projector", "palmares_relay", "palmares_reader", "palmares_committer"] {
        roles.push(as_role(&database, role).await);
    }
    for (name, sql) in engine::statements().chain(compliance::siem::CURSOR_STATEMENTS.iter().copied()) {
        let mut refused = Vec::new();
        for connection in &mut roles {
            refused.extend(plan(connection, sql).await.err().map(|error| error.to_string()));
        }
        assert!(refused.len() < roles.len(), "{name}: {refused:?}");
        assert!(refused.iter().all(|error| error.contains("permission denied")), "{name}: {refused:?}");
    }
}

#[tokio::test]
async fn every_statement_of_the_write_side_is_planned_as_the_committer() {
    let database = servers::database().await;
    let mut committer = as_role(&database, "palmares_committer").await;
    let privacy = [
        ("SELECT_DATA_KEYS", privacy::data_keys::postgres::SELECT_DATA_KEYS),
        ("DATA_KEYS_AFTER", privacy::data_keys::postgres::DATA_KEYS_AFTER),
        ("INSERT_DATA_KEYS", privacy::data_keys::postgres::INSERT_DATA_KEYS),
        ("SAMPLE_DATA_KEY", privacy::data_keys::postgres::SAMPLE_DATA_KEY),
        ("LAST_KEY_CHANGE", privacy::data_keys::postgres::LAST_KEY_CHANGE),
        ("KEY_CHANGES", privacy::data_keys::postgres::KEY_CHANGES),
        ("INSERT_CLIENT_CONTEXT", privacy::client_context::postgres::INSERT_CLIENT_CONTEXT),
        ("SELECT_CLIENT_CONTEXTS", privacy::client_context::postgres::SELECT_CLIENT_CONTEXTS),
    ];
    for (name, sql) in store::postgres::statements::ALL.iter().chain(&privacy) {
        plan(&mut committer, sql).await.unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
    }
}

#[tokio::test]
async fn every_statement_of_the_eraser_is_planned_as_the_eraser_and_refused_to_the_committer() {
    let database = servers::database().await;
    let (mut eraser, mut committer) = (as_role(&database, "palmares_eraser").await, as_role(&database, "palmares_committer").await);
    let reads = ["LOCK_CHANGES", "LOCK_EPOCH", "SET_TENANT", "HOLDS", "IS_HIDDEN", "STANDING", "SUBJECT_KEYS", "KEYS_UP_TO"];
    for (name, sql) in privacy::data_keys::postgres_life::ALL.iter().chain(privacy::sealed_rows::postgres::ALL) {
        plan(&mut eraser, sql).await.unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
        let refused = plan(&mut committer, sql).await.is_err();
        // The committer drops a snapshot that it replaces.
        assert_eq!(refused, !reads.contains(name) && *name != "REDACT_SNAPSHOTS", "{name}: {sql}");
    }
}

#[test]
fn every_statement_has_a_name_of_its_own() {
    let all: Vec<_> = projections().into_iter().chain(engine::statements()).collect();
    let names: BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), all.len());
}

/// sqlx leaves out, without a word, a file that is not named as it expects.
#[test]
fn every_migration_is_named_so_that_sqlx_sees_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for file in &files {
        let (version, rest) = file.split_once('_').unwrap_or_else(|| panic!("{file}"));
        let (context, what) = rest.split_once("__").unwrap_or_else(|| panic!("{file} names its context"));
        assert!(version.len() == 14 && version.bytes().all(|digit| digit.is_ascii_digit()), "{file} begins with its time");
        assert!(!context.is_empty() && context.bytes().all(|letter| letter.is_ascii_lowercase()), "{file}");
        let words = what.strip_suffix(".sql").unwrap_or_else(|| panic!("{file} is SQL"));
        assert!(!words.is_empty() && words.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'), "{file}");
    }
    let seen: BTreeSet<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    assert_eq!(seen.len(), MIGRATOR.iter().count(), "versions are unique");
    let written: BTreeSet<i64> = files.iter().map(|file| file[..14].parse().unwrap()).collect();
    assert_eq!(seen, written);
    assert_eq!(seen.len(), files.len());
}
