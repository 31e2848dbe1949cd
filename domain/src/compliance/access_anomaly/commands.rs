//! What may be asked of an anomaly.

use super::AnomalyVerdict;
use crate::kernel::{AnomalyId, UserId};

#[derive(Clone, Debug)]
pub enum AccessAnomalyCommand {
    Acknowledge(AcknowledgeAnomaly),
}

/// Says that somebody looked at it.
#[derive(Clone, Copy, Debug)]
pub struct AcknowledgeAnomaly {
    pub anomaly_id: AnomalyId,
    /// Who did what looked wrong.
    pub about: UserId,
    pub verdict: AnomalyVerdict,
}
