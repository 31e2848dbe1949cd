//! Read models of compliance: who did what, when, from where, and what it changed; who is to be deleted,
//! what is held, and how long things are kept; what of it looks wrong, where it is sent, and who gained and
//! lost which rights.
//!
//! The log itself is the record; [`audit_trail`] is the way into it. Its table indexes every event
//! of a tenant, so that history is found through it too. Sessions show their [`audit_trail::Origin`] as
//! it does. What keeps something of people listens to [`ERASED`], and forgets them. [`proofs`] shows that
//! nothing of the log was changed, to somebody who does not trust us.

pub mod access_reviews;
pub mod anomalies;
pub mod audit_trail;
pub mod breaches;
pub mod consents;
pub mod data_map;
mod deleted;
pub mod deletion_requests;
pub mod due;
mod erased;
pub mod legal_documents;
pub mod legal_holds;
pub mod privacy_center;
pub mod proofs;
pub mod retention_schedules;
pub(crate) mod sealed;
pub mod siem;
pub mod subject_exports;
pub mod subject_index;
pub mod subject_requests;

pub use deleted::DeletionReason;
#[cfg(test)]
pub(crate) use deleted::OF_DELETIONS;
pub(crate) use deleted::{Deleted, Records, is_of_deletion, write_deletions};
pub(crate) use erased::{Erased, but_erased, erased, forget};

use crate::engine::Projector;
use std::sync::Arc;

/// The event by which read models learn that the keys of a subject are destroyed.
pub const ERASED: &str = "compliance.subject_erased";

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![
        Arc::new(audit_trail::AuditLog),
        Arc::new(deletion_requests::DeletionRequests),
        Arc::new(due::DELETIONS),
        Arc::new(legal_holds::LegalHolds),
        Arc::new(retention_schedules::RetentionSchedules),
        Arc::new(legal_documents::LegalDocuments),
        Arc::new(consents::Consents),
        Arc::new(subject_requests::SubjectRequests),
        Arc::new(due::SUBJECT_REQUESTS),
        Arc::new(subject_exports::SubjectExports),
        Arc::new(due::SUBJECT_EXPORTS),
        Arc::new(due::AUDIT_SCHEDULES),
        Arc::new(subject_index::SubjectIndex),
        Arc::new(breaches::Breaches),
        Arc::new(due::BREACHES),
        Arc::new(siem::SiemStreams),
        Arc::new(anomalies::Anomalies),
        Arc::new(access_reviews::AccessReviews),
        Arc::new(due::ACCESS_REVIEWS),
    ]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        access_reviews::STATEMENTS,
        anomalies::STATEMENTS,
        audit_trail::STATEMENTS,
        siem::STATEMENTS,
        legal_documents::STATEMENTS,
        consents::STATEMENTS,
        privacy_center::STATEMENTS,
        subject_requests::STATEMENTS,
        subject_exports::STATEMENTS,
        subject_index::STATEMENTS,
        breaches::STATEMENTS,
        deletion_requests::STATEMENTS,
        legal_holds::STATEMENTS,
        proofs::STATEMENTS,
        retention_schedules::STATEMENTS,
        &[("compliance.sealed", sealed::SEALED)],
    ]
    .into_iter()
    .flatten()
    .copied()
}
