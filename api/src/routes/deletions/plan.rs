//! When what is kept of a subject goes: by the dates that its deletion has, or by those that it would have.

use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::{
        deletion_request::{DeletionStatus, DeletionSubject, Dossier, Retained},
        retention_schedule::{RecordClass, RetentionSchedule},
    },
    kernel::Purpose,
};

/// The dates of a deletion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Where it stands; nothing where none is open.
    pub status: Option<DeletionStatus>,
    /// None once the grace period is over.
    pub soft_deleted_at: Option<DateTime<Utc>>,
    pub erased_at: DateTime<Utc>,
    /// What is still kept, and until when.
    pub dates: Vec<Retained>,
    pub backups_until: DateTime<Utc>,
}

impl Plan {
    /// The dates that were said count as they were said; what has none yet is as if it were approved `now`.
    pub fn of(subject: DeletionSubject, dossier: Option<&Dossier>, schedule: &RetentionSchedule, now: DateTime<Utc>) -> Self {
        let open = dossier.filter(|dossier| !dossier.status.is_over());
        let stands = open.map(Dossier::stands);
        let (soft_deleted_at, erased_at) = match open.and_then(|dossier| dossier.ended_at) {
            Some(ended_at) => (None, ended_at),
            None => {
                let due_at = open.filter(|_| stands == Some(DeletionStatus::Grace)).and_then(|dossier| dossier.due_at);
                let hidden_at = due_at.unwrap_or_else(|| schedule.until(RecordClass::DeletionGrace, now));
                (Some(hidden_at), schedule.until(RecordClass::DeletionRecovery, hidden_at))
            }
        };
        let dates = match (open, stands) {
            (Some(dossier), Some(DeletionStatus::Anonymised | DeletionStatus::RetentionCountdown)) => dossier.retained.clone(),
            (_, Some(DeletionStatus::Purged)) => Vec::new(),
            _ => schedule.dates_of(subject, &Purpose::OF_PEOPLE, erased_at),
        };
        let recorded = open.and_then(|dossier| dossier.backups_until);
        let backups_until = recorded.unwrap_or_else(|| schedule.until(RecordClass::Backup, erased_at));
        Self { status: open.map(|dossier| dossier.status), soft_deleted_at, erased_at, dates, backups_until }
    }

    /// Whether nothing of the subject is left, in backups neither.
    pub fn is_over(&self) -> bool {
        self.status == Some(DeletionStatus::Purged)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
