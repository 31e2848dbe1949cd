//! What happens to a deletion.

use super::{
    Checked, DeletionKind, DeletionStatus, DeletionSubject, ErasureStep, ForcedGround, PurgeConditions, RefusalGround, Retained, status,
};
use crate::{
    events,
    kernel::{DeletionRequestId, Personal, Purpose, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a deletion. Who is deleted stands in it as a random id.
    pub enum DeletionEvent {
        DeletionSubmitted = "compliance.deletion_submitted" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            kind: DeletionKind = internal,
            requested_by: UserId = internal,
            /// Of whom the reason speaks: the user to be deleted; of an organization, whoever asked.
            concerns: UserId = internal,
            ground: Option<ForcedGround> = internal,
            /// How a forced deletion's incident is known elsewhere.
            incident: Option<String> = internal,
            reason: Option<Personal<String>> = confidential of concerns for Profile,
        },
        DeletionVerified = "compliance.deletion_verified" v 1 {
            request_id: DeletionRequestId = internal,
        },
        DeletionReviewBegun = "compliance.deletion_review_begun" v 1 {
            request_id: DeletionRequestId = internal,
        },
        DeletionApproved = "compliance.deletion_approved" v 1 {
            request_id: DeletionRequestId = internal,
            approved_by: UserId = internal,
            /// What had to be clear, with what was found.
            checks: Vec<Checked> = internal,
        },
        DeletionGraceBegun = "compliance.deletion_grace_begun" v 1 {
            request_id: DeletionRequestId = internal,
            grace_until: DateTime<Utc> = internal,
        },
        DeletionRefused = "compliance.deletion_refused" v 1 {
            request_id: DeletionRequestId = internal,
            refused_by: UserId = internal,
            ground: RefusalGround = internal,
            /// Who asked for their own deletion, and gets a letter. Missing of what others asked for, and in what was
            /// recorded before there was one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            told: Option<UserId> = internal,
        },
        DeletionCancelled = "compliance.deletion_cancelled" v 1 {
            request_id: DeletionRequestId = internal,
            cancelled_by: UserId = internal,
        },
        /// What follows where whoever cancels it says why, which they have to of what a person asked for themselves.
        CancellationExplained = "compliance.cancellation_explained" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            cancelled_by: UserId = internal,
            /// Who asked for their own deletion, and gets a letter.
            told: Option<UserId> = internal,
            /// Of whom the reason speaks: the user; of an organization, whoever cancelled it.
            concerns: UserId = internal,
            reason: Personal<String> = confidential of concerns for Profile,
        },
        DeletionHeld = "compliance.deletion_held" v 1 {
            request_id: DeletionRequestId = internal,
        },
        /// The deletion goes on where it stood.
        DeletionHoldLifted = "compliance.deletion_hold_lifted" v 1 {
            request_id: DeletionRequestId = internal,
            status: DeletionStatus = internal,
            due_at: Option<DateTime<Utc>> = internal,
        },
        SubjectSoftDeleted = "compliance.subject_soft_deleted" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            /// Who asked for it.
            deleted_by: UserId = internal,
            restore_until: DateTime<Utc> = internal,
        },
        SubjectRestored = "compliance.subject_restored" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            restored_by: UserId = internal,
        },
        /// What follows where whoever undoes it says why, which they have to of what a person asked for themselves.
        RestorationExplained = "compliance.restoration_explained" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            restored_by: UserId = internal,
            /// Of whom the reason speaks: the user; of an organization, whoever restored it.
            concerns: UserId = internal,
            reason: Personal<String> = confidential of concerns for Profile,
        },
        /// From here on there is no way back: no hold was in the way, and a later one comes too late.
        ErasureBegun = "compliance.erasure_begun" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            round: u32 = internal,
            purposes: Vec<Purpose> = internal,
        },
        ErasureStepDone = "compliance.erasure_step_done" v 1 {
            request_id: DeletionRequestId = internal,
            round: u32 = internal,
            step: ErasureStep = internal,
            count: i64 = internal,
        },
        /// What follows an order of destruction in read models: they forget the subject.
        SubjectErased = "compliance.subject_erased" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            purposes: Vec<Purpose> = internal,
        },
        SubjectAnonymised = "compliance.subject_anonymised" v 1 {
            request_id: DeletionRequestId = internal,
            certificate: String = internal,
        },
        RetentionCountdownBegun = "compliance.retention_countdown_begun" v 1 {
            request_id: DeletionRequestId = internal,
            retained: Vec<Retained> = internal,
            backups_until: DateTime<Utc> = internal,
            /// When there is something to destroy next, or to purge.
            due_at: DateTime<Utc> = internal,
        },
        RetentionRescheduled = "compliance.retention_rescheduled" v 1 {
            request_id: DeletionRequestId = internal,
            retained: Vec<Retained> = internal,
            backups_until: DateTime<Utc> = internal,
            due_at: DateTime<Utc> = internal,
        },
        /// A round is over, and something is still kept.
        ErasureCertified = "compliance.erasure_certified" v 1 {
            request_id: DeletionRequestId = internal,
            certificate: String = internal,
        },
        DeletionPurged = "compliance.deletion_purged" v 1 {
            request_id: DeletionRequestId = internal,
            subject: DeletionSubject = internal,
            certificate: String = internal,
            conditions: PurgeConditions = internal,
        }
    }
}

