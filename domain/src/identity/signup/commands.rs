//! What may be asked of a sign-up.

use crate::{identity::signup_policy::SignupHook, kernel::UserId};
use std::{collections::BTreeSet, fmt};

#[derive(Clone)]
pub enum SignupCommand {
    Request(RequestSignup),
    /// Sends again what the person is waited for: the link or the code, as a new one.
    SendAgain,
    /// The link came back; with the generation that it names, or none where somebody else whom the
    /// organization trusts says that the mailbox is the person's.
    ProveEmail {
        generation: Option<u32>,
    },
    /// The code of this generation came back. Whether it is the right one, the caller has found out.
    ProvePhone {
        generation: u32,
    },
    /// Counts a code that was typed wrong.
    FailCode {
        generation: u32,
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
    /// Where a code goes, in E.164. It is kept only where a hook asks for it.
    pub phone: Option<String>,
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
            Self::SendAgain => "SendAgain",
            Self::ProveEmail { .. } => "ProveEmail",
            Self::ProvePhone { .. } => "ProvePhone",
            Self::FailCode { .. } => "FailCode",
            Self::Approve => "Approve",
            Self::Refuse { .. } => "Refuse",
            Self::Expire => "Expire",
        })
    }
}
