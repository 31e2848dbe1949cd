//! What the table itself can take: rows without a decision, by a batched insert and by COPY.

use crate::load::{Measured, measured, mix};
use crate::server::Server;
use crate::world::World;
use palmares_domain::kernel::Event;
use palmares_domain::kernel::TransactionId;
use palmares_domain::points::account::{AccountEvent, HoldPlaced};
use palmares_domain::points::{LotChange, LotId};
use sqlx::{PgConnection, Row};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Rows in one statement.
const ROWS: usize = 500;

/// The columns and indexes of the log, with the rows that the measured systems start from.
const TABLE: &str = "
CREATE SCHEMA bare;
CREATE TABLE bare.events (LIKE public.events INCLUDING ALL);
INSERT INTO bare.events SELECT * FROM public.events;";

/// Arrays side by side in the list of what is selected, as the store writes them: as functions in `FROM` they
/// take a fifth longer.
const INSERT: &str = "
INSERT INTO bare.events (position, organization_id, stream_key, version, event_id, actor_id, recorded_at,
                         effective_at, schema_version, event_type, payload, metadata)
SELECT generate_series($1 + 1, $1 + cardinality($2::uuid[])), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::bigint[]),
       unnest($5::uuid[]), unnest($6::uuid[]), clock_timestamp(), unnest($7::timestamptz[]), unnest($8::smallint[]),
       unnest($9::text[]), unnest($10::bytea[]), unnest($11::bytea[])";

const COPY: &str = "
COPY bare.events (position, organization_id, stream_key, version, event_id, actor_id, recorded_at,
                  schema_version, event_type, payload, metadata) FROM STDIN (FORMAT binary)";

/// Seconds from the epoch of Unix to that of PostgreSQL.
const POSTGRES_EPOCH_SECONDS: i64 = 946_684_800;

pub struct Bare {
    world: Arc<World>,
    connection: PgConnection,
    position: i64,
    /// (stream key, version) of every account.
    heads: Vec<(i64, i64)>,
    payload: Vec<u8>,
    metadata: Vec<u8>,
    drawn: u64,
}

struct NewRow {
    stream_key: i64,
    version: i64,
    event_id: Uuid,
}

impl Bare {
    pub async fn open(server: &Server, world: &Arc<World>) -> anyhow::Result<Self> {
        use sqlx::Connection;
        server.run(TABLE).await?;
        server.run("VACUUM ANALYZE bare.events").await?;
        let mut connection = PgConnection::connect_with(&server.options()).await?;
        let heads = "SELECT stream_key, max(version) FROM bare.events e JOIN public.streams s ON s.key = e.stream_key
                     WHERE s.type = 'points_account' GROUP BY 1";
        let heads = sqlx::query(heads).fetch_all(&mut connection).await?;
        let heads = heads.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?;
        let position = sqlx::query_scalar("SELECT max(position) FROM bare.events").fetch_one(&mut connection).await?;
        let (payload, metadata) = (payload(world)?, metadata(world));
        Ok(Self { world: world.clone(), connection, position, heads, payload, metadata, drawn: 0 })
    }

    /// Inserts of 500 rows, one after another.
    pub async fn batched_insert(&mut self, span: Duration) -> anyhow::Result<Measured> {
        self.measure(span, async |bare, rows| {
            let count = rows.len();
            sqlx::query(INSERT)
                .bind(bare.position)
                .bind(vec![bare.world.organization.0; count])
                .bind(rows.iter().map(|row| row.stream_key).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.event_id).collect::<Vec<_>>())
                .bind(vec![bare.world.actor.0; count])
                .bind(vec![None::<chrono::DateTime<chrono::Utc>>; count])
                .bind(vec![1_i16; count])
                .bind(vec!["points.hold_placed"; count])
                .bind(vec![bare.payload.as_slice(); count])
                .bind(vec![bare.metadata.as_slice(); count])
                .execute(&mut bare.connection)
                .await?;
            Ok(())
        })
        .await
    }

    /// COPY of 500 rows, one after another.
    pub async fn copy(&mut self, span: Duration) -> anyhow::Result<Measured> {
        self.measure(span, async |bare, rows| {
            let data = bare.binary(rows);
            let mut copy = bare.connection.copy_in_raw(COPY).await?;
            copy.send(data).await?;
            copy.finish().await?;
            Ok(())
        })
        .await
    }

    async fn measure(
        &mut self,
        span: Duration,
        statement: impl AsyncFn(&mut Self, &[NewRow]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        let start = Instant::now();
        let mut latencies = Vec::new();
        while start.elapsed() < span {
            let rows: Vec<NewRow> = (0..ROWS).map(|_| self.draw()).collect();
            let sent = Instant::now();
            statement(self, &rows).await?;
            latencies.push(sent.elapsed());
            self.position += ROWS as i64;
        }
        let statements = measured(latencies, start.elapsed());
        Ok(Measured { rate_per_s: statements.rate_per_s * ROWS as f64, ..statements })
    }

    fn draw(&mut self) -> NewRow {
        self.drawn += 1;
        let index = (mix(self.drawn) % self.heads.len() as u64) as usize;
        let (stream_key, version) = &mut self.heads[index];
        *version += 1;
        NewRow { stream_key: *stream_key, version: *version, event_id: Uuid::now_v7() }
    }

    /// The binary form of COPY.
    fn binary(&self, rows: &[NewRow]) -> Vec<u8> {
        let mut data = Vec::with_capacity(rows.len() * 1_024);
        data.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        let now = chrono::Utc::now().timestamp_micros() - POSTGRES_EPOCH_SECONDS * 1_000_000;
        for (row, position) in rows.iter().zip(self.position + 1..) {
            data.extend_from_slice(&11_i16.to_be_bytes());
            for field in [
                position.to_be_bytes().as_slice(),
                self.world.organization.0.as_bytes(),
                &row.stream_key.to_be_bytes(),
                &row.version.to_be_bytes(),
                row.event_id.as_bytes(),
                self.world.actor.0.as_bytes(),
                &now.to_be_bytes(),
                &1_i16.to_be_bytes(),
                b"points.hold_placed",
                &self.payload,
                &self.metadata,
            ] {
                data.extend_from_slice(&(field.len() as i32).to_be_bytes());
                data.extend_from_slice(field);
            }
        }
        data.extend_from_slice(&(-1_i16).to_be_bytes());
        data
    }
}

/// A hold as the engine writes it.
fn payload(world: &World) -> anyhow::Result<Vec<u8>> {
    let account = world.accounts[0];
    let event = HoldPlaced {
        program_id: account.program_id,
        user_id: account.user_id,
        team_id: None,
        transaction_id: TransactionId(Uuid::now_v7()),
        amount: 1,
        source_id: None,
        expires_at: None,
        reason: None,
        lots: vec![LotChange { lot: LotId(Uuid::now_v7()), amount: 0, held: 1, terms: None }],
        postings: Vec::new(),
    };
    Ok(AccountEvent::from(event).to_payload()?)
}

/// As wide as the engine's.
fn metadata(world: &World) -> Vec<u8> {
    let id = Uuid::now_v7();
    let metadata = serde_json::json!({
        "actor_id": world.actor, "roles": ["organization_admin"], "permission": "points.hold.place",
        "policies": ["role.organization_admin"], "request_id": id, "correlation_id": id, "client_context_id": id,
    });
    metadata.to_string().into_bytes()
}
