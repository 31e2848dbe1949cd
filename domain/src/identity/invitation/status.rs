//! Where an invitation stands, and which way leads from there (B.3).

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of B.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InvitationStatus {
    /// Sent, and waiting for an answer.
    Pending,
    /// The invited person said yes; what is asked of them is not complete yet.
    Accepted,
    /// Everything is done: the invited person is an active user.
    Active,
    /// Its time ran out before it was accepted.
    Expired,
    /// Taken back before it was accepted.
    Revoked,
}

impl InvitationStatus {
    pub const ALL: [InvitationStatus; 5] = [
        InvitationStatus::Pending,
        InvitationStatus::Accepted,
        InvitationStatus::Active,
        InvitationStatus::Expired,
        InvitationStatus::Revoked,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            InvitationStatus::Pending => "PENDING",
            InvitationStatus::Accepted => "ACCEPTED",
            InvitationStatus::Active => "ACTIVE",
            InvitationStatus::Expired => "EXPIRED",
            InvitationStatus::Revoked => "REVOKED",
        }
    }
}

transitions! { InvitationStatus {
    /// E-130: as a new token only; the one before it ends.
    REISSUE: Pending | Expired => Pending;
    /// E-128
    ACCEPT: Pending => Accepted;
    /// E-128: what is asked of newcomers is complete.
    COMPLETE: Accepted => Active;
    /// E-129
    EXPIRE: Pending => Expired;
    REVOKE: Pending => Revoked;
} }
