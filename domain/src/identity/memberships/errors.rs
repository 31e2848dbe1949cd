//! Why something is refused of a user's memberships.

use super::aggregate::MEMBERSHIPS_MAX;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipsError {
    #[error("the security data of this user was erased")]
    Closed,
    #[error("no such membership")]
    NotFound,
    #[error("two accounts of one organization are two people")]
    SameOrganization,
    #[error("an account of that organization is linked already")]
    LinkedAlready,
    #[error("at most {MEMBERSHIPS_MAX} accounts are linked")]
    TooMany,
    /// Used already, or asked for before the last time.
    #[error("the way to the other account is not open any more")]
    SwitchSpent,
}

impl Refusal for MembershipsError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::SwitchSpent => Code::AuthenticationFailed,
            Self::Closed | Self::SameOrganization | Self::LinkedAlready | Self::TooMany => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "identity.memberships_closed",
            Self::NotFound => "identity.membership_not_found",
            Self::SameOrganization => "identity.membership_same_organization",
            Self::LinkedAlready => "identity.membership_linked_already",
            Self::TooMany => "identity.too_many_memberships",
            Self::SwitchSpent => "identity.switch_spent",
        }
    }
}
