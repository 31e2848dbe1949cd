//! Memory while the log grows: open state is bounded, so what the process holds has to be.

use crate::palmares_system::Palmares;
use crate::results;
use crate::server::Server;
use crate::world::World;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;

const CALLERS: usize = 64;
const ROW_EVERY_EVENTS: i64 = 100_000;
/// Memory rises and falls as states come and go: a row holds the highest of its samples.
const SAMPLED_EVERY_EVENTS: i64 = 5_000;
/// Less than the accounts need, so that the bound is reached soon and not at the end.
const CACHE_BYTES: usize = 64 << 20;
/// What the last third of the run may hold more than the middle one, as a share. Memory goes up and
/// down by some percent as the two generations of the caches take turns; 10 bytes kept for each event
/// would be as much.
pub const GROWTH_MAX: f64 = 0.05;

/// The most that the process held while the log grew to be so long.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub events: i64,
    pub resident_mb: f64,
    /// By the estimate that bounds the states in memory.
    pub states_mb: f64,
    /// Since the row before.
    pub rate_per_s: f64,
}

pub async fn measure(server: &Server, world: &Arc<World>, events: i64) -> anyhow::Result<()> {
    let palmares = Palmares::open_with(server, world, CACHE_BYTES).await?;
    let mut committed = palmares.committed();
    let (next, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    (0..CALLERS).for_each(|_| drop(callers.spawn(work(palmares.clone(), next.clone(), done.clone()))));
    let mut last = sample(&palmares)?;
    let mut samples = vec![last];
    while last.events < events {
        let (since, from, row_ends) = (Instant::now(), last.events, (last.events + ROW_EVERY_EVENTS).min(events));
        let mut row = Sample { resident_mb: 0.0, states_mb: 0.0, ..last };
        while row.events < row_ends {
            let due = (row.events + SAMPLED_EVERY_EVENTS).min(row_ends);
            tokio::select! {
                reached = committed.wait_for(|position| *position >= due) => drop(reached.context("the store has stopped")?),
                Some(ended) = callers.join_next() => ended??,
            }
            let Sample { events, resident_mb, states_mb, .. } = sample(&palmares)?;
            row = Sample { events, resident_mb: resident_mb.max(row.resident_mb), states_mb: states_mb.max(row.states_mb), ..row };
        }
        row.rate_per_s = ((row.events - from) as f64 / since.elapsed().as_secs_f64()).round();
        let Sample { events, resident_mb, states_mb, rate_per_s } = row;
        println!("events={events:<9} resident={resident_mb} MB, states={states_mb} MB, rate={rate_per_s}/s");
        last = row;
        samples.push(last);
    }
    done.store(true, Ordering::Relaxed);
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    println!("{}", verdict(&samples));
    results::write("memory", &samples)
}

/// Places a hold on the next account in turn, then posts or voids it.
async fn work(palmares: Arc<Palmares>, next: Arc<AtomicU64>, done: Arc<AtomicBool>) -> anyhow::Result<()> {
    while !done.load(Ordering::Relaxed) {
        palmares.place_and_close_hold(next.fetch_add(1, Ordering::Relaxed)).await?;
    }
    Ok(())
}

fn sample(palmares: &Palmares) -> anyhow::Result<Sample> {
    let (resident_mb, states_mb) = (mb(resident_bytes()?), mb(palmares.cached_bytes() as f64));
    Ok(Sample { events: palmares.position(), resident_mb, states_mb, rate_per_s: 0.0 })
}

/// Megabytes, to a tenth.
fn mb(bytes: f64) -> f64 {
    (bytes / f64::from(1 << 20) * 10.0).round() / 10.0
}

/// What this process holds in memory; PostgreSQL is not in it.
fn resident_bytes() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the kernel does not say")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1_024.0)
}

/// How much more memory the last third of the run took than the middle one, by the means of their
/// rows, as a share. In the first third the caches fill.
pub fn growth(samples: &[Sample]) -> Option<f64> {
    let third = samples.len() / 3;
    let mean = |rows: &[Sample]| rows.iter().map(|sample| sample.resident_mb).sum::<f64>() / rows.len() as f64;
    let (warm, last) = samples[samples.len() - 2 * third..].split_at(third);
    (third > 0).then(|| mean(last) / mean(warm) - 1.0)
}

/// The table of the page, and whether memory was flat.
pub fn report(samples: &[Sample]) -> String {
    if samples.is_empty() {
        return "Not measured in this run.\n".to_owned();
    }
    let mut table = String::from("| Events in the log | Resident, MB | States, estimated MB | Events per second |\n|--:|--:|--:|--:|\n");
    for Sample { events, resident_mb, states_mb, rate_per_s } in samples {
        table.push_str(&format!("| {events} | {resident_mb:.1} | {states_mb:.1} | {rate_per_s:.0} |\n"));
    }
    format!("{table}\n{}\n", verdict(samples))
}

fn verdict(samples: &[Sample]) -> String {
    let Some(growth) = growth(samples) else { return "Too few samples for a verdict.".to_owned() };
    let holds = if growth <= GROWTH_MAX { "holds" } else { "**missed**" };
    let (growth, most) = (growth * 100.0, GROWTH_MAX * 100.0);
    format!("The last third of the run over the middle one, by the means of their rows: {growth:+.1} %; at most {most:+.0} %: {holds}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident_mb: &[f64]) -> Vec<Sample> {
        let sample =
            |(n, resident_mb): (usize, &f64)| Sample { events: n as i64 * 100, resident_mb: *resident_mb, states_mb: 0.0, rate_per_s: 0.0 };
        resident_mb.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn what_goes_up_and_down_has_not_grown_and_a_line_has() {
        assert_eq!(growth(&samples(&[10.0, 90.0, 100.0, 80.0, 80.0, 100.0])), Some(0.0));
        assert!(growth(&samples(&[100.0, 110.0, 120.0, 130.0, 140.0, 150.0])).is_some_and(|growth| growth > GROWTH_MAX));
        assert_eq!(growth(&samples(&[100.0, 110.0])), None);
    }
}
