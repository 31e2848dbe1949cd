//! What may be asked of a deletion.

use super::{Checked, DeletionKind, DeletionSubject, ErasureStep, ForcedGround, RefusalGround, Retained};
use crate::kernel::{DeletionRequestId, Purpose};
use chrono::{DateTime, Utc};
use std::fmt;

#[derive(Clone, Debug)]
pub enum DeletionCommand {
    Submit(SubmitDeletion),
    /// Whoever asked has shown a second factor.
    Verify,
    Approve(Approve),
    Refuse(RefusalGround),
    Cancel(CancelDeletion),
    /// The grace period is over, where it is.
    EndGrace {
        held: bool,
        recovery_days: u32,
    },
    Restore(RestoreDeletion),
    /// The time of these purposes has come, where it has.
    BeginErasure {
        held: bool,
        purposes: Vec<Purpose>,
    },
    RecordStep {
        step: ErasureStep,
        /// How many keys, projections or rows it was.
        count: i64,
    },
    Certify(Certify),
    /// A hold was placed, or lifted.
    CheckHold {
        held: bool,
    },
    /// The retention schedule changed.
    Reschedule {
        retained: Vec<Retained>,
        backups_until: DateTime<Utc>,
    },
}

/// Asks that a user or an organization be deleted.
#[derive(Clone)]
pub struct SubmitDeletion {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    pub kind: DeletionKind,
    /// Of a forced deletion, and of no other.
    pub ground: Option<ForcedGround>,
    /// Of a forced deletion, and of no other: how the incident is known elsewhere.
    pub incident: Option<String>,
    pub reason: Option<String>,
}

/// Takes a deletion back before anything is gone.
#[derive(Clone)]
pub struct CancelDeletion {
    /// Needed of whoever takes back what a person asked for themselves.
    pub reason: Option<String>,
}

/// Undoes a soft deletion.
#[derive(Clone)]
pub struct RestoreDeletion {
    /// Needed of whoever undoes what a person asked for themselves.
    pub reason: Option<String>,
}

/// Agrees to what somebody else asked for.
#[derive(Clone, Debug)]
pub struct Approve {
    /// What has to be clear first, with what was found.
    pub checks: Vec<Checked>,
    pub grace_days: u32,
}

/// Ends a round of erasure, once every step of it is done.
#[derive(Clone, Debug)]
pub struct Certify {
    pub certificate: String,
    /// What of the subject is kept, and until when.
    pub retained: Vec<Retained>,
    /// When the last backup is gone that holds a key of the subject.
    pub backups_until: DateTime<Utc>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for SubmitDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitDeletion").field("subject", &self.subject).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for CancelDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelDeletion").finish_non_exhaustive()
    }
}

impl fmt::Debug for RestoreDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreDeletion").finish_non_exhaustive()
    }
}
