//! Where a breach stands, and which way leads from there.

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BreachStatus {
    Opened,
    /// How likely it harms people is known.
    Assessed,
    /// The authority was told.
    Notified,
    /// The authority need not be told, for a reason.
    NotRequired,
    Closed,
}

impl BreachStatus {
    pub const ALL: [BreachStatus; 5] =
        [BreachStatus::Opened, BreachStatus::Assessed, BreachStatus::Notified, BreachStatus::NotRequired, BreachStatus::Closed];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            BreachStatus::Opened => "OPENED",
            BreachStatus::Assessed => "ASSESSED",
            BreachStatus::Notified => "NOTIFIED",
            BreachStatus::NotRequired => "NOT_REQUIRED",
            BreachStatus::Closed => "CLOSED",
        }
    }

    /// Where a breach that stands here is after an event that by itself leads to `reached`: once the authority
    /// was told, it stays told, whatever else is found out.
    pub fn with(self, reached: BreachStatus) -> Self {
        match (self, reached) {
            (BreachStatus::Notified, BreachStatus::Assessed) => BreachStatus::Notified,
            _ => reached,
        }
    }

    /// Whether the clock of the authority runs.
    pub fn is_on_the_clock(self) -> bool {
        matches!(self, BreachStatus::Opened | BreachStatus::Assessed)
    }
}

transitions! { BreachStatus {
    /// Again, as long as more is found out.
    ASSESS: Opened | Assessed | NotRequired => Assessed;
    /// What is found out after the authority was told: it was told all the same.
    ASSESS_NOTIFIED: Notified => Notified;
    /// Also before it is assessed in full: information may follow in phases (GDPR, article 33(4)).
    NOTIFY: Opened | Assessed => Notified;
    WAIVE: Assessed => NotRequired;
    CLOSE: Notified | NotRequired => Closed;
} }
