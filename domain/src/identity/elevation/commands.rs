//! What may be asked of an elevation.

use super::Scope;
use crate::{
    identity::RoleRef,
    kernel::{ElevationId, OrganizationId},
};
use std::fmt;

#[derive(Clone)]
pub enum ElevationCommand {
    Request(RequestElevation),
    /// By somebody who is neither the requester nor the one acted as.
    Approve,
    Refuse {
        reason: Option<String>,
    },
    Withdraw,
    Start,
    /// Before its time; whoever supervises may end another's.
    End {
        supervising: bool,
    },
    Review {
        note: Option<String>,
    },
    /// Records that its time was over, where it was.
    Expire,
}

/// Asks for a role, or to act as another user, for a while.
#[derive(Clone)]
pub struct RequestElevation {
    pub elevation_id: ElevationId,
    /// The organization in which it acts: it decides which roles there are.
    pub organization_id: OrganizationId,
    pub scope: Scope,
    /// The role asked for, or those of the user acted as.
    pub roles: Vec<RoleRef>,
    pub duration_seconds: u32,
    pub reason: String,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for ElevationCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => f.debug_tuple("Request").field(&request.elevation_id).field(&request.scope).finish(),
            Self::Approve => f.write_str("Approve"),
            Self::Refuse { .. } => f.debug_struct("Refuse").finish_non_exhaustive(),
            Self::Withdraw => f.write_str("Withdraw"),
            Self::Start => f.write_str("Start"),
            Self::End { supervising } => f.debug_struct("End").field("supervising", supervising).finish(),
            Self::Review { .. } => f.debug_struct("Review").finish_non_exhaustive(),
            Self::Expire => f.write_str("Expire"),
        }
    }
}
