//! The known traps of cqrs-es 0.5 and postgres-es 0.5: each shown in the library as it comes, and
//! not there in ours (design 2).

use super::customer::{Customer, Vanilla};
use super::repository;
use crate::support::servers::{self, Database};
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore, ReplayStream, SerializedEvent};
use cqrs_es::{AggregateContext, CqrsFramework, EventStore as _};
use palmares_commands::store::EventStore;
use palmares_commands::store::cqrs::Repository;
use palmares_commands::store::memory::MemoryStore;
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

async fn ours(database: &Database) -> Repository {
    let store = PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap();
    repository(Arc::new(store)).declare_no_personal_data()
}

fn framework<R: PersistedEventRepository>(repository: R) -> CqrsFramework<Customer, PersistedEventStore<R, Customer>> {
    CqrsFramework::new(PersistedEventStore::new_event_store(repository), vec![], ())
}

fn renamed(id: &str, sequence: usize, name: &str) -> SerializedEvent {
    let payload = json!({ "CustomerRenamed": { "name": name } });
    SerializedEvent::new(id.to_owned(), sequence, "Customer".into(), "CustomerRenamed".into(), "1.0".into(), payload, json!({}))
}

async fn superuser(database: &Database) -> PgConnection {
    PgConnection::connect(&database.superuser_url).await.unwrap()
}

#[tokio::test]
async fn cqrs_es_counts_an_event_twice_in_its_snapshot_and_ours_offers_none() {
    let database = servers::database().await;
    let vanilla = Vanilla::on(&database).await;
    let id = Uuid::now_v7().to_string();
    let snapshots = || PersistedEventStore::<_, Customer>::new_snapshot_store(vanilla.repository(), 1);
    CqrsFramework::new(snapshots(), vec![], ()).execute(&id, "Ada".to_owned()).await.unwrap();
    let mut context = snapshots().load_aggregate(&id).await.unwrap();
    assert_eq!(context.aggregate().renamed, 2, "the trap is gone: cqrs-es may store snapshots again");

    let ours = repository(Arc::new(MemoryStore::default())).declare_no_personal_data();
    let refused = CqrsFramework::new(PersistedEventStore::<_, Customer>::new_snapshot_store(ours.clone(), 1), vec![], ());
    assert!(refused.execute(&id, "Ada".to_owned()).await.is_err());
    framework(ours.clone()).execute(&id, "Ada".to_owned()).await.unwrap();
    let mut context = PersistedEventStore::<_, Customer>::new_event_store(ours).load_aggregate(&id).await.unwrap();
    assert_eq!(context.aggregate().renamed, 1);
}

#[tokio::test]
async fn postgres_es_keeps_the_events_of_an_append_that_it_refuses_and_ours_keeps_nothing() {
    let database = servers::database().await;
    let vanilla = Vanilla::on(&database).await.repository();
    let id = Uuid::now_v7().to_string();
    let events = [renamed(&id, 1, "Ada")];
    // A second snapshot without a first one: somebody else was there.
    let snapshot = || Some((id.clone(), json!({}), 2));
    assert!(vanilla.persist::<Customer>(&events, snapshot()).await.is_err());
    assert_eq!(vanilla.get_events::<Customer>(&id).await.unwrap().len(), 1, "the trap is gone");

    let ours = ours(&database).await;
    assert!(ours.persist::<Customer>(&events, snapshot()).await.is_err());
    assert!(ours.persist::<Customer>(&[renamed(&id, 5, "Ada")], None).await.is_err());
    assert!(ours.get_events::<Customer>(&id).await.unwrap().is_empty());
    let traces = "SELECT position + stream_key + (SELECT count(*) FROM events) + (SELECT count(*) FROM streams) FROM log_head";
    let traces: i64 = sqlx::query_scalar(traces).fetch_one(&mut superuser(&database).await).await.unwrap();
    assert_eq!(traces, 0);
}

/// How many events a replay gave, and the error that it ended with.
async fn replayed(mut replay: ReplayStream) -> (usize, Option<String>) {
    let mut seen = 0;
    while let Some(event) = replay.next::<Customer>(&[]).await {
        match event {
            Ok(_) => seen += 1,
            Err(error) => return (seen, Some(error.to_string())),
        }
    }
    (seen, None)
}

/// Ends the one server process that answers `condition`, as soon as there is one.
async fn end_backend(connection: &mut PgConnection, condition: &str) {
    let kill = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active' AND {condition}"
    );
    let killed = async {
        while sqlx::query_scalar::<_, i64>(&kill).fetch_one(&mut *connection).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), killed).await.expect("there is such a server process");
}

#[tokio::test]
async fn a_replay_of_postgres_es_that_loses_its_connection_looks_complete_and_ours_says_so() {
    const EVENTS: usize = 500;
    let database = servers::database().await;
    let vanilla = Vanilla::on(&database).await;
    // More than fits into the buffers between server and client, so that the server is still at it.
    vanilla.fill(1, EVENTS as i32, 60_000).await;
    let mut replay = vanilla.repository().with_streaming_channel_size(1).stream_all_events::<Customer>().await.unwrap();
    replay.next::<Customer>(&[]).await.unwrap().unwrap();
    end_backend(&mut superuser(&database).await, "query LIKE '%FROM vanilla.events%'").await;
    let (seen, error) = replayed(replay).await;
    assert!(seen + 1 < EVENTS && error.is_none(), "the trap is gone: {seen} {error:?}");
}

