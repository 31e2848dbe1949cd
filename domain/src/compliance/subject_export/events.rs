//! What happens to an export.

use super::{ExportFault, ExportFormat, ExportStatus, status};
use crate::{
    compliance::saved_searches::SearchFilters,
    events,
    kernel::{Digest, ExportId, Personal, ScheduleId, SubjectRequestId, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to an export.
    pub enum SubjectExportEvent {
        SubjectExportRequested = "compliance.subject_export_requested" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
            format: ExportFormat = internal,
            /// The public key that it is sealed to, which may tell who somebody is.
            recipient: Personal<String> = confidential of user_id for Profile,
        },
        /// By a schedule, of a span of the audit log.
        AuditExportRequested = "compliance.audit_export_requested" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            format: ExportFormat = internal,
            filters: Personal<SearchFilters> = confidential of user_id for Profile,
            recipient: Personal<String> = confidential of user_id for Profile,
            after_position: i64 = internal,
            until_position: i64 = internal,
        },
        /// By whoever answers a request for a copy. Its key stands in the letter that answers the request, and nowhere else.
        AnswerExportRequested = "compliance.answer_export_requested" v 1 {
            export_id: ExportId = internal,
            /// Whose copy it is.
            user_id: UserId = internal,
            request_id: SubjectRequestId = internal,
            format: ExportFormat = internal,
            requested_by: UserId = internal,
        },
        SubjectExportStarted = "compliance.subject_export_started" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
        },
        SubjectExportReady = "compliance.subject_export_ready" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
            /// How many events it holds.
            events: i64 = internal,
            size_bytes: i64 = internal,
            /// Of the sealed file.
            digest: Digest = internal,
            expires_at: DateTime<Utc> = internal,
        },
        /// What follows where it is of a schedule: its owner is told.
        AuditExportReady = "compliance.audit_export_ready" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            expires_at: DateTime<Utc> = internal,
        },
        SubjectExportFailed = "compliance.subject_export_failed" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
            fault: ExportFault = internal,
        },
        /// What follows where it is of a schedule: its owner is told.
        AuditExportFailed = "compliance.audit_export_failed" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            fault: ExportFault = internal,
        },
        SubjectExportDownloaded = "compliance.subject_export_downloaded" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
        },
        SubjectExportExpired = "compliance.subject_export_expired" v 1 {
            export_id: ExportId = internal,
            user_id: UserId = internal,
        }
    }
}

impl SubjectExportEvent {
    pub fn export_id(&self) -> ExportId {
        match self {
            SubjectExportEvent::SubjectExportRequested(event) => event.export_id,
            SubjectExportEvent::AuditExportRequested(event) => event.export_id,
            SubjectExportEvent::AnswerExportRequested(event) => event.export_id,
            SubjectExportEvent::AuditExportReady(event) => event.export_id,
            SubjectExportEvent::SubjectExportStarted(event) => event.export_id,
            SubjectExportEvent::SubjectExportReady(event) => event.export_id,
            SubjectExportEvent::SubjectExportFailed(event) => event.export_id,
            SubjectExportEvent::AuditExportFailed(event) => event.export_id,
            SubjectExportEvent::SubjectExportDownloaded(event) => event.export_id,
            SubjectExportEvent::SubjectExportExpired(event) => event.export_id,
        }
    }

    /// The state it brings the export to.
    pub fn status(&self) -> ExportStatus {
        match self {
            SubjectExportEvent::SubjectExportRequested(_)
            | SubjectExportEvent::AuditExportRequested(_)
            | SubjectExportEvent::AnswerExportRequested(_) => ExportStatus::Requested,
            SubjectExportEvent::SubjectExportStarted(_) => status::BUILD.to,
            SubjectExportEvent::SubjectExportReady(_) | SubjectExportEvent::AuditExportReady(_) => status::COMPLETE.to,
            SubjectExportEvent::SubjectExportFailed(_) | SubjectExportEvent::AuditExportFailed(_) => status::FAIL.to,
            SubjectExportEvent::SubjectExportDownloaded(_) => status::DOWNLOAD.to,
            SubjectExportEvent::SubjectExportExpired(_) => status::EXPIRE.to,
        }
    }
}
