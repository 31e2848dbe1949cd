//! What may be asked of a user's memberships.

use super::Account;
use crate::kernel::{MembershipId, OrganizationId, SessionId, UserId};
use chrono::{DateTime, Utc};

/// Something asked of the memberships of `user_id`, who may have none yet.
#[derive(Clone, Debug)]
pub struct MembershipsCommand {
    pub user_id: UserId,
    pub action: MembershipsAction,
}

#[derive(Clone, Debug)]
pub enum MembershipsAction {
    Link(LinkMembership),
    Unlink {
        membership_id: MembershipId,
    },
    /// Ends every membership, where there are any: somebody else has set how the user signs in, and would
    /// come with it into the other accounts.
    UnlinkAll,
    /// The person goes to the other account, as they asked to at `asked_at`.
    SwitchAway {
        membership_id: MembershipId,
        asked_at: DateTime<Utc>,
    },
    /// The person comes from the other account, into this session.
    SwitchIn {
        membership_id: MembershipId,
        session_id: SessionId,
    },
}

/// Joins the user to the account of the same person elsewhere. That it is the same person, the caller
/// has found out.
#[derive(Clone, Debug)]
pub struct LinkMembership {
    pub membership_id: MembershipId,
    /// The user's own organization.
    pub organization_id: OrganizationId,
    pub account: Account,
}
