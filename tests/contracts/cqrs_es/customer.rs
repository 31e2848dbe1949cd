//! An aggregate as users of cqrs-es write theirs, and postgres-es with its own tables.

use crate::support::servers::Database;
use cqrs_es::persist::PersistedEventStore;
use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, event_sink::EventSink};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::collections::HashMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    pub renamed: u64,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CustomerEvent {
    CustomerRenamed { name: String },
}

impl DomainEvent for CustomerEvent {
    fn event_type(&self) -> String {
        "CustomerRenamed".to_owned()
    }
    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a name has letters")]
pub struct NoName;

impl Aggregate for Customer {
    const TYPE: &'static str = "Customer";
    type Command = String;
    type Event = CustomerEvent;
    type Error = NoName;
    type Services = ();

    async fn handle(&mut self, name: String, (): &(), sink: &EventSink<Self>) -> Result<(), NoName> {
        if name.is_empty() {
            return Err(NoName);
        }
        sink.write(CustomerEvent::CustomerRenamed { name }, self).await;
        Ok(())
    }

    fn apply(&mut self, event: CustomerEvent) {
        let CustomerEvent::CustomerRenamed { name } = event;
        self.name = name;
        self.renamed += 1;
    }
}

/// The library's own `db/init.sql`, in a schema of its own.
const TABLES: &str = "
CREATE SCHEMA vanilla;
CREATE TABLE vanilla.events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);
CREATE TABLE vanilla.snapshots (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    last_sequence bigint CHECK (last_sequence >= 0) NOT NULL,
    current_snapshot bigint CHECK (current_snapshot >= 0) NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, last_sequence)
)";

pub const TABLE: &str = "vanilla.events";

/// postgres-es as it comes, on tables of its own.
pub struct Vanilla {
    pub pool: PgPool,
}

impl Vanilla {
    pub async fn on(database: &Database) -> Self {
        let pool = PgPool::connect(&database.url).await.unwrap();
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
        Self { pool }
    }

    pub fn repository(&self) -> PostgresEventRepository {
        PostgresEventRepository::new(self.pool.clone()).with_tables(TABLE, "vanilla.snapshots")
    }

    /// Gives the customer these names, one after another, each with metadata of its own.
    pub async fn rename(&self, id: &str, names: &[&str]) {
        let cqrs = CqrsFramework::<Customer, _>::new(PersistedEventStore::new_event_store(self.repository()), vec![], ());
        for name in names {
            let metadata = HashMap::from([("why".to_owned(), format!("because of \"{name}\""))]);
            cqrs.execute_with_metadata(id, (*name).to_owned(), metadata).await.unwrap();
        }
    }

    /// One row, whatever it says.
    pub async fn insert(&self, aggregate_type: &str, id: &str, sequence: i64, event_type: &str, payload: &str) {
        let insert = "INSERT INTO vanilla.events VALUES ($1, $2, $3, $4, '1.0', $5::text::json, '{}')";
        let query = sqlx::query(insert).bind(aggregate_type).bind(id).bind(sequence).bind(event_type).bind(payload);
        query.execute(&self.pool).await.unwrap();
    }

    /// This many customers with this many names each.
    pub async fn fill(&self, customers: i32, names: i32, name_bytes: i32) {
        let fill = "
            INSERT INTO vanilla.events
            SELECT 'Customer', id, n, 'CustomerRenamed', '1.0',
                   json_build_object('CustomerRenamed', json_build_object('name', repeat('x', $3) || n)), '{}'
            FROM (SELECT gen_random_uuid()::text AS id FROM generate_series(1, $1)) ids, generate_series(1, $2) n";
        sqlx::query(fill).bind(customers).bind(names).bind(name_bytes).execute(&self.pool).await.unwrap();
    }
}
