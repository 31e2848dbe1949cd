//! Why something is refused of an anomaly.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessAnomalyError {
    #[error("somebody looked at it already")]
    AlreadyAcknowledged,
    #[error("nobody judges what they did themselves")]
    OwnAnomaly,
}

impl Refusal for AccessAnomalyError {
    fn code(&self) -> Code {
        match self {
            Self::AlreadyAcknowledged => Code::Conflict,
            Self::OwnAnomaly => Code::AccessDenied,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyAcknowledged => "compliance.anomaly_already_acknowledged",
            Self::OwnAnomaly => "compliance.own_anomaly",
        }
    }

    fn is_attempt(&self) -> bool {
        *self == Self::OwnAnomaly
    }
}
