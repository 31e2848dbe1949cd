//! Where a sign-up stands, and which way leads from there.

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignupStatus {
    /// Something is asked of the person.
    Pending,
    /// Somebody who may has to say yes or no.
    AwaitingApproval,
    /// Every hook was passed: the person is an active user.
    Active,
    /// Somebody who may said no.
    Refused,
    /// Its time ran out.
    Expired,
}

impl SignupStatus {
    pub const ALL: [SignupStatus; 5] =
        [SignupStatus::Pending, SignupStatus::AwaitingApproval, SignupStatus::Active, SignupStatus::Refused, SignupStatus::Expired];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            SignupStatus::Pending => "PENDING",
            SignupStatus::AwaitingApproval => "AWAITING_APPROVAL",
            SignupStatus::Active => "ACTIVE",
            SignupStatus::Refused => "REFUSED",
            SignupStatus::Expired => "EXPIRED",
        }
    }

    /// Whether it goes on.
    pub fn is_open(self) -> bool {
        matches!(self, SignupStatus::Pending | SignupStatus::AwaitingApproval)
    }
}

transitions! { SignupStatus {
    /// A link or a code is sent, for the first time or again, or after an approval.
    ASK_PERSON: Pending | AwaitingApproval => Pending;
    /// T-46
    ASK_APPROVAL: Pending => AwaitingApproval;
    /// T-44: the last hook is passed.
    COMPLETE: Pending | AwaitingApproval => Active;
    REFUSE: Pending | AwaitingApproval => Refused;
    EXPIRE: Pending | AwaitingApproval => Expired;
} }
