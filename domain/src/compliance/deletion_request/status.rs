//! Where a deletion stands, and which way leads from there (B.3).

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of B.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletionStatus {
    Submitted,
    /// Whoever asked has shown a second factor; the subject may no longer act (A2).
    MfaVerified,
    InReview,
    /// Approved, and nothing is gone yet.
    Grace,
    Refused,
    Cancelled,
    /// Hidden from everyone, and restorable for a while.
    SoftDeleted,
    Restored,
    /// Nothing names the subject any more, but what the law keeps.
    Anonymised,
    RetentionCountdown,
    Purged,
    /// A legal hold stops it where it stood.
    Held,
}

impl DeletionStatus {
    pub const ALL: [DeletionStatus; 12] = [
        DeletionStatus::Submitted,
        DeletionStatus::MfaVerified,
        DeletionStatus::InReview,
        DeletionStatus::Grace,
        DeletionStatus::Refused,
        DeletionStatus::Cancelled,
        DeletionStatus::SoftDeleted,
        DeletionStatus::Restored,
        DeletionStatus::Anonymised,
        DeletionStatus::RetentionCountdown,
        DeletionStatus::Purged,
        DeletionStatus::Held,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            DeletionStatus::Submitted => "SUBMITTED",
            DeletionStatus::MfaVerified => "MFA_VERIFIED",
            DeletionStatus::InReview => "IN_REVIEW",
            DeletionStatus::Grace => "GRACE",
            DeletionStatus::Refused => "REFUSED",
            DeletionStatus::Cancelled => "CANCELLED",
            DeletionStatus::SoftDeleted => "SOFT_DELETED",
            DeletionStatus::Restored => "RESTORED",
            DeletionStatus::Anonymised => "ANONYMISED",
            DeletionStatus::RetentionCountdown => "RETENTION_COUNTDOWN",
            DeletionStatus::Purged => "PURGED",
            DeletionStatus::Held => "HELD",
        }
    }

    /// Whether it was agreed to, and goes on to its end unless somebody stops it.
    pub fn is_approved(self) -> bool {
        use DeletionStatus::{Anonymised, Grace, Purged, RetentionCountdown, SoftDeleted};
        matches!(self, Grace | SoftDeleted | Anonymised | RetentionCountdown | Purged)
    }

    /// Whether nothing follows by itself, and the subject is there as before: it can be asked for anew.
    pub fn is_over(self) -> bool {
        matches!(self, DeletionStatus::Refused | DeletionStatus::Cancelled | DeletionStatus::Restored)
    }
}

transitions! { DeletionStatus {
    VERIFY: Submitted => MfaVerified;
    REVIEW: MfaVerified => InReview;
    /// With the last approval that it needs.
    APPROVE: InReview => Grace;
    REFUSE: InReview => Refused;
    /// B.3 has the grace period; before it, whoever asked may think better of it too.
    CANCEL: Submitted | MfaVerified | InReview | Grace => Cancelled;
    SOFT_DELETE: Grace => SoftDeleted;
    /// 6.4: within the recovery window.
    RESTORE: SoftDeleted => Restored;
    ANONYMISE: SoftDeleted => Anonymised;
    COUNT_DOWN: Anonymised => RetentionCountdown;
    PURGE: RetentionCountdown => Purged;
    /// E-162. What ends it leads back to where it stood.
    HOLD: Submitted | MfaVerified | InReview | Grace | SoftDeleted | Anonymised | RetentionCountdown => Held;
    RESUBMIT: Refused | Cancelled | Restored => Submitted;
} }
