//! What may be asked of an anomaly.

use super::{AnomalyRule, AnomalyVerdict};
use crate::kernel::{AnomalyId, UserId};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub enum AccessAnomalyCommand {
    Raise(RaiseAnomaly),
    Acknowledge(AcknowledgeAnomaly),
}

/// Tells people of it.
#[derive(Clone, Debug)]
pub struct RaiseAnomaly {
    pub anomaly_id: AnomalyId,
    pub rule: AnomalyRule,
    /// Who did what looks wrong.
    pub about: UserId,
    pub sightings: u32,
    /// Who is told: never whom it is about.
    pub told: BTreeSet<UserId>,
}

/// Says that somebody looked at it.
#[derive(Clone, Debug)]
pub struct AcknowledgeAnomaly {
    pub anomaly_id: AnomalyId,
    /// Who did what looked wrong.
    pub about: UserId,
    pub verdict: AnomalyVerdict,
    /// What was found out.
    pub note: Option<String>,
}
