//! The recorder behind `/metrics`. The buckets make figures of several nodes add up, which summaries
//! do not; `deploy/grafana` and `deploy/prometheus` ask for them by these names.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Around the objectives: p50 under 100 ms, p99 under 500 ms (P-169, P-170).
const REQUEST_SECONDS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Around its objective: a decision in less than a millisecond at p99.
const GATE_SECONDS: &[f64] = &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.1, 1.0];
const BATCH_EVENTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];

/// Observations that wait to be counted are folded this often, so that they do not pile up where
/// nobody asks for the figures.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The recorder of this process; the first call installs it.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("palmares_http_request_seconds".to_owned()), REQUEST_SECONDS)?
        .set_buckets_for_metric(Matcher::Full("palmares_gate_seconds".to_owned()), GATE_SECONDS)?
        .set_buckets_for_metric(Matcher::Full("palmares_store_batch_events".to_owned()), BATCH_EVENTS)?
        .install_recorder()?;
    let upkeep = handle.clone();
    std::thread::Builder::new().name("metrics-upkeep".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP_EVERY);
            upkeep.run_upkeep();
        }
    })?;
    Ok(installed.insert(handle).clone())
}
