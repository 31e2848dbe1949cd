//! What may be asked of a breach.

use super::{BreachNature, BreachRisk, NotInformedGround};
use crate::kernel::BreachId;
use chrono::{DateTime, Utc};

#[derive(Clone, Debug)]
pub enum BreachCaseCommand {
    Open(OpenBreach),
    Assess {
        risk: BreachRisk,
        /// How many people it concerns, about.
        subjects: u32,
        /// What is seen in another light, where it was assessed before.
        reason: Option<String>,
    },
    /// What the authority is told of it (article 33(3)), as far as it is known now.
    Describe(DescribeBreach),
    /// That the authority was told, with its reference where there is one, and why so late where it was. Again
    /// for a reference that came later.
    NotifyAuthority {
        reference: Option<String>,
        delay_reason: Option<String>,
    },
    /// That the authority need not be told.
    Waive {
        reason: String,
    },
    /// That those whom it concerns were told.
    InformSubjects,
    Close {
        /// Why those whom a high risk concerns were not told, where they were not.
        not_informed: Option<NotInformedGround>,
    },
    /// Records that the 72 hours are over, where they are.
    MarkOverdue,
}

/// A breach that somebody became aware of.
#[derive(Clone, Debug)]
pub struct OpenBreach {
    pub breach_id: BreachId,
    pub nature: BreachNature,
    /// What happened. It names nobody.
    pub summary: String,
    pub aware_at: DateTime<Utc>,
}

/// What is known of a breach. The texts name nobody.
#[derive(Clone, Debug)]
pub struct DescribeBreach {
    /// Which kinds of data.
    pub data_categories: String,
    /// Which kinds of people.
    pub people_categories: String,
    /// How many records, about.
    pub records: u32,
    /// What it may lead to.
    pub consequences: String,
    /// What was done, or is to be done.
    pub measures: String,
    /// Where more can be learned: the data protection officer, mostly.
    pub contact: String,
}
