//! `docs/performance.md` and its chart, from the results of the last run.

use crate::chart;
use crate::identity;
use crate::memory::{self, Sample};
use crate::results::{self, Row};
use anyhow::Context;
use std::fmt::Write;

const FRAME: &str = include_str!("report.md");

/// One promise of the benchmark, and what came of it.
struct Floor {
    what: String,
    wanted: String,
    reached: String,
    holds: bool,
}

pub fn write() -> anyhow::Result<()> {
    let environment: String = results::read("environment")?.context("run `palmares-bench store` first")?;
    let store: Vec<Row> = results::read("store")?.context("run `palmares-bench store` first")?;
    let extras: Vec<Row> = results::read("extras")?.unwrap_or_default();
    let projector: Vec<Row> = results::read("projector")?.unwrap_or_default();
    let http: Vec<Row> = results::read("http")?.unwrap_or_default();
    let memory: Vec<Sample> = results::read("memory")?.unwrap_or_default();
    let identity: Option<identity::Identity> = results::read("identity")?;
    let floors = floors(&store, &extras, &projector);
    let page = FRAME
        .replace("{environment}", &environment)
        .replace("{store}", &store_table(&store))
        .replace("{floors}", &floor_table(&floors))
        .replace("{extras}", &plain_table(&extras))
        .replace("{projector}", &plain_table(&projector))
        .replace("{identity}", &identity::report(identity.as_ref()))
        .replace("{protection}", &crate::protection::report(results::read("protection")?.as_ref()))
        .replace("{audit}", &crate::audit::report(results::read("audit")?.as_ref()))
        .replace("{erasure}", &crate::erasure::report(results::read("erasure")?.as_ref()))
        .replace("{proofs}", &crate::proofs::report(results::read("proofs")?.as_ref()))
        .replace("{memory}", &memory::report(&memory))
        .replace("{http}", &if http.is_empty() { "Not measured in this run.\n".to_owned() } else { plain_table(&http) });
    std::fs::write(results::repository("docs/performance.md"), page)?;
    std::fs::write(results::repository("docs/performance.svg"), chart::draw(&store))?;
    println!("\n{}\n{}", store_table(&store), floor_table(&floors));
    Ok(())
}

fn find<'r>(rows: &'r [Row], system: &str, callers: usize) -> Option<&'r Row> {
    rows.iter().find(|row| row.system == system && row.callers == callers)
}

fn any<'r>(rows: &'r [Row], system: &str) -> Option<&'r Row> {
    rows.iter().find(|row| row.system == system)
}

fn floors(store: &[Row], extras: &[Row], projector: &[Row]) -> Vec<Floor> {
    let mut floors = Vec::new();
    let mut floor = |what: String, unit: &str, wanted: f64, reached: f64| {
        let decimals = if unit == "/s" { 0 } else { 2 };
        floors.push(Floor {
            what,
            wanted: format!("{wanted}{unit}"),
            reached: format!("{reached:.decimals$}{unit}"),
            holds: reached >= wanted,
        });
    };
    for (callers, times) in [(1, 1.0), (64, 6.0), (256, 8.0), (1_024, 10.0)] {
        if let (Some(ours), Some(vanilla)) = (find(store, "palmares", callers), find(store, "postgres-es", callers)) {
            floor(format!("rate of vanilla at {callers} callers"), " ×", times, ours.rate_per_s / vanilla.rate_per_s);
        }
    }
    for callers in [64, 256, 1_024] {
        if let (Some(ours), Some(vanilla)) = (find(store, "palmares", callers), find(store, "postgres-es", callers)) {
            floor(format!("vanilla's p50 over our p99 at {callers} callers"), " ×", 1.0, vanilla.p50_ms / ours.p99_ms);
        }
    }
    let best = store.iter().filter(|row| row.system == "palmares").map(|row| row.rate_per_s).fold(0.0, f64::max);
    if let Some(insert) = any(store, "batched-insert") {
        floor("best rate over the batched insert".into(), " ×", 0.5, best / insert.rate_per_s);
    }
    if let Some(hot) = any(extras, "one hot account") {
        floor("commands on one hot account".into(), "/s", 5_000.0, hot.rate_per_s);
    }
    if let (Some(projected), Some(bare), Some(committer)) =
        (any(projector, "balances projector"), any(projector, "bare upsert"), any(projector, "committer at saturation"))
    {
        floor("projector over its bare upsert".into(), " ×", 0.6, projected.rate_per_s / bare.rate_per_s);
        floor("projector over the committer at saturation".into(), " ×", 1.0, projected.rate_per_s / committer.rate_per_s);
    }
    floors
}

fn store_table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| System | Callers | Per second | p50 ms | p99 ms | × vanilla | of the batched insert |\n|---|--:|--:|--:|--:|--:|--:|\n",
    );
    let insert = any(rows, "batched-insert").map(|row| row.rate_per_s);
    for row in rows {
        let vanilla = find(rows, "postgres-es", row.callers).filter(|_| row.system == "palmares");
        let ratio = vanilla.map(|vanilla| format!("{:.1}", row.rate_per_s / vanilla.rate_per_s)).unwrap_or_default();
        let share = insert.map(|insert| format!("{:.2}", row.rate_per_s / insert)).unwrap_or_default();
        let Row { system, callers, rate_per_s, p50_ms, p99_ms } = row;
        let _ = writeln!(table, "| {system} | {callers} | {rate_per_s:.0} | {p50_ms:.2} | {p99_ms:.2} | {ratio} | {share} |");
    }
    table
}

fn plain_table(rows: &[Row]) -> String {
    let mut table = String::from("| Measured | Callers | Per second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|\n");
    for Row { system, callers, rate_per_s, p50_ms, p99_ms } in rows {
        let _ = writeln!(table, "| {system} | {callers} | {rate_per_s:.0} | {p50_ms:.2} | {p99_ms:.2} |");
    }
    table
}

fn floor_table(floors: &[Floor]) -> String {
    let mut table = String::from("| Floor | At least | Reached | |\n|---|--:|--:|---|\n");
    for Floor { what, wanted, reached, holds } in floors {
        let _ = writeln!(table, "| {what} | {wanted} | {reached} | {} |", if *holds { "holds" } else { "**missed**" });
    }
    table
}
