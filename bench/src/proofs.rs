//! What proving costs: a proof at a million leaves, its verification, and the appends while the log is sealed.

use crate::Plan;
use crate::load::{Measured, closed_loop};
use crate::palmares_system::{Palmares, With};
use crate::results::{self, Row};
use crate::server::Server;
use crate::world::World;
use anyhow::Context;
use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use palmares_domain::kernel::{OrganizationId, Place, Tenant};
use palmares_projections::{
    compliance::proofs::{GetAuditConsistency, GetAuditProof},
    engine::{
        KeyError, PersonalKeys, Query, Readers,
        head::HeadSignal,
        log::Log,
        sealing::{Outside, Sealer, Signers, SigningKeys},
        stop::Stopper,
    },
};
use palmares_proofs::{Checkpoint, Entry, LogKey, TlogProof, TrustedKeys};
use serde::{Deserialize, Serialize};
use std::{
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const LEAVES: i64 = 1_000_000;
const PROOFS: u64 = 20_000;
const CALLERS: usize = 256;
/// What the design asks for: of the rate without sealing, and of the time at p99.
const SHARE_MIN: f64 = 0.95;
const PROOF_P99_MAX_MS: f64 = 5.0;
const VERIFICATION_P99_MAX_MS: f64 = 1.0;

/// Events of one organization behind what is there, as wide as holds.
const FILL: &str = "
    INSERT INTO streams SELECT stream_key + 1, '{organization}', 'bench', gen_random_uuid() FROM log_head;
    INSERT INTO events SELECT h.position + n, '{organization}', h.stream_key + 1, n, gen_random_uuid(), gen_random_uuid(), now(), NULL, 1,
        'bench.happened', convert_to('{\"amount\":1,\"account\":\"' || gen_random_uuid() || '\"}', 'UTF8'), convert_to('{\"action\":\"bench\"}', 'UTF8')
    FROM log_head h, generate_series(1, {leaves}) n;
    UPDATE log_head SET position = position + {leaves}, stream_key = stream_key + 1";

/// What was measured.
#[derive(Serialize, Deserialize)]
pub struct Proofs {
    leaves: i64,
    sealed_per_s: f64,
    latencies: Vec<(String, u64, f64, f64)>,
    appends: Vec<Row>,
}

struct Keys(Arc<SigningKey>);

impl SigningKeys for Keys {
    fn signers(&self) -> anyhow::Result<Signers> {
        Ok(Signers { current: self.0.clone(), next: None })
    }
}

/// Nothing that is measured here is personal.
struct NoKeys;

#[async_trait]
impl PersonalKeys for NoKeys {
    async fn seal(&self, _: &Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Destroyed)
    }

    async fn open(&self, _: &Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(None)
    }

    async fn lookup_hash(&self, _: OrganizationId, _: &str, _: &str) -> Result<[u8; 32], KeyError> {
        Ok([0; 32])
    }
}

struct Bench {
    log: Log,
    readers: Readers,
    outside: Outside,
    key: Arc<SigningKey>,
}

impl Bench {
    fn sealer(&self, head: &Arc<HeadSignal>) -> Sealer {
        Sealer::new(self.log.clone(), head.clone(), Arc::new(Keys(self.key.clone())), self.outside.clone())
    }
}

pub async fn measure(server: &Server, world: &Arc<World>, plan: &Plan) -> anyhow::Result<()> {
    let outside = std::env::temp_dir().join(format!("palmares-bench-checkpoint-{}", Uuid::now_v7().simple()));
    let bench = Bench {
        log: Log::new(server.pool(server.options_as("palmares_relay"), 4).await?),
        readers: Readers::new(server.pool(server.options_as("palmares_reader"), 1).await?, Arc::new(NoKeys)),
        outside: Outside::new(&outside),
        key: Arc::new(SigningKey::from_bytes(&[1; 32])),
    };
    // First what is appended: a writer keeps the head of the log in memory, and the rows of the rest go past it.
    let appends = appends(server, world, &bench, plan).await?;
    let organization = OrganizationId(Uuid::now_v7());
    let fill = FILL.replace("{organization}", &organization.0.to_string()).replace("{leaves}", &LEAVES.to_string());
    server.run(&fill).await?;
    server.run("ANALYZE events; CHECKPOINT").await?;
    let start = Instant::now();
    bench.sealer(&Arc::default()).seal_all().await?;
    let sealed_per_s = LEAVES as f64 / start.elapsed().as_secs_f64();
    println!("sealed {LEAVES} events, {sealed_per_s:.0} a second");
    let latencies = latencies(&bench, organization).await?;
    let _ = std::fs::remove_file(outside);
    results::write("proofs", &Proofs { leaves: LEAVES, sealed_per_s, latencies, appends })
}

