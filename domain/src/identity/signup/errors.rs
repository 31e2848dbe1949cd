//! Why a command for a sign-up is refused.

use super::SignupStatus;
use crate::{
    identity::signup_policy::SignupHook,
    kernel::{Code, Refusal, Standing},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignupError {
    #[error("no such sign-up")]
    NotFound,
    #[error("the sign-up already exists")]
    AlreadyExists,
    #[error("an e-mail address has one @ with a name before it and a domain with a dot after it, at most 254 characters")]
    EmailInvalid,
    #[error("a display name has 1 to 200 characters, no control characters, and no space around it")]
    DisplayNameInvalid,
    #[error("a reason has 1 to 500 characters")]
    ReasonInvalid,
    #[error("a telephone number has a + and 7 to 15 digits, the country's code first")]
    PhoneInvalid,
    /// The request had to show it and did not.
    #[error("the request does not pass {}", .0.name())]
    NotShown(SignupHook),
    #[error("a sign-up that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: SignupStatus, to: SignupStatus },
    /// Another hook has its turn.
    #[error("it is not the turn of {}", .0.name())]
    NotItsTurn(SignupHook),
    #[error("the link was sent again: an older one is no longer good")]
    Superseded,
    #[error("the code was used up by wrong ones, or its time is over")]
    CodeVoid,
    #[error("the time of the sign-up has run out")]
    TimeRunOut,
    #[error("the time of the sign-up has not run out yet")]
    NotDue,
    #[error("a link is sent again once a minute at most")]
    LinkTooSoon,
    #[error("a link is sent again five times at most")]
    LinkTooOften,
    #[error("a code is sent again once a minute at most")]
    CodeTooSoon,
    #[error("a code is sent again five times at most")]
    CodeTooOften,
    #[error("what is known of the person was erased")]
    Erased,
}

impl Refusal for SignupError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::EmailInvalid
            | Self::DisplayNameInvalid
            | Self::ReasonInvalid
            | Self::PhoneInvalid
            | Self::NotShown(_)
            | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::AlreadyExists
            | Self::NotItsTurn(_)
            | Self::Superseded
            | Self::CodeVoid
            | Self::TimeRunOut
            | Self::NotDue
            | Self::Erased => Code::Conflict,
            Self::LinkTooSoon | Self::LinkTooOften | Self::CodeTooSoon | Self::CodeTooOften => Code::RateLimited,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.signup_not_found",
            Self::AlreadyExists => "identity.signup_already_exists",
            Self::EmailInvalid => "identity.email_invalid",
            Self::DisplayNameInvalid => "identity.display_name_invalid",
            Self::ReasonInvalid => "identity.reason_invalid",
            Self::PhoneInvalid => "identity.phone_invalid",
            Self::NotShown(SignupHook::DomainAutoJoin) => "identity.signup_domain_not_open",
            Self::NotShown(_) => "identity.captcha_not_solved",
            Self::TransitionForbidden { .. } => "identity.signup_transition_forbidden",
            Self::NotItsTurn(_) => "identity.signup_hook_not_its_turn",
            Self::Superseded => "identity.signup_superseded",
            Self::CodeVoid => "identity.signup_code_void",
            Self::TimeRunOut => "identity.signup_time_run_out",
            Self::NotDue => "identity.signup_not_due",
            Self::LinkTooSoon => "identity.signup_link_too_soon",
            Self::LinkTooOften => "identity.signup_link_too_often",
            Self::CodeTooSoon => "identity.signup_code_too_soon",
            Self::CodeTooOften => "identity.signup_code_too_often",
            Self::Erased => "identity.signup_erased",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::EmailInvalid | Self::NotShown(SignupHook::DomainAutoJoin) => Some("email"),
            Self::NotShown(_) => Some("captcha"),
            Self::DisplayNameInvalid => Some("display_name"),
            Self::ReasonInvalid => Some("reason"),
            Self::PhoneInvalid => Some("phone"),
            Self::TransitionForbidden { .. } => Some("status"),
            _ => None,
        }
    }

    fn standing(&self) -> Option<Standing> {
        match self {
            Self::TransitionForbidden { from, .. } => Some(Standing::at(*from)),
            _ => None,
        }
    }

    fn is_attempt(&self) -> bool {
        matches!(self, Self::TransitionForbidden { .. })
    }
}
