//! A log with a writer, the stream that caches it, and nodes that follow it.

use super::model::{NAME, NoKeys, TABLE, owner};
use crate::support::{
    running::{PATIENCE, eventually},
    servers::{self, Database},
    streams,
};
use async_nats::jetstream::{self, stream::Stream};
use palmares_commands::store::{
    self, NewEvent, StreamName, StreamWrite,
    postgres::{PostgresStore, PostgresStoreOptions},
};
use palmares_projections::engine::{
    Parts, Projector, Reactor, Supervisor, head::HeadSignal, jetstream::Cache, log::Log, status::ProjectionStatus, watermarks::Watermarks,
};
use serde_json::{Value, json};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use uuid::Uuid;

pub struct Rig {
    pub database: Database,
    pub store: PostgresStore,
    /// Past all rules: to look, and to break things.
    pub superuser: PgPool,
    nats_url: String,
    root: String,
    versions: HashMap<Uuid, i64>,
}

/// One process that follows the log.
pub struct Node {
    pub supervisor: Supervisor,
    watermarks: Watermarks,
}

impl Rig {
    /// A log of its own and the servers that all tests share.
    pub async fn open() -> Self {
        let nats_url = tokio::task::spawn_blocking(|| servers::embedded().nats_url()).await.unwrap();
        Self::with_nats(nats_url).await
    }

    pub async fn with_nats(nats_url: String) -> Self {
        let database = servers::database().await;
        sqlx::raw_sql(TABLE).execute(&pool(&database.url, None, 1).await).await.unwrap();
        let store = PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap();
        let superuser = pool(&database.superuser_url, None, 4).await;
        Self { database, store, superuser, nats_url, root: format!("T{}", Uuid::now_v7().simple()), versions: HashMap::new() }
    }

    /// A further process that writes to the log.
    pub async fn writer(&self) -> PostgresStore {
        PostgresStore::open(PostgresStoreOptions::new(self.database.url.parse().unwrap())).await.unwrap()
    }

    pub async fn as_role(&self, role: &str) -> PgPool {
        pool(&self.database.url, Some(role), 4).await
    }

    /// Its stream and subjects are no other test's.
    pub async fn cache(&self) -> Cache {
        let client = Cache::connect(&self.nats_url).await.unwrap();
        Cache { stream_root: self.root.clone(), subject_root: self.root.to_lowercase(), ..Cache::new(client) }
    }

    pub async fn node(&self, number: u128, projectors: Vec<Arc<dyn Projector>>, reactors: Vec<Arc<dyn Reactor>>) -> Node {
        let log = Log::new(self.as_role("palmares_relay").await);
        let watermarks = Watermarks::new(log.clone());
        let parts = Parts {
            timers_ahead: Duration::ZERO,
            log,
            projector_pool: self.as_role("palmares_projector").await,
            keys: Arc::new(NoKeys),
            cache: Some(self.cache().await),
            owner: owner(number),
            head: Arc::new(HeadSignal::new()),
            watermarks: watermarks.clone(),
            projectors,
            reactors,
            timers: Vec::new(),
        };
        Node { supervisor: Supervisor::start(parts).await.unwrap(), watermarks }
    }

    /// Appends events to a new stream; answers the position of the last one.
    pub async fn append(&mut self, count: usize) -> i64 {
        let events = (0..count).map(|n| json!({ "amount": n })).collect();
        self.append_to(streams::stream(), events).await
    }

    pub async fn append_to(&mut self, stream: StreamName, bodies: Vec<Value>) -> i64 {
        let version = self.versions.entry(stream.id).or_default();
        let events: Vec<NewEvent> =
            bodies.iter().map(|body| NewEvent { payload: body.to_string().into_bytes(), ..streams::event("") }).collect();
        let expected_version = *version;
        *version += events.len() as i64;
        let write = StreamWrite { stream, expected_version, handle: None, events };
        store::append(&self.store, streams::appends(vec![write])).await.unwrap().position
    }

