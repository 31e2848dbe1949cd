//! cqrs-es on our store, and its PostgreSQL repository on our tables.

mod customer;
mod import;
mod traps;

use crate::support::servers;
use chrono::Utc;
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{AggregateError, CqrsFramework, EventStore as _};
use palmares_commands::store::cqrs::{Hosted, HostedStore, Repository};
use palmares_commands::store::memory::MemoryStore;
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use palmares_commands::store::{EventStore, cqrs};
use palmares_domain::kernel::{Facts, OrganizationId, ProgramId, UserId};
use palmares_domain::points::program::{DefineProgram, Program, ProgramCommand, SetFloor};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::sync::Arc;
use uuid::Uuid;

fn facts() -> Facts {
    Facts { now: Utc::now(), actor: UserId(Uuid::now_v7()) }
}

fn define(id: Uuid) -> ProgramCommand {
    ProgramCommand::Define(DefineProgram { program_id: ProgramId(id), name: "wellness".into(), floor: 0 })
}

fn floor(floor: i64) -> ProgramCommand {
    ProgramCommand::SetFloor(SetFloor { floor })
}

fn repository(store: Arc<dyn EventStore>) -> Repository {
    Repository::new(store, OrganizationId(Uuid::now_v7()), UserId(Uuid::now_v7()))
}

#[tokio::test]
async fn the_framework_of_cqrs_es_runs_on_the_port() {
    let store = HostedStore::<Program>::new(repository(Arc::new(MemoryStore::default())));
    let reader = HostedStore::<Program>::new(repository_of(&store));
    let cqrs = CqrsFramework::<Hosted<Program>, _>::new(store, vec![], ());
    let id = Uuid::now_v7();
    cqrs.execute(&id.to_string(), (define(id), facts())).await.unwrap();
    cqrs.execute(&id.to_string(), (floor(-50), facts())).await.unwrap();
    let refused = cqrs.execute(&id.to_string(), (define(id), facts())).await;
    assert!(matches!(refused, Err(AggregateError::UserError(_))), "{refused:?}");
    let events = reader.load_events(&id.to_string()).await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
}

fn repository_of<A>(store: &HostedStore<A>) -> Repository {
    store.repository().clone()
}

#[tokio::test]
async fn a_persisted_event_store_on_our_repository_applies_each_event_once() {
    let repository = repository(Arc::new(MemoryStore::default()));
    let cqrs = CqrsFramework::<Hosted<Program>, _>::new(PersistedEventStore::new_event_store(repository.clone()), vec![], ());
    let id = Uuid::now_v7();
    cqrs.execute(&id.to_string(), (define(id), facts())).await.unwrap();
    for n in 1..=5 {
        cqrs.execute(&id.to_string(), (floor(-n), facts())).await.unwrap();
    }
    let events = repository.get_events::<Hosted<Program>>(&id.to_string()).await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let stored = PersistedEventStore::<_, Hosted<Program>>::new_event_store(repository);
    let mut context = stored.load_aggregate(&id.to_string()).await.unwrap();
    assert_eq!(cqrs_es::AggregateContext::aggregate(&mut context).0.floor(), -5);
}

#[tokio::test]
async fn a_snapshot_from_cqrs_es_is_refused_because_it_would_apply_events_twice() {
    let repository = repository(Arc::new(MemoryStore::default()));
    let refused = repository.persist::<Hosted<Program>>(&[], Some(("id".into(), serde_json::json!({}), 1))).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn two_writers_through_cqrs_es_conflict_instead_of_overwriting() {
    let repository = repository(Arc::new(MemoryStore::default()));
    let id = Uuid::now_v7();
    let cqrs = CqrsFramework::<Hosted<Program>, _>::new(HostedStore::new(repository.clone()), vec![], ());
    cqrs.execute(&id.to_string(), (define(id), facts())).await.unwrap();
    let store = HostedStore::<Program>::new(repository);
    let (first, second) = (store.load_aggregate(&id.to_string()).await.unwrap(), store.load_aggregate(&id.to_string()).await.unwrap());
    let event = store.load_events(&id.to_string()).await.unwrap().remove(0).payload;
    store.commit(vec![event.clone()], first, Default::default()).await.unwrap();
    let conflict = store.commit(vec![event], second, Default::default()).await;
    assert!(matches!(conflict, Err(AggregateError::AggregateConflict)), "{:?}", conflict.err());
}

#[tokio::test]
async fn a_replay_of_all_events_is_in_the_order_of_the_log_and_ends_with_its_error() {
    let repository = repository(Arc::new(MemoryStore::default()));
    let cqrs = CqrsFramework::<Hosted<Program>, _>::new(HostedStore::new(repository.clone()), vec![], ());
    let ids = [Uuid::now_v7(), Uuid::now_v7()];
    for id in ids {
        cqrs.execute(&id.to_string(), (define(id), facts())).await.unwrap();
    }
    for n in 1..=600 {
        cqrs.execute(&ids[n % 2].to_string(), (floor(-(n as i64)), facts())).await.unwrap();
    }
    let mut replay = repository.stream_all_events::<Hosted<Program>>().await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = replay.next::<Hosted<Program>>(&[]).await {
        seen.push(event.unwrap().aggregate_id);
    }
    let expected = ids.into_iter().map(|id| id.to_string()).chain((1..=600).map(|n| ids[n % 2].to_string()));
    assert_eq!(seen, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_repository_of_postgres_es_reads_every_stream_through_the_view() {
    let database = servers::database().await;
    let store = Arc::new(PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap());
    let ours = repository(store);
    let cqrs = CqrsFramework::<Hosted<Program>, _>::new(HostedStore::new(ours), vec![], ());
    let id = Uuid::now_v7();
    cqrs.execute(&id.to_string(), (define(id), facts())).await.unwrap();
    cqrs.execute(&id.to_string(), (floor(-7), facts())).await.unwrap();
    let theirs = through_the_view(&database.url).await;
    let events = theirs.get_events::<Hosted<Program>>(&id.to_string()).await.unwrap();
    let seen: Vec<_> = events.iter().map(|event| (event.sequence, event.event_type.as_str(), event.event_version.as_str())).collect();
    assert_eq!(seen, [(1, "points.program_defined", "1"), (2, "points.floor_changed", "1")]);
    assert_eq!(events[1].payload["floor"], -7);
}

/// The repository of postgres-es on our view.
async fn through_the_view(url: &str) -> postgres_es::PostgresEventRepository {
    postgres_es::PostgresEventRepository::new(relay(url).await).with_tables("postgres_es_events", "snapshots")
}

async fn relay(url: &str) -> PgPool {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    PgPoolOptions::new().max_connections(1).connect_with(options.options([("role", "palmares_relay")])).await.unwrap()
}

#[test]
fn hosted_events_round_trip_through_serde() {
    use palmares_domain::points::program::{FloorChanged, ProgramEvent};
    let event = cqrs::HostedEvent(ProgramEvent::from(FloorChanged { program_id: ProgramId(Uuid::now_v7()), floor: -3 }));
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(serde_json::from_value::<cqrs::HostedEvent<ProgramEvent>>(json).unwrap(), event);
}
