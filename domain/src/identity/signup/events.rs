//! What happens to a sign-up.

use super::{SignupStatus, status};
use crate::{
    events,
    identity::signup_policy::SignupHook,
    kernel::{Personal, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a sign-up. No event holds what would let anyone finish it.
    pub enum SignupEvent {
        SignupRequested = "identity.signup_requested" v 1 {
            /// Who the person will be.
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
            display_name: Option<Personal<String>> = confidential of user_id for Profile,
            /// What has to be passed, in order: whatever is configured later.
            steps: Vec<SignupHook> = internal,
        },
        /// Where a code goes, once it is asked for.
        SignupPhoneGiven = "identity.signup_phone_given" v 1 {
            user_id: UserId = internal,
            phone: Personal<String> = confidential of user_id for Profile,
        },
        /// What the hook asks for was shown.
        SignupHookPassed = "identity.signup_hook_passed" v 1 {
            user_id: UserId = internal,
            hook: SignupHook = internal,
        },
        /// What the hook asks for will not be shown.
        SignupHookFailed = "identity.signup_hook_failed" v 1 {
            user_id: UserId = internal,
            hook: SignupHook = internal,
        },
        /// A letter brings a link, for the first time or again with a higher generation.
        SignupLinkIssued = "identity.signup_link_issued" v 1 {
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
            /// Counts from 1; only the highest is good.
            generation: u32 = internal,
            issued_at: DateTime<Utc> = internal,
            expires_at: DateTime<Utc> = internal,
        },
        /// A text message brings a code, for the first time or again with a higher generation. The code is
        /// made when it is sent, and stands nowhere.
        SignupCodeIssued = "identity.signup_code_issued" v 1 {
            user_id: UserId = internal,
            phone: Personal<String> = confidential of user_id for Profile,
            /// Counts from 1; only the highest is good.
            generation: u32 = internal,
            issued_at: DateTime<Utc> = internal,
            /// How long the code is good.
            valid_until: DateTime<Utc> = internal,
            expires_at: DateTime<Utc> = internal,
        },
        /// Somebody typed another code.
        SignupCodeFailed = "identity.signup_code_failed" v 1 {
            user_id: UserId = internal,
            generation: u32 = internal,
        },
        /// It waits for somebody who may say yes.
        SignupApprovalAwaited = "identity.signup_approval_awaited" v 1 {
            user_id: UserId = internal,
            expires_at: DateTime<Utc> = internal,
        },
        /// Every hook was passed; the user is made with it.
        SignupCompleted = "identity.signup_completed" v 1 {
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
            /// Who said yes, where that was the last step: then a letter tells the person.
            approved_by: Option<UserId> = internal,
        },
        SignupRefused = "identity.signup_refused" v 1 {
            user_id: UserId = internal,
            /// Where a letter tells the person; none once it was erased.
            email: Option<Personal<String>> = confidential of user_id for Profile,
            /// What the person is told.
            reason: Option<Personal<String>> = confidential of user_id for Profile,
            refused_by: UserId = internal,
        },
        SignupExpired = "identity.signup_expired" v 1 {
            user_id: UserId = internal,
        }
    }
}

impl SignupEvent {
    /// Whose sign-up it happened to.
    pub fn user_id(&self) -> UserId {
        match self {
            SignupEvent::SignupRequested(event) => event.user_id,
            SignupEvent::SignupPhoneGiven(event) => event.user_id,
            SignupEvent::SignupHookPassed(event) => event.user_id,
            SignupEvent::SignupHookFailed(event) => event.user_id,
            SignupEvent::SignupLinkIssued(event) => event.user_id,
            SignupEvent::SignupCodeIssued(event) => event.user_id,
            SignupEvent::SignupCodeFailed(event) => event.user_id,
            SignupEvent::SignupApprovalAwaited(event) => event.user_id,
            SignupEvent::SignupCompleted(event) => event.user_id,
            SignupEvent::SignupRefused(event) => event.user_id,
            SignupEvent::SignupExpired(event) => event.user_id,
        }
    }

    /// The state it brings the sign-up to, where it changes it.
    pub fn status(&self) -> Option<SignupStatus> {
        match self {
            SignupEvent::SignupRequested(_) | SignupEvent::SignupLinkIssued(_) | SignupEvent::SignupCodeIssued(_) => {
                Some(status::ASK_PERSON.to)
            }
            SignupEvent::SignupPhoneGiven(_)
            | SignupEvent::SignupHookPassed(_)
            | SignupEvent::SignupHookFailed(_)
            | SignupEvent::SignupCodeFailed(_) => None,
            SignupEvent::SignupApprovalAwaited(_) => Some(status::ASK_APPROVAL.to),
            SignupEvent::SignupCompleted(_) => Some(status::COMPLETE.to),
            SignupEvent::SignupRefused(_) => Some(status::REFUSE.to),
            SignupEvent::SignupExpired(_) => Some(status::EXPIRE.to),
        }
    }

    /// When the sign-up ends from now on, where it says so.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            SignupEvent::SignupLinkIssued(event) => Some(event.expires_at),
            SignupEvent::SignupCodeIssued(event) => Some(event.expires_at),
            SignupEvent::SignupApprovalAwaited(event) => Some(event.expires_at),
            _ => None,
        }
    }
}
