//! What happens to an invitation.

use super::{InvitationStatus, status};
use crate::{
    events,
    identity::RoleRef,
    kernel::{InvitationId, Personal, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to an invitation. No event holds what would let anyone accept it.
    pub enum InvitationEvent {
        /// Sent, or sent again with a higher generation (E-130).
        InvitationIssued = "identity.invitation_issued" v 1 {
            invitation_id: InvitationId = internal,
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
            role: RoleRef = internal,
            /// Counts from 1; only the highest is good.
            generation: u32 = internal,
            issued_at: DateTime<Utc> = internal,
            expires_at: DateTime<Utc> = internal,
            invited_by: UserId = internal,
        },
        InvitationAccepted = "identity.invitation_accepted" v 1 {
            invitation_id: InvitationId = internal,
            user_id: UserId = internal,
            generation: u32 = internal,
        },
        InvitationCompleted = "identity.invitation_completed" v 1 {
            invitation_id: InvitationId = internal,
            user_id: UserId = internal,
        },
        InvitationExpired = "identity.invitation_expired" v 1 {
            invitation_id: InvitationId = internal,
            user_id: UserId = internal,
        },
        InvitationRevoked = "identity.invitation_revoked" v 1 {
            invitation_id: InvitationId = internal,
            user_id: UserId = internal,
        }
    }
}

impl InvitationEvent {
    /// Which invitation it happened to.
    pub fn invitation_id(&self) -> InvitationId {
        match self {
            InvitationEvent::InvitationIssued(event) => event.invitation_id,
            InvitationEvent::InvitationAccepted(event) => event.invitation_id,
            InvitationEvent::InvitationCompleted(event) => event.invitation_id,
            InvitationEvent::InvitationExpired(event) => event.invitation_id,
            InvitationEvent::InvitationRevoked(event) => event.invitation_id,
        }
    }

    /// The state it brings the invitation to.
    pub fn status(&self) -> InvitationStatus {
        match self {
            InvitationEvent::InvitationIssued(_) => status::REISSUE.to,
            InvitationEvent::InvitationAccepted(_) => status::ACCEPT.to,
            InvitationEvent::InvitationCompleted(_) => status::COMPLETE.to,
            InvitationEvent::InvitationExpired(_) => status::EXPIRE.to,
            InvitationEvent::InvitationRevoked(_) => status::REVOKE.to,
        }
    }
}
