//! What happens to the legal holds of an organization.

use crate::{
    events,
    kernel::{LegalHoldId, Personal, UserId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A span of time, open at either end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

impl Span {
    /// Whether the two have a moment in common.
    pub fn meets(&self, other: &Span) -> bool {
        let begins_before_end = |one: &Span, two: &Span| one.from.zip(two.until).is_none_or(|(from, until)| from <= until);
        begins_before_end(self, other) && begins_before_end(other, self)
    }

    /// The shortest one that holds both.
    pub fn with(&self, other: &Span) -> Span {
        Span {
            from: self.from.zip(other.from).map(|(one, two)| one.min(two)),
            until: self.until.zip(other.until).map(|(one, two)| one.max(two)),
        }
    }
}

/// What a hold is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldScope {
    /// Nobody named is everybody.
    #[schema(value_type = Vec<String>)]
    pub subjects: BTreeSet<UserId>,
    /// Where nobody is named, whoever has something recorded in it, or that happened in it; at any time where it is missing.
    pub span: Option<Span>,
}

events! {
    /// What happens to the legal holds of an organization.
    pub enum LegalHoldsEvent {
        LegalHoldPlaced = "compliance.legal_hold_placed" v 1 {
            hold_id: LegalHoldId = internal,
            scope: HoldScope = internal,
            placed_by: UserId = internal,
            /// The matter for which it is kept: the hold's, so that it outlives whoever placed it.
            matter: Personal<String> = confidential of hold_id for Case,
        },
        /// What it is on from now on: more than before.
        LegalHoldExtended = "compliance.legal_hold_extended" v 1 {
            hold_id: LegalHoldId = internal,
            scope: HoldScope = internal,
            extended_by: UserId = internal,
        },
        LegalHoldReleased = "compliance.legal_hold_released" v 1 {
            hold_id: LegalHoldId = internal,
            released_by: UserId = internal,
        }
    }
}
