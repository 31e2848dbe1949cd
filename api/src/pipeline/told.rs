//! What a token tells whoever holds it, beside what it is good for (H-24, H-27).
//!
//! `org`, `roles` and `env` are the tenant, the roles there and the environment; these claims tell a
//! program of the holder's who that is, so that it need not ask. The gate does not read them: the type
//! that it reads tokens into ([`super::tokens::Claims`]) has no such fields, so nothing can come to
//! depend on them.

use serde::Serialize;

/// Claims that are told and never believed.
// Without `Debug`: an address is nothing for log lines.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The short name of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_slug: Option<String>,
    #[serde(flatten)]
    pub mailbox: Option<Mailbox>,
}

/// A mailbox that was shown to be the user's (OpenID Connect Core 1.0, 5.1).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Mailbox {
    email: String,
    email_verified: bool,
}

impl Mailbox {
    /// Of one that was shown to be the user's; of no other anything is told.
    pub fn verified(email: String) -> Self {
        Self { email, email_verified: true }
    }
}
