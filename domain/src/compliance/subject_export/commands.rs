//! What may be asked of an export.

use super::{ExportFault, ExportFormat};
use crate::{
    compliance::saved_searches::SearchFilters,
    kernel::{Digest, ExportId, ScheduleId, SubjectRequestId, UserId},
};
use std::fmt;

#[derive(Clone)]
pub enum SubjectExportCommand {
    Request(RequestExport),
    RequestAudit(RequestAuditExport),
    RequestAnswer(RequestAnswerExport),
    Start,
    Complete(CompleteExport),
    Fail(ExportFault),
    /// By the person whose export it is.
    Download {
        user_id: UserId,
    },
    /// Records that its time is over, where it is.
    Expire,
}

/// Asks for what is recorded of oneself.
#[derive(Clone)]
pub struct RequestExport {
    pub export_id: ExportId,
    pub user_id: UserId,
    pub format: ExportFormat,
    /// The public key that it is sealed to.
    pub recipient: String,
}

/// Asks for a span of the audit log, as a schedule does.
#[derive(Clone)]
pub struct RequestAuditExport {
    pub export_id: ExportId,
    pub user_id: UserId,
    pub schedule_id: ScheduleId,
    pub format: ExportFormat,
    pub filters: SearchFilters,
    pub recipient: String,
    pub after_position: i64,
    pub until_position: i64,
}

/// Asks for what is recorded of somebody who asked for a copy, by whoever answers them.
#[derive(Clone, Copy, Debug)]
pub struct RequestAnswerExport {
    pub export_id: ExportId,
    pub user_id: UserId,
    pub request_id: SubjectRequestId,
    pub format: ExportFormat,
}

/// What was built.
#[derive(Clone, Debug)]
pub struct CompleteExport {
    pub events: i64,
    pub size_bytes: i64,
    /// Of the sealed file.
    pub digest: Digest,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for SubjectExportCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => f.debug_tuple("Request").field(&request.export_id).field(&request.format).finish(),
            Self::RequestAudit(request) => f.debug_tuple("RequestAudit").field(&request.export_id).field(&request.schedule_id).finish(),
            Self::RequestAnswer(request) => f.debug_tuple("RequestAnswer").field(request).finish(),
            Self::Start => f.write_str("Start"),
            Self::Complete(complete) => f.debug_tuple("Complete").field(complete).finish(),
            Self::Fail(fault) => f.debug_tuple("Fail").field(fault).finish(),
            Self::Download { user_id } => f.debug_struct("Download").field("user_id", user_id).finish(),
            Self::Expire => f.write_str("Expire"),
        }
    }
}
