//! The rows of `bench/results`, and the medians over runs.

use crate::load::Measured;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::PathBuf;

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub system: String,
    pub callers: usize,
    pub rate_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Row {
    /// Prints what was measured and keeps it.
    pub fn of(system: &str, callers: usize, measured: Measured) -> Self {
        let Measured { rate_per_s, p50_ms, p99_ms } = measured;
        println!("{system:<34} callers={callers:<5} rate={rate_per_s:>8.0}/s p50={p50_ms:.2}ms p99={p99_ms:.2}ms");
        Self { system: system.to_owned(), callers, rate_per_s, p50_ms, p99_ms }
    }
}

/// One row for each system and number of callers, in the order in which they first came.
pub fn medians(rows: &[Row]) -> Vec<Row> {
    let mut medians: Vec<Row> = Vec::new();
    for row in rows {
        if medians.iter().any(|known| known.system == row.system && known.callers == row.callers) {
            continue;
        }
        let same: Vec<&Row> = rows.iter().filter(|other| other.system == row.system && other.callers == row.callers).collect();
        let median = |value: fn(&Row) -> f64| {
            let mut values: Vec<f64> = same.iter().map(|row| value(row)).collect();
            values.sort_unstable_by(f64::total_cmp);
            (values[values.len() / 2] * 1_000.0).round() / 1_000.0
        };
        let (rate_per_s, p50_ms, p99_ms) = (median(|row| row.rate_per_s), median(|row| row.p50_ms), median(|row| row.p99_ms));
        medians.push(Row { rate_per_s, p50_ms, p99_ms, ..row.clone() });
    }
    medians.sort_by_key(|row| medians_order(&row.system));
    medians
}

/// Systems stay together.
fn medians_order(system: &str) -> usize {
    ["palmares", "postgres-es", "batched-insert", "copy"].iter().position(|known| *known == system).unwrap_or(usize::MAX)
}

/// A path inside the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

pub fn write(name: &str, results: &(impl Serialize + ?Sized)) -> anyhow::Result<()> {
    let path = repository("bench/results");
    std::fs::create_dir_all(&path)?;
    let mut json = serde_json::to_string_pretty(results)?;
    json.push('\n');
    Ok(std::fs::write(path.join(format!("{name}.json")), json)?)
}

/// What an earlier part has written; nothing where it has not run.
pub fn read<T: DeserializeOwned>(name: &str) -> anyhow::Result<Option<T>> {
    match std::fs::read(repository("bench/results").join(format!("{name}.json"))) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
