//! Who was invited, as what, and what became of it?
//!
//! Rows hold nothing personal: the address is opened from beside the event when it is read.

mod address;
mod fold;
mod query;

pub use address::invited_address;
pub use fold::Invitations;
pub use query::{GetInvitation, Invitation, ListInvitations, invitation_of};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "invitations";

pub(super) const READS: &[(&str, &str)] = &[
    ("identity.invitations.list", query::LIST),
    ("identity.invitations.get", query::GET),
    ("identity.invitations.of_user", query::OF_USER),
    ("identity.invitations.sealed", address::SEALED),
    ("identity.invitations.first_sealed", address::FIRST_SEALED),
];
