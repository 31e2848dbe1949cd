//! An invitation to join an organization: for whom, as what, until when, and what became of it.
//!
//! It is sent as a signed text that names the invitation and its generation. Nothing secret is kept:
//! the text is good while this aggregate says so, once, and a later generation ends the ones before it.

mod aggregate;
mod commands;
mod errors;
mod events;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Invitation, REISSUES_MAX, Terms, VALID_FOR_HOURS_DEFAULT, VALID_FOR_HOURS_MAX, VALID_FOR_HOURS_MIN};
pub use commands::{InvitationCommand, IssueInvitation, ReissueInvitation};
pub use errors::InvitationError;
pub use events::{InvitationAccepted, InvitationCompleted, InvitationEvent, InvitationExpired, InvitationIssued, InvitationRevoked};
pub use status::InvitationStatus;