/// Appends with and without a sealer, in turns.
async fn appends(server: &Server, world: &Arc<World>, bench: &Bench, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let palmares = Palmares::open(server, world).await?;
    palmares.warm().await?;
    let mut rows = Vec::new();
    for run in 0..plan.runs as u64 {
        for turn in 0..2 {
            let sealing = (run + turn) % 2 == 1;
            bench.sealer(&Arc::default()).seal_all().await?;
            server.run("CHECKPOINT").await?;
            let round = (2 * run + turn) << 56;
            let loop_palmares = palmares.clone();
            let command = move |number| {
                let palmares = loop_palmares.clone();
                async move { palmares.place_hold(round | number, With::Nothing).await }
            };
            let head = Arc::new(HeadSignal::new());
            let (stopper, stop) = Stopper::new();
            let (told, mut committed) = (head.clone(), palmares.committed());
            let telling = tokio::spawn(async move {
                while committed.changed().await.is_ok() {
                    told.advance(*committed.borrow_and_update());
                }
            });
            let sealer = sealing.then(|| tokio::spawn(bench.sealer(&head).run(stop)));
            let measured = closed_loop(CALLERS, plan.span, command).await?;
            let behind = palmares.position() - bench.sealer(&head).status().await?.sealed_position;
            stopper.stop();
            telling.abort();
            if let Some(sealer) = sealer {
                sealer.await?;
                println!("the sealer was {behind} events behind at the end");
            }
            rows.push(Row::of(if sealing { "sealed" } else { "not sealed" }, CALLERS, measured));
        }
    }
    Ok(results::medians(&rows))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark of what stands behind the gate names its own tenant")]
async fn latencies(bench: &Bench, organization: OrganizationId) -> anyhow::Result<Vec<(String, u64, f64, f64)>> {
    let tenant = Tenant::grant(organization);
    let (mut proving, mut verifying, mut joining) = (Vec::new(), Vec::new(), Vec::new());
    let last = bench.log.head().await?.position;
    let mut keys = None;
    for number in 0..PROOFS {
        let position = last - (crate::load::mix(number) % LEAVES as u64) as i64;
        let start = Instant::now();
        let mut reader = bench.readers.open(tenant, None).await?;
        let proof = GetAuditProof { position: position.to_string() }.run(&mut reader).await?;
        drop(reader);
        proving.push(start.elapsed());

        let start = Instant::now();
        let proof = TlogProof::parse(&proof.proof).context("a proof")?;
        let entry = proof.extra.as_deref().and_then(Entry::from_leaf).context("its leaf")?;
        let (checkpoint, note) = proof.prove(entry.hash()).context("a proof of the leaf")?;
        let keys: &TrustedKeys = keys.get_or_insert_with(|| trusted(&checkpoint, bench));
        anyhow::ensure!(keys.signed(&note, &checkpoint.origin) && entry.position == position, "it is signed");
        verifying.push(start.elapsed());

        let from = 1 + crate::load::mix(number) % (LEAVES as u64 - 1);
        let start = Instant::now();
        let mut reader = bench.readers.open(tenant, None).await?;
        GetAuditConsistency { from }.run(&mut reader).await?;
        drop(reader);
        joining.push(start.elapsed());
    }
    let row = |what: &str, took: Vec<Duration>| {
        let Measured { p50_ms, p99_ms, .. } = crate::load::measured(took, Duration::from_secs(1));
        println!("{what}: p50={p50_ms:.3}ms p99={p99_ms:.3}ms");
        (what.to_owned(), PROOFS, p50_ms, p99_ms)
    };
    Ok(vec![row("inclusion proof", proving), row("its verification", verifying), row("consistency proof", joining)])
}

fn trusted(checkpoint: &Checkpoint, bench: &Bench) -> TrustedKeys {
    let log = checkpoint.origin.rsplit_once('/').map_or("", |(log, _)| log);
    TrustedKeys::new([LogKey { log: log.to_owned(), public: bench.key.verifying_key().to_bytes() }])
}

/// The tables of the page.
pub fn report(measured: Option<&Proofs>) -> String {
    let Some(Proofs { leaves, sealed_per_s, latencies, appends }) = measured else { return "Not measured in this run.\n".to_owned() };
    let mut page = format!("| In a tree of {leaves} leaves | Times | p50 ms | p99 ms |\n|---|--:|--:|--:|\n");
    for (what, times, p50_ms, p99_ms) in latencies {
        let _ = writeln!(page, "| {what} | {times} | {p50_ms:.3} | {p99_ms:.3} |");
    }
    page.push_str("\n| Place a hold, while the log is | Callers | Per second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|\n");
    for Row { system, callers, rate_per_s, p50_ms, p99_ms } in appends {
        let _ = writeln!(page, "| {system} | {callers} | {rate_per_s:.0} | {p50_ms:.1} | {p99_ms:.1} |");
    }
    let rate = |name: &str| appends.iter().find(|row| row.system == name).map_or(0.0, |row| row.rate_per_s);
    let share = rate("sealed") / rate("not sealed");
    let word = |holds| if holds { "holds" } else { "**missed**" };
    let p99 = |name: &str| latencies.iter().find(|row| row.0 == name).map_or(f64::MAX, |row| row.3);
    let (proof, verification) = (p99("inclusion proof"), p99("its verification"));
    let _ = writeln!(page, "\n- Appends while sealing: {share:.2} of the rate without; {SHARE_MIN} or more: {}.", word(share >= SHARE_MIN));
    let _ = writeln!(page, "- A proof: {proof:.2} ms at p99; less than {PROOF_P99_MAX_MS} ms: {}.", word(proof < PROOF_P99_MAX_MS));
    let _ = writeln!(
        page,
        "- Its verification: {verification:.2} ms at p99; less than {VERIFICATION_P99_MAX_MS} ms: {}.",
        word(verification < VERIFICATION_P99_MAX_MS)
    );
    let _ = writeln!(page, "- The sealer catches up with {sealed_per_s:.0} events a second.");
    page
}
