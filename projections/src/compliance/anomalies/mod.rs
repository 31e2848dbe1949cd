//! What in the audit log looks wrong: found by rules, and shown until somebody looked at it.

mod fold;
mod query;
mod rules;

pub use fold::Anomalies;
pub use query::{Anomaly, AnomalyStatus, ListAnomalies, anomaly_about};
pub use rules::Rule;

/// The projection's public name.
pub const PROJECTION: &str = "anomalies";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.anomalies.see", fold::SEE),
    ("compliance.anomalies.forget", fold::FORGET),
    ("compliance.anomalies.count", fold::COUNT),
    ("compliance.anomalies.grow", fold::GROW),
    ("compliance.anomalies.raise", fold::RAISE),
    ("compliance.anomalies.acknowledge", fold::ACKNOWLEDGE),
    ("compliance.anomalies.list", query::LIST),
    ("compliance.anomalies.about", query::ABOUT),
];
