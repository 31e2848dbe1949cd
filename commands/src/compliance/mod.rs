//! Compliance: what the gate has on record, how people and organizations are deleted, what is held and
//! how long things are kept, the documents that people agree to, their consents, and what they ask for and
//! take out; and what those who look at the audit log keep for themselves, judge and have it sent to.

mod access_records;
mod access_reviews;
mod anomalies;
mod audit_schedules;
mod breaches;
mod consents;
mod deletions;
mod erasure;
mod holds;
mod legal_documents;
mod retention;
mod saved_searches;
pub mod shredding;
mod siem_streams;
mod subject_exports;
mod subject_requests;
#[cfg(test)]
mod tests;

pub use access_records::RecordAccess;
pub use access_reviews::{
    AttestAccess, AttestKeyAccess, CloseAccessReview, MarkReviewOverdue, OpenAccessReview, ReviewScope, RevokeAccess, RevokeKeyAccess,
};
pub use anomalies::{AcknowledgeAnomaly, RaiseAnomaly};
pub use audit_schedules::{CloseAuditSchedule, OpenAuditSchedule, PauseAuditSchedule, ResumeAuditSchedule, RunAuditSchedule};
pub use breaches::{
    AssessBreach, CloseBreach, DescribeBreach, InformSubjects, MarkBreachOverdue, NotifyAuthority, OpenBreach, WaiveNotification,
};
pub use consents::{GiveConsent, RevokeConsent};
pub use deletions::{
    ApproveDeletion, CancelDeletion, CancelOrganizationDeletion, CancelUserDeletion, ConcernsRequest, RefuseDeletion,
    RequestOrganizationDeletion, RestoreDeletion, SEE_HOLDS, SubmitDeletion, VerifyDeletion,
};
pub use erasure::{BeginErasure, CertifyErasure, CheckDeletionHold, EndGrace, RecordErasureStep, RescheduleRetention, dates_of};
pub use holds::{ExtendLegalHold, PlaceLegalHold, ReleaseLegalHold};
pub use legal_documents::PublishLegalDocument;
pub use retention::SetRetentionPeriod;
pub use saved_searches::{ForgetSearch, SaveSearch};
pub use siem_streams::{CloseSiemStream, FailSiemStream, OpenSiemStream, PauseSiemStream, ResumeSiemStream, SENT_TO_SINKS};
pub use subject_exports::{BuiltExport, CompleteExport, DownloadExport, ExpireExport, FailExport, RequestExport, StartExport};
pub use subject_requests::{
    ExtendSubjectRequest, FulfilSubjectRequest, MarkRequestOverdue, ReceiveSubjectRequest, RefuseSubjectRequest, RequestAnswerExport,
    TakeSubjectRequest, WithdrawSubjectRequest,
};

use crate::engine::{StreamRef, Unit};
use palmares_domain::{
    compliance::{
        deletion_request::{DeletionRequest, DeletionSubject},
        legal_holds::LegalHolds,
        retention_schedule::RetentionSchedule,
    },
    identity::{Role, user::User},
    kernel::{Admission, DeletionRequestId},
    organizations::organization::Organization,
};

fn request_stream(admission: &Admission, request: DeletionRequestId) -> StreamRef {
    StreamRef::of::<DeletionRequest>(admission.organization, request)
}

/// The holds of the organization; whoever destroys something reads them.
fn holds_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<LegalHolds>(admission.organization, admission.organization)
}

fn schedule_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<RetentionSchedule>(admission.organization, admission.organization)
}

/// The stream of what is deleted.
fn subject_stream(admission: &Admission, subject: DeletionSubject) -> StreamRef {
    match subject {
        DeletionSubject::User(user) => StreamRef::of::<User>(admission.organization, user),
        DeletionSubject::Organization(organization) => StreamRef::of::<Organization>(organization, organization),
    }
}

/// Whether whoever asks decides what the law has an organization keep: its compliance officers and the platform, and not
/// those who administer it (E-47).
fn looks_after_compliance(unit: &Unit<'_>) -> bool {
    let rights = &unit.admission().rights;
    rights.reach_everywhere() || rights.roles().any(|role| role == Role::ComplianceOfficer.into())
}
