//! What happens to an anomaly.

use super::AnomalyVerdict;
use crate::{
    events,
    kernel::{AnomalyId, UserId},
};

events! {
    /// What happens to an anomaly.
    pub enum AccessAnomalyEvent {
        AnomalyAcknowledged = "compliance.anomaly_acknowledged" v 1 {
            anomaly_id: AnomalyId = internal,
            /// Who did what looked wrong.
            about: UserId = internal,
            verdict: AnomalyVerdict = internal,
            acknowledged_by: UserId = internal,
        }
    }
}