impl DeletionEvent {
    /// Which request it is about.
    pub fn request_id(&self) -> DeletionRequestId {
        match self {
            DeletionEvent::DeletionSubmitted(event) => event.request_id,
            DeletionEvent::DeletionVerified(event) => event.request_id,
            DeletionEvent::DeletionReviewBegun(event) => event.request_id,
            DeletionEvent::DeletionApproved(event) => event.request_id,
            DeletionEvent::DeletionGraceBegun(event) => event.request_id,
            DeletionEvent::DeletionRefused(event) => event.request_id,
            DeletionEvent::DeletionCancelled(event) => event.request_id,
            DeletionEvent::CancellationExplained(event) => event.request_id,
            DeletionEvent::DeletionHeld(event) => event.request_id,
            DeletionEvent::DeletionHoldLifted(event) => event.request_id,
            DeletionEvent::SubjectSoftDeleted(event) => event.request_id,
            DeletionEvent::SubjectRestored(event) => event.request_id,
            DeletionEvent::RestorationExplained(event) => event.request_id,
            DeletionEvent::ErasureBegun(event) => event.request_id,
            DeletionEvent::ErasureStepDone(event) => event.request_id,
            DeletionEvent::SubjectErased(event) => event.request_id,
            DeletionEvent::SubjectAnonymised(event) => event.request_id,
            DeletionEvent::RetentionCountdownBegun(event) => event.request_id,
            DeletionEvent::RetentionRescheduled(event) => event.request_id,
            DeletionEvent::ErasureCertified(event) => event.request_id,
            DeletionEvent::DeletionPurged(event) => event.request_id,
        }
    }

    /// The state it brings the deletion to, where it changes it.
    pub fn status(&self) -> Option<DeletionStatus> {
        Some(match self {
            DeletionEvent::DeletionSubmitted(_) => DeletionStatus::Submitted,
            DeletionEvent::DeletionVerified(_) => status::VERIFY.to,
            DeletionEvent::DeletionReviewBegun(_) => status::REVIEW.to,
            DeletionEvent::DeletionGraceBegun(_) => status::APPROVE.to,
            DeletionEvent::DeletionRefused(_) => status::REFUSE.to,
            DeletionEvent::DeletionCancelled(_) => status::CANCEL.to,
            DeletionEvent::DeletionHeld(_) => status::HOLD.to,
            DeletionEvent::DeletionHoldLifted(lifted) => lifted.status,
            DeletionEvent::SubjectSoftDeleted(_) => status::SOFT_DELETE.to,
            DeletionEvent::SubjectRestored(_) => status::RESTORE.to,
            DeletionEvent::SubjectAnonymised(_) => status::ANONYMISE.to,
            DeletionEvent::RetentionCountdownBegun(_) => status::COUNT_DOWN.to,
            DeletionEvent::DeletionPurged(_) => status::PURGE.to,
            DeletionEvent::DeletionApproved(_)
            | DeletionEvent::CancellationExplained(_)
            | DeletionEvent::RestorationExplained(_)
            | DeletionEvent::ErasureBegun(_)
            | DeletionEvent::ErasureStepDone(_)
            | DeletionEvent::SubjectErased(_)
            | DeletionEvent::RetentionRescheduled(_)
            | DeletionEvent::ErasureCertified(_) => return None,
        })
    }

    /// When something is to be done next, where the event says so.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self {
            DeletionEvent::DeletionGraceBegun(begun) => Some(begun.grace_until),
            DeletionEvent::SubjectSoftDeleted(deleted) => Some(deleted.restore_until),
            DeletionEvent::RetentionCountdownBegun(begun) => Some(begun.due_at),
            DeletionEvent::RetentionRescheduled(rescheduled) => Some(rescheduled.due_at),
            DeletionEvent::DeletionHoldLifted(lifted) => lifted.due_at,
            _ => None,
        }
    }
}
