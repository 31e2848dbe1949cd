//! The balances projector on real events of the log, beside a bare upsert of as many rows.

use crate::Plan;
use crate::load::{Measured, closed_loop, measured};
use crate::palmares_system::{Palmares, With};
use crate::results::{self, Row};
use crate::sealing::NoKeys;
use crate::server::Server;
use crate::world::World;
use anyhow::Context;
use palmares_domain::kernel::RecordedEvent;
use palmares_projections::{
    engine::{
        Projector,
        batch::Workshop,
        checkpoint::{self, Claim, Kind},
        log::Log,
    },
    points::balances::Balances,
};
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// Events in one transaction: what the runner takes.
const BATCH: usize = 2_000;
const EVENTS: usize = 100_000;
const COMMITTER_CALLERS: usize = 1_024;

/// The read model's own table, without a checkpoint or anything else around it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS public.bare_balances (LIKE points_balances_a INCLUDING ALL) WITH (fillfactor = 60)";

const UPSERT: &str = "
INSERT INTO bare_balances AS b
    (organization_id, user_id, account_id, program_id, team_id, posted, held, pending, freezes, position)
SELECT $1, u.user_id, u.account_id, $2, NULL, 0, u.held, 0, 0, $5
FROM unnest($3::uuid[], $4::uuid[], $6::bigint[]) u(user_id, account_id, held)
ON CONFLICT (organization_id, user_id, account_id) DO UPDATE SET
    posted = b.posted + excluded.posted, held = b.held + excluded.held, pending = b.pending + excluded.pending,
    freezes = b.freezes + excluded.freezes, position = excluded.position";

pub async fn measure(server: &Server, world: &Arc<World>, plan: &Plan) -> anyhow::Result<()> {
    let palmares = Palmares::open(server, world).await?;
    palmares.warm().await?;
    let before = palmares.position();
    let mut rows = Vec::new();
    let mut filled = 0;
    while rows.is_empty() || filled < EVENTS as i64 {
        let (palmares, round) = (palmares.clone(), (rows.len() as u64) << 56);
        let loaded = palmares.clone();
        let command = move |number| {
            let palmares = palmares.clone();
            async move { palmares.place_hold(round | number, With::Nothing).await }
        };
        rows.push(Row::of("committer at saturation", COMMITTER_CALLERS, closed_loop(COMMITTER_CALLERS, plan.span, command).await?));
        filled = loaded.position() - before;
    }
    let bench = Bench::open(server).await?;
    let events: Vec<Arc<RecordedEvent>> = bench.read(before).await?;
    let mut claim = bench.claim().await?;
    // Both tables start with every account in them.
    bench.project(&mut claim, &events).await?;
    bench.upsert(world, &events).await?;
    for _ in 0..plan.runs {
        rows.push(Row::of("bare upsert", 1, bench.upsert(world, &events).await?));
        rows.push(Row::of("balances projector", 1, bench.project(&mut claim, &events).await?));
        rows.push(Row::of("reading the log", 1, bench.read_log(before).await?));
    }
    results::write("projector", &results::medians(&rows))
}

struct Bench {
    pool: PgPool,
    workshop: Workshop,
}

impl Bench {
    async fn open(server: &Server) -> anyhow::Result<Self> {
        server.run(TABLE).await?;
        let log = Log::new(server.pool(server.options_as("palmares_relay"), 1).await?);
        let pool = server.pool(server.options_as("palmares_projector"), 1).await?;
        let workshop = Workshop { pool, log, keys: Arc::new(NoKeys), owner: Uuid::now_v7() };
        Ok(Self { pool: server.pool(server.options(), 1).await?, workshop })
    }

    async fn claim(&self) -> anyhow::Result<Claim> {
        let pool = &self.workshop.pool;
        checkpoint::create(pool, Balances.name(), Kind::Projector, Balances.version()).await?;
        checkpoint::claim_active(pool, Balances.name(), self.workshop.owner).await?.context("the checkpoint is taken")
    }

    async fn read(&self, mut position: i64) -> anyhow::Result<Vec<Arc<RecordedEvent>>> {
        let mut events = Vec::with_capacity(EVENTS);
        while events.len() < EVENTS {
            let read = self.workshop.log.read_after(position, BATCH as i64).await?;
            position += read.len() as i64;
            events.extend(read.into_iter().map(Arc::new));
        }
        Ok(events)
    }

    async fn read_log(&self, position: i64) -> anyhow::Result<Measured> {
        let start = Instant::now();
        let count = self.read(position).await?.len();
        let per_batch = start.elapsed().div_f64(count as f64 / BATCH as f64);
        Ok(scaled(measured(vec![per_batch], start.elapsed()), count / BATCH))
    }

    /// Batches through the fold, with the checkpoint in the same transaction.
    async fn project(&self, claim: &mut Claim, events: &[Arc<RecordedEvent>]) -> anyhow::Result<Measured> {
        let (start, mut latencies) = (Instant::now(), Vec::new());
        for batch in events.chunks(BATCH) {
            let sent = Instant::now();
            // The same events again and again: only the checkpoint has to move.
            let position = claim.position + batch.len() as i64;
            self.workshop.commit(&Balances, claim, batch, &[], position).await?;
            latencies.push(sent.elapsed());
        }
        Ok(scaled(measured(latencies, start.elapsed()), 1))
    }

    /// The rows of the same batches, made before the clock starts.
    async fn upsert(&self, world: &World, events: &[Arc<RecordedEvent>]) -> anyhow::Result<Measured> {
        let batches: Vec<BTreeMap<Uuid, i64>> = events.chunks(BATCH).map(held).collect();
        let (start, mut latencies) = (Instant::now(), Vec::new());
        for batch in &batches {
            let sent = Instant::now();
            let accounts: Vec<Uuid> = batch.keys().copied().collect();
            sqlx::query(UPSERT)
                .bind(world.organization.0)
                .bind(world.program.0)
                .bind(&accounts)
                .bind(&accounts)
                .bind(1_i64)
                .bind(batch.values().copied().collect::<Vec<_>>())
                .execute(&self.pool)
                .await?;
            latencies.push(sent.elapsed());
        }
        Ok(scaled(measured(latencies, start.elapsed()), 1))
    }
}

/// From batches to events.
fn scaled(batches: Measured, count: usize) -> Measured {
    Measured { rate_per_s: batches.rate_per_s * (BATCH * count) as f64, ..batches }
}

fn held(batch: &[Arc<RecordedEvent>]) -> BTreeMap<Uuid, i64> {
    let mut held = BTreeMap::new();
    batch.iter().for_each(|event| *held.entry(event.stream.id).or_default() += 1);
    held
}
