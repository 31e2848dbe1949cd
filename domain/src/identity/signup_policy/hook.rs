//! The hooks that a sign-up may have to pass.

use serde::{Deserialize, Serialize};

/// Something that has to be so before somebody who signs up is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignupHook {
    /// A challenge is solved that programs do not solve (E-100).
    Captcha,
    /// The address is of a domain that the organization proved and whose people may join by themselves.
    DomainAutoJoin,
    /// A link that was sent to the mailbox comes back (T-45).
    EmailVerification,
    /// A code that was sent to the telephone comes back (T-46).
    PhoneVerification,
    /// Somebody who may says yes (T-46).
    AdminApproval,
}

impl SignupHook {
    pub const ALL: [SignupHook; 5] = [
        SignupHook::Captcha,
        SignupHook::DomainAutoJoin,
        SignupHook::EmailVerification,
        SignupHook::PhoneVerification,
        SignupHook::AdminApproval,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            SignupHook::Captcha => "captcha",
            SignupHook::DomainAutoJoin => "domain_auto_join",
            SignupHook::EmailVerification => "email_verification",
            SignupHook::PhoneVerification => "phone_verification",
            SignupHook::AdminApproval => "admin_approval",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// Whether the request to sign up shows it by itself; the others wait for somebody.
    pub fn is_shown_by_request(self) -> bool {
        matches!(self, SignupHook::Captcha | SignupHook::DomainAutoJoin)
    }
}
