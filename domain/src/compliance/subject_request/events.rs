//! What happens to a subject request.

use super::{RequestRefusal, SubjectRequestKind, SubjectRequestStatus, status};
use crate::{
    events,
    kernel::{ExportId, Personal, SubjectRequestId, UserId},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

events! {
    /// What happens to a subject request. What people wrote is personal data of whoever asked.
    pub enum SubjectRequestEvent {
        SubjectRequestReceived = "compliance.subject_request_received" v 1 {
            request_id: SubjectRequestId = internal,
            /// Whose request it is.
            user_id: UserId = internal,
            kind: SubjectRequestKind = internal,
            details: Option<Personal<String>> = confidential of user_id for Profile,
            received_at: DateTime<Utc> = internal,
            due_at: DateTime<Utc> = internal,
        },
        SubjectRequestTaken = "compliance.subject_request_taken" v 1 {
            request_id: SubjectRequestId = internal,
            user_id: UserId = internal,
            taken_by: UserId = internal,
        },
        SubjectRequestExtended = "compliance.subject_request_extended" v 1 {
            request_id: SubjectRequestId = internal,
            user_id: UserId = internal,
            extended_by: UserId = internal,
            reason: Personal<String> = confidential of user_id for Profile,
            due_at: DateTime<Utc> = internal,
        },
        SubjectRequestFulfilled = "compliance.subject_request_fulfilled" v 1 {
            request_id: SubjectRequestId = internal,
            user_id: UserId = internal,
            fulfilled_by: UserId = internal,
            note: Option<Personal<String>> = confidential of user_id for Profile,
            /// The deletion that answers a request for erasure.
            deletion_request_id: Option<Uuid> = internal,
            /// The export that answers a request for a copy, and until when it can be fetched.
            export_id: Option<ExportId> = internal,
            available_until: Option<DateTime<Utc>> = internal,
        },
        SubjectRequestRefused = "compliance.subject_request_refused" v 1 {
            request_id: SubjectRequestId = internal,
            user_id: UserId = internal,
            refused_by: UserId = internal,
            ground: RequestRefusal = internal,
            note: Option<Personal<String>> = confidential of user_id for Profile,
        },
        SubjectRequestWithdrawn = "compliance.subject_request_withdrawn" v 1 {
            request_id: SubjectRequestId = internal,
            user_id: UserId = internal,
        },
        /// Nobody answered it in time.
        SubjectRequestOverdue = "compliance.subject_request_overdue" v 1 {
            request_id: SubjectRequestId = internal,
            user_id: UserId = internal,
            due_at: DateTime<Utc> = internal,
        }
    }
}

impl SubjectRequestEvent {
    pub fn request_id(&self) -> SubjectRequestId {
        match self {
            SubjectRequestEvent::SubjectRequestReceived(event) => event.request_id,
            SubjectRequestEvent::SubjectRequestTaken(event) => event.request_id,
            SubjectRequestEvent::SubjectRequestExtended(event) => event.request_id,
            SubjectRequestEvent::SubjectRequestFulfilled(event) => event.request_id,
            SubjectRequestEvent::SubjectRequestRefused(event) => event.request_id,
            SubjectRequestEvent::SubjectRequestWithdrawn(event) => event.request_id,
            SubjectRequestEvent::SubjectRequestOverdue(event) => event.request_id,
        }
    }

    /// The state it brings the request to; none where it leaves it as it is.
    pub fn status(&self) -> Option<SubjectRequestStatus> {
        match self {
            SubjectRequestEvent::SubjectRequestReceived(_) => Some(SubjectRequestStatus::Received),
            SubjectRequestEvent::SubjectRequestTaken(_) => Some(status::TAKE.to),
            SubjectRequestEvent::SubjectRequestFulfilled(_) => Some(status::FULFIL.to),
            SubjectRequestEvent::SubjectRequestRefused(_) => Some(status::REFUSE.to),
            SubjectRequestEvent::SubjectRequestWithdrawn(_) => Some(status::WITHDRAW.to),
            SubjectRequestEvent::SubjectRequestExtended(_) | SubjectRequestEvent::SubjectRequestOverdue(_) => None,
        }
    }

    /// When the request is due, where the event says so anew.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self {
            SubjectRequestEvent::SubjectRequestReceived(event) => Some(event.due_at),
            SubjectRequestEvent::SubjectRequestExtended(event) => Some(event.due_at),
            _ => None,
        }
    }
}
