//! What may be asked of a sign-up.

use crate::{identity::signup_policy::SignupHook, kernel::UserId};
use std::{collections::BTreeSet, fmt};
use uuid::Uuid;

#[derive(Clone)]
pub enum SignupCommand {
    Request(RequestSignup),
    /// Sends the link again, as a new one.
    SendLink,
    /// The link came back; with the generation that it names, or none where somebody else whom the
    /// organization trusts says that the mailbox is the person's.
    ProveEmail {
        generation: Option<u32>,
    },
    Approve,
    Refuse {
        /// What the person is told.
        reason: Option<String>,
    },
    /// Records that its time has run out.
    Expire,
}

/// Begins a sign-up.
#[derive(Clone)]
pub struct RequestSignup {
    /// Who the person will be.
    pub user_id: UserId,
    pub email: String,
    pub display_name: Option<String>,
    /// The key under which no other sign-up of the organization has the address.
    pub lookup: Uuid,
    /// What has to be passed, in order.
    pub steps: Vec<SignupHook>,
    /// What was seen to be so with the request.
    pub shown: BTreeSet<SignupHook>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for SignupCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Request",
            Self::SendLink => "SendLink",
            Self::ProveEmail { .. } => "ProveEmail",
            Self::Approve => "Approve",
            Self::Refuse { .. } => "Refuse",
            Self::Expire => "Expire",
        })
    }
}
