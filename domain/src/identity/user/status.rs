//! Where a user stands, and which way leads from there (B.1).

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of B.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// Asked to join, by someone who may.
    Invited,
    /// Accepted; what the organization asks of newcomers is not complete yet.
    PendingActivation,
    Active,
    Suspended,
    Deactivated,
    /// May still export their data and change their mind.
    DeletionRequested,
    /// Gone for everyone: restorable for a while, then erased, and something is kept of them by law.
    SoftDeleted,
    /// Gone for ever.
    Purged,
}

impl UserStatus {
    pub const ALL: [UserStatus; 8] = [
        UserStatus::Invited,
        UserStatus::PendingActivation,
        UserStatus::Active,
        UserStatus::Suspended,
        UserStatus::Deactivated,
        UserStatus::DeletionRequested,
        UserStatus::SoftDeleted,
        UserStatus::Purged,
    ];

    /// Whether somebody may sign in: who is to be deleted may still export and cancel (A2).
    pub fn may_sign_in(self) -> bool {
        matches!(self, UserStatus::Active | UserStatus::DeletionRequested)
    }

    /// Whether somebody is gone for everyone, be it for a while.
    pub fn is_deleted(self) -> bool {
        matches!(self, UserStatus::SoftDeleted | UserStatus::Purged)
    }

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            UserStatus::Invited => "INVITED",
            UserStatus::PendingActivation => "PENDING_ACTIVATION",
            UserStatus::Active => "ACTIVE",
            UserStatus::Suspended => "SUSPENDED",
            UserStatus::Deactivated => "DEACTIVATED",
            UserStatus::DeletionRequested => "DELETION_REQUESTED",
            UserStatus::SoftDeleted => "SOFT_DELETED",
            UserStatus::Purged => "PURGED",
        }
    }
}

transitions! { UserStatus {
    /// E-144: the invitation is accepted.
    BEGIN_ACTIVATION: Invited => PendingActivation;
    /// E-145: what is asked of newcomers is complete.
    ACTIVATE: PendingActivation => Active;
    /// E-146
    SUSPEND: Active => Suspended;
    /// E-148
    RESUME: Suspended => Active;
    /// A1
    DEACTIVATE: Active | Suspended => Deactivated;
    /// E-153: with a recorded approval.
    REACTIVATE: Deactivated => Active;
    /// E-147, A1
    REQUEST_DELETION: Active | Suspended | Deactivated => DeletionRequested;
    /// A1: within the grace period.
    CANCEL_DELETION: DeletionRequested => Active;
    /// E-149
    SOFT_DELETE: DeletionRequested => SoftDeleted;
    /// 6.4: within the recovery window.
    RESTORE: SoftDeleted => Active;
    /// E-150
    PURGE: SoftDeleted => Purged;
} }
