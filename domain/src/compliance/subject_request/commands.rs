//! What may be asked of a subject request.

use super::{RequestRefusal, SubjectRequestKind};
use crate::{
    compliance::deletion_request::{DeletionStatus, Dossier},
    kernel::{DeletionRequestId, ExportId, SubjectRequestId, UserId},
};
use chrono::{DateTime, Utc};
use std::fmt;

#[derive(Clone)]
pub enum SubjectRequestCommand {
    Receive(ReceiveRequest),
    Take,
    /// Once, by one or two months, while it is not due yet.
    Extend {
        months: u32,
        reason: String,
    },
    Fulfil {
        note: Option<String>,
        /// The deletion that answers a request for erasure.
        deletion: Option<AnsweringDeletion>,
        /// The export that answers a request for a copy.
        export: Option<AnsweringExport>,
    },
    Refuse {
        ground: RequestRefusal,
        note: Option<String>,
    },
    /// By the person whose request it is.
    Withdraw {
        user_id: UserId,
    },
    /// Records that it is overdue, where it is.
    MarkOverdue,
}

/// A request that somebody made, by themselves or through whoever received it.
#[derive(Clone)]
pub struct ReceiveRequest {
    pub request_id: SubjectRequestId,
    pub user_id: UserId,
    pub kind: SubjectRequestKind,
    pub details: Option<String>,
    /// When it reached the organization, where that was earlier than now.
    pub received_at: Option<DateTime<Utc>>,
}

/// The deletion that is said to answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweringDeletion {
    pub request_id: DeletionRequestId,
    /// Who goes by it; nobody, where there is no such deletion, or it is an organization's.
    pub user_id: Option<UserId>,
    /// Whether somebody agreed to it, and nobody took that back.
    pub approved: bool,
}

impl AnsweringDeletion {
    /// What the dossier says of it, where there is one.
    pub fn of(request_id: DeletionRequestId, dossier: Option<&Dossier>) -> Self {
        // What a hold stopped stands where it stood before.
        let stands = dossier.map(Dossier::stands);
        let user_id = dossier.and_then(|dossier| dossier.subject.user());
        Self { request_id, user_id, approved: stands.is_some_and(DeletionStatus::is_approved) }
    }
}

/// An export that was made for whose request it is, and is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweringExport {
    pub export_id: ExportId,
    /// Until then it can be fetched.
    pub available_until: DateTime<Utc>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for SubjectRequestCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(receive) => f.debug_tuple("Receive").field(&receive.request_id).field(&receive.kind).finish(),
            Self::Take => f.write_str("Take"),
            Self::Extend { months, .. } => f.debug_struct("Extend").field("months", months).finish_non_exhaustive(),
            Self::Fulfil { .. } => f.debug_struct("Fulfil").finish_non_exhaustive(),
            Self::Refuse { ground, .. } => f.debug_struct("Refuse").field("ground", ground).finish_non_exhaustive(),
            Self::Withdraw { user_id } => f.debug_struct("Withdraw").field("user_id", user_id).finish(),
            Self::MarkOverdue => f.write_str("MarkOverdue"),
        }
    }
}
