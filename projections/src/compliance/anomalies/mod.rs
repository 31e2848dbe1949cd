//! What in the audit log looks wrong: found by rules, and shown until somebody looked at it.

mod fold;
mod officers;
mod query;
mod raised;
mod rules;
mod watch;

pub use fold::Anomalies;
pub use query::{Anomaly, AnomalyStatus, ListAnomalies, anomaly_about};
pub use raised::{Raised, raised_by, watching};

use palmares_domain::{
    compliance::access_anomaly::AnomalyRule,
    kernel::{AnomalyId, RecordedEvent, derive_uuid},
};

/// The projection's public name.
pub const PROJECTION: &str = "anomalies";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.anomalies.seen", fold::SEEN),
    ("compliance.anomalies.open", fold::OPEN),
    ("compliance.anomalies.forget", fold::FORGET),
    ("compliance.anomalies.see", fold::SEE),
    ("compliance.anomalies.raise", fold::RAISE),
    ("compliance.anomalies.acknowledge", fold::ACKNOWLEDGE),
    ("compliance.anomalies.officers", officers::OFFICERS),
    ("compliance.anomalies.join", officers::JOIN),
    ("compliance.anomalies.leave", officers::LEAVE),
    ("compliance.anomalies.list", query::LIST),
    ("compliance.anomalies.about", query::ABOUT),
    ("compliance.anomalies.raised", raised::RAISED),
    ("compliance.anomalies.to_tell", raised::TO_TELL),
];

/// The id of what an event raises by a rule.
fn anomaly_id(event: &RecordedEvent, rule: AnomalyRule) -> AnomalyId {
    AnomalyId(derive_uuid("anomaly", &[event.id.0.as_bytes(), rule.name().as_bytes()]))
}