    pub async fn incarnation(&self) -> Uuid {
        sqlx::query_scalar("SELECT incarnation FROM log_head").fetch_one(&self.superuser).await.unwrap()
    }

    pub async fn stream_name(&self) -> String {
        format!("{}_{}", self.root, self.incarnation().await.simple())
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.cache().await.client)
    }

    /// The stream, once it ends at `position` and every message in it is the event of its sequence.
    pub async fn cached(&self, position: i64) -> Stream {
        let (context, name) = (self.jetstream().await, self.stream_name().await);
        eventually("the stream is the log", async || {
            let stream = context.get_stream(&name).await.ok()?;
            let state = &stream.cached_info().state;
            if state.last_sequence != position as u64 {
                return None;
            }
            for sequence in state.first_sequence..=state.last_sequence {
                // One that is missing is read from the log; one that is another's is not.
                let Ok(message) = stream.get_raw_message(sequence).await else { continue };
                let recorded: Uuid = sqlx::query_scalar("SELECT event_id FROM events WHERE position = $1")
                    .bind(sequence as i64)
                    .fetch_one(&self.superuser)
                    .await
                    .unwrap();
                let published = message.headers.get("Palmares-Event-Id").map(|id| id.as_str().to_owned());
                if published != Some(recorded.to_string()) {
                    return None;
                }
            }
            Some(stream)
        })
        .await
    }

    /// Where the serving read model is not the fold of the log, each event once.
    pub async fn differences(&self) -> Vec<i64> {
        sqlx::query_scalar(
            "SELECT coalesce(e.position, n.position)
             FROM (SELECT position, event_id, (convert_from(payload, 'UTF8')::json ->> 'amount')::bigint AS amount FROM events) e
             FULL JOIN noted_events n ON n.position = e.position
             WHERE (e.event_id, e.amount, 1) IS DISTINCT FROM (n.event_id, n.amount, n.times) ORDER BY 1",
        )
        .fetch_all(&self.superuser)
        .await
        .unwrap()
    }

    /// The versions of the fold that made the rows that serve.
    pub async fn folds(&self) -> Vec<i32> {
        sqlx::query_scalar("SELECT DISTINCT fold FROM noted_events ORDER BY 1").fetch_all(&self.superuser).await.unwrap()
    }

    /// Ends of the requests for rebuilds: `None` for one that is open, else the error if there was one.
    pub async fn requests(&self) -> Vec<Option<Option<String>>> {
        let rows: Vec<(bool, Option<String>)> =
            sqlx::query_as("SELECT ended_at IS NOT NULL, error FROM rebuild_requests ORDER BY requested_at")
                .fetch_all(&self.superuser)
                .await
                .unwrap();
        rows.into_iter().map(|(ended, error)| ended.then_some(error)).collect()
    }
}

impl Node {
    /// Waits until the projection stands at `position` or later.
    pub async fn reaches(&self, position: i64) {
        self.reaches_in(NAME, position).await;
    }

    pub async fn reaches_in(&self, name: &str, position: i64) {
        self.watermarks.wait_for(&[name], position, PATIENCE).await.unwrap_or_else(|error| panic!("{error}"));
    }

    pub async fn status(&self) -> ProjectionStatus {
        self.status_of(NAME).await
    }

    pub async fn status_of(&self, name: &str) -> ProjectionStatus {
        let all = self.supervisor.status().await.unwrap();
        all.into_iter().find(|one| one.name == name).expect("it has a checkpoint")
    }

    /// The status, once it satisfies `done`.
    pub async fn status_when(&self, what: &str, done: impl Fn(&ProjectionStatus) -> bool) -> ProjectionStatus {
        eventually(what, async || Some(self.status().await).filter(|status| done(status))).await
    }
}

async fn pool(url: &str, role: Option<&str>, connections: u32) -> PgPool {
    let options: PgConnectOptions = url.parse().unwrap();
    let options = match role {
        Some(role) => options.options([("role", role)]),
        None => options,
    };
    PgPoolOptions::new().max_connections(connections).connect_with(options).await.unwrap()
}
