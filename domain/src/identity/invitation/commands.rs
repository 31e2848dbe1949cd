//! What may be asked of an invitation.

use crate::{
    identity::RoleRef,
    kernel::{InvitationId, UserId},
};
use std::fmt;

#[derive(Clone, Debug)]
pub enum InvitationCommand {
    Issue(IssueInvitation),
    /// Sends it again, as a new token.
    Reissue(ReissueInvitation),
    Revoke,
    /// With the generation that the token names.
    Accept {
        generation: u32,
    },
    /// Records that its time has run out.
    Expire,
    /// The invited person has done what was asked of them.
    Complete,
}

/// Invites a user who was made for it (E-118, E-119).
#[derive(Clone)]
pub struct IssueInvitation {
    pub invitation_id: InvitationId,
    pub user_id: UserId,
    pub email: String,
    pub role: RoleRef,
    /// Seven days where it is missing.
    pub valid_for_hours: Option<u32>,
}

/// Sends an invitation again (E-130).
#[derive(Clone)]
pub struct ReissueInvitation {
    /// Where it was sent before: what an event carries is sealed, so it is told again.
    pub email: String,
    /// Seven days where it is missing.
    pub valid_for_hours: Option<u32>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for IssueInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueInvitation")
            .field("invitation_id", &self.invitation_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ReissueInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReissueInvitation").finish_non_exhaustive()
    }
}
