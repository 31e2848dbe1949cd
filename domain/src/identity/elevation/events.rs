//! What happens to an elevation.

use crate::{
    events,
    identity::RoleRef,
    kernel::{ElevationId, Personal, UserId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What somebody gets for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// What the role grants, added to what one has.
    Role(RoleRef),
    /// To act as another user: never more than both may.
    ActingAs(UserId),
}

events! {
    /// What happens to an elevation. What people wrote is the personal data of whoever is acted as, else of
    /// the requester.
    pub enum ElevationEvent {
        ElevationRequested = "identity.elevation_requested" v 1 {
            elevation_id: ElevationId = internal,
            requested_by: UserId = internal,
            scope: Scope = internal,
            /// What an approver must be able to give: the role asked for, or the roles of the user acted as.
            roles: Vec<RoleRef> = internal,
            /// How long it lasts from its start.
            duration_seconds: u32 = internal,
            /// Of whom the reason speaks: the user to be acted as, else whoever asks.
            concerns: UserId = internal,
            reason: Personal<String> = confidential of concerns for Profile,
        },
        ElevationApproved = "identity.elevation_approved" v 1 {
            elevation_id: ElevationId = internal,
            approved_by: UserId = internal,
            /// Not started by then, the approval is over.
            start_by: DateTime<Utc> = internal,
            /// Whom it concerns, as it was asked for: the user acted as, else whoever asked. Missing where it was
            /// recorded before it said so.
            concerns: Option<UserId> = internal,
        },
        ElevationRefused = "identity.elevation_refused" v 1 {
            elevation_id: ElevationId = internal,
            requested_by: UserId = internal,
            refused_by: UserId = internal,
            concerns: UserId = internal,
            reason: Option<Personal<String>> = confidential of concerns for Profile,
        },
        ElevationWithdrawn = "identity.elevation_withdrawn" v 1 {
            elevation_id: ElevationId = internal,
            concerns: Option<UserId> = internal,
        },
        ElevationStarted = "identity.elevation_started" v 1 {
            elevation_id: ElevationId = internal,
            expires_at: DateTime<Utc> = internal,
            concerns: Option<UserId> = internal,
        },
        ElevationEnded = "identity.elevation_ended" v 1 {
            elevation_id: ElevationId = internal,
            ended_by: UserId = internal,
            concerns: Option<UserId> = internal,
        },
        ElevationExpired = "identity.elevation_expired" v 1 {
            elevation_id: ElevationId = internal,
            concerns: Option<UserId> = internal,
        },
        ElevationReviewed = "identity.elevation_reviewed" v 1 {
            elevation_id: ElevationId = internal,
            requested_by: UserId = internal,
            reviewed_by: UserId = internal,
            concerns: UserId = internal,
            note: Option<Personal<String>> = confidential of concerns for Profile,
        }
    }
}

impl Scope {
    /// Of whom it speaks what is written about it, where `requester` asked for it.
    pub fn concerns(self, requester: UserId) -> UserId {
        match self {
            Scope::ActingAs(user) => user,
            Scope::Role(_) => requester,
        }
    }
}

impl ElevationEvent {
    pub fn elevation_id(&self) -> ElevationId {
        match self {
            ElevationEvent::ElevationRequested(event) => event.elevation_id,
            ElevationEvent::ElevationApproved(event) => event.elevation_id,
            ElevationEvent::ElevationRefused(event) => event.elevation_id,
            ElevationEvent::ElevationWithdrawn(event) => event.elevation_id,
            ElevationEvent::ElevationStarted(event) => event.elevation_id,
            ElevationEvent::ElevationEnded(event) => event.elevation_id,
            ElevationEvent::ElevationExpired(event) => event.elevation_id,
            ElevationEvent::ElevationReviewed(event) => event.elevation_id,
        }
    }

    /// The state it brings the elevation to.
    pub fn status(&self) -> super::ElevationStatus {
        use super::{ElevationStatus, status};
        match self {
            ElevationEvent::ElevationRequested(_) => ElevationStatus::Requested,
            ElevationEvent::ElevationApproved(_) => status::APPROVE.to,
            ElevationEvent::ElevationRefused(_) => status::REFUSE.to,
            ElevationEvent::ElevationWithdrawn(_) => status::WITHDRAW.to,
            ElevationEvent::ElevationStarted(_) => status::START.to,
            ElevationEvent::ElevationEnded(_) => status::END.to,
            ElevationEvent::ElevationExpired(_) => status::EXPIRE.to,
            ElevationEvent::ElevationReviewed(_) => status::REVIEW.to,
        }
    }

    /// When it is over by time alone, where the event says so.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self {
            ElevationEvent::ElevationApproved(approved) => Some(approved.start_by),
            ElevationEvent::ElevationStarted(started) => Some(started.expires_at),
            _ => None,
        }
    }
}
