//! Something in the audit log that looks wrong, in a stream under the anomaly's id: that people were told of
//! it, and what somebody said who looked.
//!
//! That it looks wrong needs no event: the log says so to whoever counts, and always the same. Telling does,
//! because nobody is told twice.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::AccessAnomaly;
pub use commands::{AccessAnomalyCommand, AcknowledgeAnomaly, RaiseAnomaly};
pub use errors::AccessAnomalyError;
pub use events::{AccessAnomalyEvent, AnomalyAcknowledged, AnomalyRaised};

use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnomalyRule {
    /// Somebody named other organizations again and again (E-87).
    CrossTenantAttempts,
    /// Somebody looked at what is of many people.
    MassReads,
    /// Somebody took out what is of everybody.
    MassExports,
    /// Somebody reached for more rights again and again.
    EscalationAttempts,
    /// Somebody changed who the compliance officers are, who keep watch over administrators (E-47).
    ComplianceOfficersChanged,
}

impl AnomalyRule {
    pub const ALL: [AnomalyRule; 5] = [
        AnomalyRule::CrossTenantAttempts,
        AnomalyRule::MassReads,
        AnomalyRule::MassExports,
        AnomalyRule::EscalationAttempts,
        AnomalyRule::ComplianceOfficersChanged,
    ];

    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossTenantAttempts => "CROSS_TENANT_ATTEMPTS",
            Self::MassReads => "MASS_READS",
            Self::MassExports => "MASS_EXPORTS",
            Self::EscalationAttempts => "ESCALATION_ATTEMPTS",
            Self::ComplianceOfficersChanged => "COMPLIANCE_OFFICERS_CHANGED",
        }
    }
}

/// What it was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnomalyVerdict {
    /// As it should be.
    Expected,
    /// It was not, and it was seen to.
    Handled,
}

impl AnomalyVerdict {
    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expected => "EXPECTED",
            Self::Handled => "HANDLED",
        }
    }
}
