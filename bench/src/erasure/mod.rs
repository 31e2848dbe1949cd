//! The erasure of somebody with many events, and what waits for it meanwhile.

#[cfg(feature = "embedded")]
mod process;

#[cfg(feature = "embedded")]
pub use process::measure;

use crate::results::Row;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

#[cfg(not(feature = "embedded"))]
pub async fn measure(_: &crate::server::Server, _: &std::sync::Arc<crate::world::World>, _: &crate::Plan) -> anyhow::Result<()> {
    anyhow::bail!("an erasure is measured with the feature `embedded`, which has its process")
}

/// What was measured.
#[derive(Serialize, Deserialize)]
pub struct Erasures {
    /// Of each subject, and of everybody else.
    events: u64,
    others: u64,
    /// Milliseconds of each step, medians over the subjects, in their order.
    steps: Vec<(String, f64)>,
    appends: Vec<Row>,
}

/// The tables of the page.
pub fn report(measured: Option<&Erasures>) -> String {
    let Some(Erasures { events, others, steps, appends }) = measured else { return "Not measured in this run.\n".to_owned() };
    let mut page = format!("| A subject with {events} events, beside {others} sealed values of others | ms |\n|---|--:|\n");
    for (step, took_ms) in steps {
        let _ = writeln!(page, "| {step} | {took_ms:.1} |");
    }
    let total: f64 = steps.iter().map(|(_, took_ms)| took_ms).sum();
    let _ = writeln!(page, "| from the order to the certificate | {total:.1} |");
    page.push_str("\n| Place a hold | Callers | Per second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|\n");
    for Row { system, callers, rate_per_s, p50_ms, p99_ms } in appends {
        let _ = writeln!(page, "| {system} | {callers} | {rate_per_s:.0} | {p50_ms:.1} | {p99_ms:.1} |");
    }
    page
}
