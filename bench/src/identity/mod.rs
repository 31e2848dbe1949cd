//! What deciding, the gate and signing in cost.

mod decisions;
mod gate;
mod sign_in;

use crate::Plan;
use crate::results::{self, Row};
use crate::running::Running;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::time::Duration;

/// A decision has to take less at p99 (issue: authorization).
const DECISION_P99_MAX_MS: f64 = 1.0;

/// What was measured.
#[derive(Serialize, Deserialize)]
pub struct Identity {
    decisions: Vec<Latencies>,
    gate: Vec<Share>,
    sign_in: Vec<Row>,
}

/// How long one thing took, many times.
#[derive(Serialize, Deserialize)]
struct Latencies {
    what: String,
    count: usize,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
}

impl Latencies {
    fn of(what: &str, mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).map_or(0.0, |took| took.as_secs_f64() * 1e6);
        let latencies = Self { what: what.to_owned(), count: took.len(), p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) };
        let Self { what, count, p50_us, p99_us, p999_us } = &latencies;
        println!("{what}: {count} times, p50={p50_us:.1}µs p99={p99_us:.1}µs p999={p999_us:.1}µs");
        latencies
    }
}

/// How much of a request is the gate's.
#[derive(Serialize, Deserialize)]
struct Share {
    what: String,
    callers: usize,
    requests: u64,
    request_us: f64,
    gate_us: f64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<()> {
    let decisions = decisions::measure()?;
    let running = Running::start().await?;
    let administrator = running.administrator()?;
    let sign_in = sign_in::measure(&administrator, plan).await?;
    let gate = gate::measure(&administrator, plan).await?;
    results::write("identity", &Identity { decisions, gate, sign_in })
}

/// The tables of the page.
pub fn report(measured: Option<&Identity>) -> String {
    let Some(Identity { decisions, gate, sign_in }) = measured else { return "Not measured in this run.\n".to_owned() };
    let mut page = String::from("| Measured | Times | p50 µs | p99 µs | p99.9 µs |\n|---|--:|--:|--:|--:|\n");
    for Latencies { what, count, p50_us, p99_us, p999_us } in decisions {
        let _ = writeln!(page, "| {what} | {count} | {p50_us:.1} | {p99_us:.1} | {p999_us:.1} |");
    }
    page.push('\n');
    for Latencies { what, p99_us, .. } in decisions.iter().filter(|row| row.what.starts_with("decision")) {
        let (p99_ms, holds) = (p99_us / 1e3, if p99_us / 1e3 < DECISION_P99_MAX_MS { "holds" } else { "**missed**" });
        let _ = writeln!(page, "- {what}: {p99_ms:.2} ms at p99; less than {DECISION_P99_MAX_MS} ms: {holds}.");
    }
    page.push_str(
        "\n| Place a hold over HTTP | Callers | Requests | Whole request, mean µs | Gate, mean µs | Share |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for Share { what, callers, requests, request_us, gate_us } in gate {
        let _ =
            writeln!(page, "| {what} | {callers} | {requests} | {request_us:.0} | {gate_us:.0} | {:.1} % |", gate_us / request_us * 100.0);
    }
    page.push_str("\n| Measured | Callers | Per second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|\n");
    for Row { system, callers, rate_per_s, p50_ms, p99_ms } in sign_in {
        let _ = writeln!(page, "| {system} | {callers} | {rate_per_s:.1} | {p50_ms:.1} | {p99_ms:.1} |");
    }
    page
}
