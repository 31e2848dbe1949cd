//! A closed loop: each caller issues its next command when the last one is answered.

use std::future::Future;
use std::time::{Duration, Instant};

/// The part of a measurement that warms up and does not count.
const WARM_UP: f64 = 0.2;

/// What a loop measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub rate_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Spreads numbers evenly (SplitMix64), the same way in every run.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Runs `command` in `callers` loops for `span`; each call gets a number of its own.
pub async fn closed_loop<F, Fut>(callers: usize, span: Duration, command: F) -> anyhow::Result<Measured>
where
    F: Fn(u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = anyhow::Result<()>> + Send,
{
    let counted_from = Instant::now() + span.mul_f64(WARM_UP);
    let end = counted_from + span;
    let tasks: Vec<_> = (0..callers as u64)
        .map(|caller| {
            let command = command.clone();
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(1 << 12);
                for count in 0.. {
                    let start = Instant::now();
                    if start >= end {
                        break;
                    }
                    command(caller << 40 | count).await?;
                    let answered = Instant::now();
                    if answered >= counted_from && answered <= end {
                        latencies.push(answered - start);
                    }
                }
                anyhow::Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(measured(latencies, span))
}

/// Rate and percentiles of what was answered within `span`.
pub fn measured(mut latencies: Vec<Duration>, span: Duration) -> Measured {
    latencies.sort_unstable();
    let percentile = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index.min(latencies.len().saturating_sub(1))).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    Measured { rate_per_s: latencies.len() as f64 / span.as_secs_f64(), p50_ms: percentile(0.5), p99_ms: percentile(0.99) }
}
