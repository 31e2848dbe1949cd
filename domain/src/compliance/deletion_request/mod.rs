//! The deletion of one user or organization, from the wish to the certificate (7A to 7E, B.3).
//!
//! A subject has one request: who asks again after it was refused, cancelled or undone goes on with the
//! same stream, and so does whoever asks where somebody else did and has not proven it. Nothing is destroyed before a grace period, in which it can be cancelled, and a recovery
//! window, in which it can be undone, are over. Destroying is a row of steps, each an event, and each step
//! follows the one before it.

mod aggregate;
mod asked;
mod commands;
mod errors;
mod events;
mod status;
#[cfg(test)]
mod tests;
mod words;

pub use aggregate::{DeletionRequest, Dossier, Erasure, FORCED_APPROVALS};
pub use commands::{Approve, CancelDeletion, Certify, DeletionCommand, RestoreDeletion, SubmitDeletion};
pub use errors::DeletionError;
pub use events::{
    CancellationExplained, DeletionApproved, DeletionCancelled, DeletionEvent, DeletionGraceBegun, DeletionHeld, DeletionHoldLifted,
    DeletionPurged, DeletionRefused, DeletionReviewBegun, DeletionSubmitted, DeletionVerified, ErasureBegun, ErasureCertified,
    ErasureStepDone, RestorationExplained, RetentionCountdownBegun, RetentionRescheduled, SubjectAnonymised, SubjectErased,
    SubjectRestored, SubjectSoftDeleted,
};
pub use status::DeletionStatus;
pub use words::{
    Check, CheckOutcome, Checked, DeletionKind, DeletionSubject, ErasureStep, ForcedGround, PurgeConditions, RefusalGround, Retained,
};
