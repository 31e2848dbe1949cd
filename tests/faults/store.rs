//! The store itself, while PostgreSQL is killed under it.

use super::{rounds, seeded};
use crate::support::streams::{append, assert_contiguous, command, follow, stream};
use palmares::cli::dev::embedded::{Embedded, EmbeddedOptions};
use palmares::cli::migrate;
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use palmares_commands::store::{self, Append, AppendError, CommandRecord, EventStore, LoadRequest, StreamName};
use palmares_domain::kernel::CommandId;
use rand::Rng;
use std::{collections::BTreeSet, sync::Arc, time::Duration, time::Instant};
use tokio::sync::watch;

const WRITERS: usize = 8;
const APPENDS_PER_WRITER: usize = 15;
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Appends one event under one command id until that is answered, and says where it stands.
async fn append_once(store: &dyn EventStore, stream: StreamName) -> CommandRecord {
    let record = command("{}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = try_once(store, stream, record.clone()).await;
        match outcome {
            Ok(position) => return CommandRecord { position, ..record },
            Err(AppendError::DuplicateCommand(first)) => return *first,
            // An attempt whose fate is unknown may have been recorded after all: it is decided anew.
            Err(AppendError::WrongVersion { .. }) => {}
            Err(AppendError::Unavailable(_)) => tokio::time::sleep(LOOK_AGAIN).await,
            Err(error) => panic!("{error}"),
        }
        assert!(Instant::now() < deadline, "{:?} was never answered", record.id);
    }
}

async fn try_once(store: &dyn EventStore, stream: StreamName, record: CommandRecord) -> Result<i64, AppendError> {
    let loaded = store.load(LoadRequest { stream, shape: 0, with_sealed: false }).await?;
    let mut attempt = append(stream, loaded.events.len() as i64, 1);
    attempt.writes[0].handle = loaded.handle;
    let committed = store::append(store, Append { command: Some(record), ..attempt }).await?;
    Ok(committed.position)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_acknowledged_survives_every_kill_of_postgresql_once() {
    let mut random = seeded("store");
    let embedded = Embedded::start(EmbeddedOptions::temporary()).await.expect("the servers start");
    migrate::apply(&embedded.database_url()).await.expect("the database is migrated");
    let options = PostgresStoreOptions::new(embedded.database_url().parse().expect("a URL"));
    let store = Arc::new(PostgresStore::open(options).await.expect("the store opens"));
    let shared = stream();
    let mut acknowledged: Vec<(CommandId, i64)> = Vec::new();

    for round in 0..rounds() {
        let (answered, mut count) = watch::channel(0);
        let answered = Arc::new(answered);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, answered) = (store.clone(), answered.clone());
                // Half of them write to one stream, where they also conflict with each other.
                let name = if writer % 2 == 0 { shared } else { stream() };
                tokio::spawn(async move {
                    let mut records = Vec::new();
                    for _ in 0..APPENDS_PER_WRITER {
                        records.push(append_once(store.as_ref(), name).await);
                        answered.send_modify(|count| *count += 1);
                    }
                    records
                })
            })
            .collect();
        let kill_after = random.random_range(5..WRITERS * APPENDS_PER_WRITER * 2 / 3);
        count.wait_for(|count| *count >= kill_after).await.expect("the writers are at it");
        embedded.crash_postgres().await.expect("PostgreSQL recovers");
        for writer in writers {
            acknowledged.extend(writer.await.expect("a writer ends").into_iter().map(|record| (record.id, record.position)));
        }

        let log = follow(store.as_ref()).await;
        assert_contiguous(&log);
        assert_eq!(log.len(), acknowledged.len(), "round {round}: one event for each command");
        let positions: BTreeSet<i64> = acknowledged.iter().map(|(_, position)| *position).collect();
        assert_eq!(positions.len(), acknowledged.len(), "round {round}: each command has a position of its own");
        for (id, position) in acknowledged.iter().rev().take(WRITERS * APPENDS_PER_WRITER) {
            let kept = store.command(*id).await.expect("the store answers").expect("an acknowledged command is there");
            assert_eq!(kept.position, *position, "round {round}: the first answer is kept");
        }
    }
    assert_eq!(embedded.postgres().starts() as usize, rounds() + 1, "PostgreSQL was killed each time");
    embedded.stop().await;
}