#[tokio::test]
async fn a_replay_of_ours_that_loses_its_connection_ends_with_an_error() {
    const EVENTS: usize = 1_600;
    let database = servers::database().await;
    let ours = ours(&database).await;
    let id = Uuid::now_v7().to_string();
    let events: Vec<_> = (1..=EVENTS).map(|sequence| renamed(&id, sequence, "Ada")).collect();
    ours.persist::<Customer>(&events, None).await.unwrap();

    let mut replay = ours.stream_all_events::<Customer>().await.unwrap();
    replay.next::<Customer>(&[]).await.unwrap().unwrap();
    // The queue is full and two pages are read: the third one will wait for this lock.
    let (mut locking, mut killing) = (superuser(&database).await, superuser(&database).await);
    let mut lock = locking.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let all = tokio::spawn(replayed(replay));
    end_backend(&mut killing, "wait_event_type = 'Lock'").await;
    let (seen, error) = all.await.unwrap();
    assert!(seen + 1 < EVENTS && error.is_some(), "{seen} {error:?}");

    let one = tokio::spawn({
        let (ours, id) = (ours.clone(), id.clone());
        async move {
            match ours.stream_events::<Customer>(&id).await {
                Ok(replay) => replayed(replay).await,
                Err(error) => (0, Some(error.to_string())),
            }
        }
    });
    end_backend(&mut killing, "wait_event_type = 'Lock'").await;
    let (seen, error) = one.await.unwrap();
    assert!(seen < EVENTS && error.is_some(), "{seen} {error:?}");

    lock.rollback().await.unwrap();
    assert_eq!(replayed(ours.stream_all_events::<Customer>().await.unwrap()).await, (EVENTS, None));
    assert_eq!(replayed(ours.stream_events::<Customer>(&id).await.unwrap()).await, (EVENTS, None));
}

#[tokio::test]
async fn postgres_es_replays_by_sequence_and_ours_in_the_order_in_which_it_happened() {
    let database = servers::database().await;
    let (vanilla, ours) = (Vanilla::on(&database).await, ours(&database).await);
    let [first, second] = [Uuid::now_v7().to_string(), Uuid::now_v7().to_string()];
    for (id, name) in [(&first, "one"), (&first, "two"), (&second, "three")] {
        framework(vanilla.repository()).execute(id, name.to_owned()).await.unwrap();
        framework(ours.clone()).execute(id, name.to_owned()).await.unwrap();
    }
    let order = async |mut replay: ReplayStream| {
        let mut order = Vec::new();
        while let Some(event) = replay.next::<Customer>(&[]).await {
            let event = event.unwrap();
            order.push((event.aggregate_id, event.sequence));
        }
        order
    };
    let theirs = order(vanilla.repository().stream_all_events::<Customer>().await.unwrap()).await;
    assert_eq!(theirs.last(), Some(&(first.clone(), 2)), "the trap is gone");
    let happened = [(first.clone(), 1), (first, 2), (second, 1)];
    assert_eq!(order(ours.stream_all_events::<Customer>().await.unwrap()).await, happened);
}

#[tokio::test]
async fn postgres_es_cuts_sequences_to_32_bits_and_ours_goes_on_beyond() {
    const BEYOND: i64 = 1 << 32;
    let database = servers::database().await;
    let vanilla = Vanilla::on(&database).await;
    let id = Uuid::now_v7().to_string();
    vanilla.repository().persist::<Customer>(&[renamed(&id, BEYOND as usize + 7, "Ada")], None).await.unwrap();
    assert_eq!(vanilla.repository().get_events::<Customer>(&id).await.unwrap()[0].sequence, 7, "the trap is gone");

    // A log that has grown for a long time: positions, stream keys and versions are all beyond.
    let organization = palmares_domain::kernel::OrganizationId(Uuid::now_v7());
    let mut connection = superuser(&database).await;
    let age = "
        WITH head AS (UPDATE log_head SET position = $1, stream_key = $1),
             stream AS (INSERT INTO streams VALUES ($1, $2, 'Customer', $3::text::uuid))
        INSERT INTO events VALUES ($1, $2, $1, $1, gen_random_uuid(), gen_random_uuid(), now(), NULL, 0, 'CustomerRenamed',
            convert_to('{\"event_version\":\"1.0\",\"metadata\":{},\"payload\":{\"CustomerRenamed\":{\"name\":\"Ada\"}}}', 'UTF8'), '{}')";
    sqlx::query(age).bind(BEYOND).bind(organization.0).bind(&id).execute(&mut connection).await.unwrap();
    let store = Arc::new(PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap());
    let ours = Repository::new(store.clone(), organization, palmares_domain::kernel::UserId(Uuid::now_v7())).declare_no_personal_data();
    framework(ours.clone()).execute(&id, "Lovelace".to_owned()).await.unwrap();
    let other = Uuid::now_v7().to_string();
    framework(ours.clone()).execute(&other, "Blaise".to_owned()).await.unwrap();

    let sequences = |events: &[SerializedEvent]| events.iter().map(|event| event.sequence as i64).collect::<Vec<_>>();
    assert_eq!(sequences(&ours.get_events::<Customer>(&id).await.unwrap()), [BEYOND, BEYOND + 1]);
    assert_eq!(sequences(&ours.get_events::<Customer>(&other).await.unwrap()), [1]);
    assert_eq!(sequences(&ours.get_last_events::<Customer>(&id, BEYOND as usize).await.unwrap()), [BEYOND + 1]);
    let view = super::through_the_view(&database.url).await;
    assert_eq!(sequences(&view.get_events::<Customer>(&id).await.unwrap()), [BEYOND, BEYOND + 1]);
    let page = store.read_after(BEYOND, 10).await.unwrap();
    assert_eq!(page.iter().map(|event| event.position).collect::<Vec<_>>(), [BEYOND + 1, BEYOND + 2]);
    assert_eq!(store.head().await.unwrap().position, BEYOND + 2);
}
