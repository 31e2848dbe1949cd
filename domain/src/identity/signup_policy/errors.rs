//! Why a sign-up policy is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignupPolicyError {
    #[error("a hook stands in the list once")]
    HookRepeated,
    #[error("captcha and domain_auto_join, which the request itself shows, come before the hooks that wait for somebody")]
    HookOrder,
}

impl Refusal for SignupPolicyError {
    fn code(&self) -> Code {
        Code::ValidationError
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::HookRepeated => "identity.signup_hook_repeated",
            Self::HookOrder => "identity.signup_hook_order",
        }
    }

    fn field(&self) -> Option<&'static str> {
        Some("hooks")
    }
}
