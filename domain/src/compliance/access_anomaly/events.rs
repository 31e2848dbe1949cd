//! What happens to an anomaly.

use super::{AnomalyRule, AnomalyVerdict};
use crate::{
    events,
    kernel::{AnomalyId, Personal, UserId},
};

events! {
    /// What happens to an anomaly.
    pub enum AccessAnomalyEvent {
        /// It was found, and people are told.
        AnomalyRaised = "compliance.anomaly_raised" v 1 {
            anomaly_id: AnomalyId = internal,
            rule: AnomalyRule = internal,
            /// Who did what looks wrong.
            about: UserId = internal,
            /// How much was seen by then.
            sightings: u32 = internal,
            /// Who gets a letter.
            told: Vec<UserId> = internal,
        },
        AnomalyAcknowledged = "compliance.anomaly_acknowledged" v 1 {
            anomaly_id: AnomalyId = internal,
            /// Who did what looked wrong.
            about: UserId = internal,
            verdict: AnomalyVerdict = internal,
            acknowledged_by: UserId = internal,
            /// What was found out. It is about the case: whom it names is not told of it as theirs.
            note: Option<Personal<String>> = confidential of anomaly_id for Case,
        }
    }
}
