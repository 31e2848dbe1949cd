//! What proving costs: a proof at a million leaves, and its verification.

use crate::load::Measured;
use crate::results;
use crate::sealing::Notary;
use crate::server::Server;
use anyhow::Context;
use palmares_domain::kernel::{OrganizationId, Tenant};
use palmares_projections::{
    compliance::proofs::{GetAuditConsistency, GetAuditProof},
    engine::Query,
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
/// What the design asks for.
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
}

pub async fn measure(server: &Server, notary: &Notary) -> anyhow::Result<()> {
    let organization = OrganizationId(Uuid::now_v7());
    let fill = FILL.replace("{organization}", &organization.0.to_string()).replace("{leaves}", &LEAVES.to_string());
    server.run(&fill).await?;
    server.run("ANALYZE events; CHECKPOINT").await?;
    let start = Instant::now();
    notary.sealer(&Arc::default()).seal_all().await?;
    let sealed_per_s = LEAVES as f64 / start.elapsed().as_secs_f64();
    println!("sealed {LEAVES} events, {sealed_per_s:.0} a second");
    let latencies = latencies(notary, organization).await?;
    results::write("proofs", &Proofs { leaves: LEAVES, sealed_per_s, latencies })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark of what stands behind the gate names its own tenant")]
async fn latencies(notary: &Notary, organization: OrganizationId) -> anyhow::Result<Vec<(String, u64, f64, f64)>> {
    let tenant = Tenant::grant(organization);
    let (mut proving, mut verifying, mut joining) = (Vec::new(), Vec::new(), Vec::new());
    let last = notary.log.head().await?.position;
    let mut keys = None;
    for number in 0..PROOFS {
        let position = last - (crate::load::mix(number) % LEAVES as u64) as i64;
        let start = Instant::now();
        let mut reader = notary.readers.open(tenant, None).await?;
        let proof = GetAuditProof { position: position.to_string() }.run(&mut reader).await?;
        drop(reader);
        proving.push(start.elapsed());

        let start = Instant::now();
        let proof = TlogProof::parse(&proof.proof).context("a proof")?;
        let entry = proof.extra.as_deref().and_then(Entry::from_leaf).context("its leaf")?;
        let (checkpoint, note) = proof.head().filter(|(head, _)| proof.proves(entry.hash(), head)).context("a proof of the leaf")?;
        let keys: &TrustedKeys = keys.get_or_insert_with(|| trusted(&checkpoint, notary));
        anyhow::ensure!(keys.signed(&note, &checkpoint.origin) && entry.position == position, "it is signed");
        verifying.push(start.elapsed());

        let from = 1 + crate::load::mix(number) % (LEAVES as u64 - 1);
        let start = Instant::now();
        let mut reader = notary.readers.open(tenant, None).await?;
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

fn trusted(checkpoint: &Checkpoint, notary: &Notary) -> TrustedKeys {
    let log = checkpoint.origin.rsplit_once('/').map_or("", |(log, _)| log);
    TrustedKeys::new([LogKey { log: log.to_owned(), public: notary.key.verifying_key().to_bytes() }])
}

/// The tables of the page.
pub fn report(measured: Option<&Proofs>) -> String {
    let Some(Proofs { leaves, sealed_per_s, latencies }) = measured else { return "Not measured in this run.\n".to_owned() };
    let mut page = format!("| In a tree of {leaves} leaves | Times | p50 ms | p99 ms |\n|---|--:|--:|--:|\n");
    for (what, times, p50_ms, p99_ms) in latencies {
        let _ = writeln!(page, "| {what} | {times} | {p50_ms:.3} | {p99_ms:.3} |");
    }
    let word = |holds| if holds { "holds" } else { "**missed**" };
    let p99 = |name: &str| latencies.iter().find(|row| row.0 == name).map_or(f64::MAX, |row| row.3);
    let (proof, verification) = (p99("inclusion proof"), p99("its verification"));
    let _ = writeln!(page, "\n- A proof: {proof:.2} ms at p99; less than {PROOF_P99_MAX_MS} ms: {}.", word(proof < PROOF_P99_MAX_MS));
    let _ = writeln!(
        page,
        "- Its verification: {verification:.2} ms at p99; less than {VERIFICATION_P99_MAX_MS} ms: {}.",
        word(verification < VERIFICATION_P99_MAX_MS)
    );
    let _ = writeln!(page, "- The sealer catches up with {sealed_per_s:.0} events a second.");
    page
}
