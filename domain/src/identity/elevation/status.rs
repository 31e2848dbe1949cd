//! Where an elevation stands, and which way leads from there.

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of an elevation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ElevationStatus {
    Requested,
    /// Somebody else agreed; it gives nothing before it is started.
    Approved,
    Active,
    Ended,
    /// Its time was over, or nobody started it in time.
    Expired,
    Refused,
    Withdrawn,
    /// Somebody else looked at what was done with it.
    Reviewed,
}

impl ElevationStatus {
    pub const ALL: [ElevationStatus; 8] = [
        ElevationStatus::Requested,
        ElevationStatus::Approved,
        ElevationStatus::Active,
        ElevationStatus::Ended,
        ElevationStatus::Expired,
        ElevationStatus::Refused,
        ElevationStatus::Withdrawn,
        ElevationStatus::Reviewed,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            ElevationStatus::Requested => "REQUESTED",
            ElevationStatus::Approved => "APPROVED",
            ElevationStatus::Active => "ACTIVE",
            ElevationStatus::Ended => "ENDED",
            ElevationStatus::Expired => "EXPIRED",
            ElevationStatus::Refused => "REFUSED",
            ElevationStatus::Withdrawn => "WITHDRAWN",
            ElevationStatus::Reviewed => "REVIEWED",
        }
    }
}

transitions! { ElevationStatus {
    APPROVE: Requested => Approved;
    REFUSE: Requested => Refused;
    WITHDRAW: Requested => Withdrawn;
    START: Approved => Active;
    END: Active => Ended;
    /// By time alone: an approval that nobody used must not wait for ever either.
    EXPIRE: Approved | Active => Expired;
    REVIEW: Ended | Expired => Reviewed;
} }
