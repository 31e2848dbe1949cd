//! What kind of breach it is, and how likely it harms people.

use serde::{Deserialize, Serialize};

/// What was breached (GDPR, article 4(12)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreachNature {
    /// Somebody saw what they should not have.
    Confidentiality,
    /// Data was altered.
    Integrity,
    /// Data was lost.
    Availability,
}

impl BreachNature {
    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            BreachNature::Confidentiality => "confidentiality",
            BreachNature::Integrity => "integrity",
            BreachNature::Availability => "availability",
        }
    }
}

/// How likely people are harmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreachRisk {
    /// The authority need not be told (article 33(1)).
    Unlikely,
    /// The authority has to be told.
    Likely,
    /// Those whom it concerns have to be told too (article 34).
    High,
}

impl BreachRisk {
    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            BreachRisk::Unlikely => "unlikely",
            BreachRisk::Likely => "likely",
            BreachRisk::High => "high",
        }
    }
}

/// Why those whom a high risk concerns need not be told one by one (article 34(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotInformedGround {
    /// Nobody could read what was breached, because it was encrypted, for example.
    Unintelligible,
    /// What was done afterwards took the high risk away.
    RiskRemoved,
    /// It would take an effort out of proportion: the public was told instead.
    PublicCommunication,
}

impl NotInformedGround {
    pub const ALL: [NotInformedGround; 3] =
        [NotInformedGround::Unintelligible, NotInformedGround::RiskRemoved, NotInformedGround::PublicCommunication];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            NotInformedGround::Unintelligible => "unintelligible",
            NotInformedGround::RiskRemoved => "risk_removed",
            NotInformedGround::PublicCommunication => "public_communication",
        }
    }
}
