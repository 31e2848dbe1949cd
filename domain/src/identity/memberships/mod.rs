//! The accounts that the same person has in other organizations, as one of their users knows them (E-200).
//!
//! Every organization has users of its own: a link joins two of them and shares nothing. Each side
//! keeps its half in its own log, and where the other account is, is sealed, so that no organization
//! learns in which others its people are. When the person's security data is erased, this side is
//! closed for good.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{Membership, Memberships};
pub use commands::{LinkMembership, MembershipsAction, MembershipsCommand};
pub use errors::MembershipsError;
pub use events::{MembershipLinked, MembershipUnlinked, MembershipsEvent, SwitchedAway, SwitchedIn};

use crate::kernel::{OrganizationId, UserId};
use serde::{Deserialize, Serialize};

/// An account: a user of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub organization_id: OrganizationId,
    pub user_id: UserId,
}
