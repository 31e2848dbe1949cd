//! When something of compliance is due.

use crate::engine::due::{Apart, Due, Moment};
use palmares_domain::compliance::{
    access_review::AccessReviewEvent, audit_schedules::AuditSchedulesEvent, breach_case::BreachCaseEvent, deletion_request::DeletionEvent,
    subject_export::SubjectExportEvent, subject_request::SubjectRequestEvent,
};
use serde_json::json;

/// The end of every grace period, recovery window and retention.
pub const DELETIONS: Due<DeletionEvent> = Due {
    name: "deletions_due",
    kind: "compliance.deletion_due",
    events: &[
        "compliance.deletion_grace_begun",
        "compliance.subject_soft_deleted",
        "compliance.retention_countdown_begun",
        "compliance.retention_rescheduled",
        "compliance.deletion_hold_lifted",
    ],
    apart: Apart::ByEvent,
    moments: |_, happened| happened.due_at().map(|due_at| Moment::of(happened.request_id().0, due_at)).into_iter().collect(),
};

/// By when a subject request is to be answered, moved when its time is extended.
pub const SUBJECT_REQUESTS: Due<SubjectRequestEvent> = Due {
    name: "subject_requests_due",
    kind: "compliance.subject_request_due",
    events: &["compliance.subject_request_received", "compliance.subject_request_extended"],
    apart: Apart::ByNothing,
    moments: |_, happened| happened.due_at().map(|due_at| Moment::of(happened.request_id().0, due_at)).into_iter().collect(),
};

/// When the file of an export goes.
pub const SUBJECT_EXPORTS: Due<SubjectExportEvent> = Due {
    name: "subject_exports_due",
    kind: "compliance.subject_export_due",
    events: &["compliance.subject_export_ready"],
    apart: Apart::ByNothing,
    moments: |_, happened| match happened {
        SubjectExportEvent::SubjectExportReady(ready) => vec![Moment::of(ready.export_id.0, ready.expires_at)],
        _ => Vec::new(),
    },
};

/// When the 72 hours of a breach are over.
pub const BREACHES: Due<BreachCaseEvent> = Due {
    name: "breaches_due",
    kind: "compliance.breach_due",
    events: &["compliance.breach_opened"],
    apart: Apart::ByNothing,
    moments: |_, happened| match happened {
        BreachCaseEvent::BreachOpened(opened) => vec![Moment::of(opened.breach_id.0, opened.due_at)],
        _ => Vec::new(),
    },
};

/// When a review should be done.
pub const ACCESS_REVIEWS: Due<AccessReviewEvent> = Due {
    name: "access_reviews_due",
    kind: "compliance.access_review_due",
    events: &["compliance.access_review_opened"],
    apart: Apart::ByNothing,
    moments: |_, happened| match happened {
        AccessReviewEvent::AccessReviewOpened(opened) => vec![Moment::of(opened.review_id.0, opened.due_at)],
        _ => Vec::new(),
    },
};

/// When a schedule of the audit log comes round. One stream has several, and one that was put off comes in vain.
pub const AUDIT_SCHEDULES: Due<AuditSchedulesEvent> = Due {
    name: "audit_schedules_due",
    kind: "compliance.audit_schedule_due",
    events: &["compliance.audit_schedule_opened", "compliance.audit_schedule_ran", "compliance.audit_schedule_resumed"],
    apart: Apart::ByEvent,
    moments: |_, happened| {
        let due = happened.due().map(|(user, schedule, at)| Moment::of(user.0, at).saying(json!({ "schedule_id": schedule })));
        due.into_iter().collect()
    },
};
