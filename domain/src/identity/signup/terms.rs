//! What the rules need of a sign-up, and what is asked of the person next.

use super::{
    Person, SignupApprovalAwaited, SignupCodeIssued, SignupCompleted, SignupError, SignupEvent, SignupHookPassed, SignupLinkIssued,
    SignupRequested, SignupStatus,
};
use crate::{
    identity::signup_policy::SignupHook,
    kernel::{Facts, Personal, Transition, UserId},
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long a link is good.
const LINK_PATIENCE: TimeDelta = TimeDelta::hours(48);
/// How long a code is good (NIST SP 800-63B, 5.1.3.2).
const CODE_PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How long a sign-up waits for a code: nothing was proven by then, and the number may be mistyped.
const PHONE_PATIENCE: TimeDelta = TimeDelta::hours(1);
/// How long a sign-up waits for somebody to decide.
const APPROVAL_PATIENCE: TimeDelta = TimeDelta::days(30);
/// How often a link or a code is sent again, and the pause before it is: it may go to a stranger.
const AGAIN_MAX: u32 = 5;
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// So many wrong ones use a code up.
const WRONG_CODES_MAX: u32 = 5;

/// What the rules need of a sign-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who the person will be.
    pub user_id: UserId,
    /// What has to be passed, in order.
    pub steps: Vec<SignupHook>,
    /// How many of them were.
    pub passed: usize,
    pub status: SignupStatus,
    /// Which of the sent links is good; 0 before the first.
    pub generation: u32,
    pub issued_at: Option<DateTime<Utc>>,
    /// The code that was sent to the telephone last.
    pub code: Option<SentCode>,
    /// When it ends unless something happens.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A code that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCode {
    pub generation: u32,
    pub issued_at: DateTime<Utc>,
    pub valid_until: DateTime<Utc>,
    /// How many wrong ones were typed.
    pub wrong: u32,
}

impl Terms {
    /// What has its turn.
    pub fn awaits(&self) -> Option<SignupHook> {
        self.steps.get(self.passed).copied().filter(|_| self.status.is_open())
    }

    /// Whether the mailbox was shown to be the person's.
    pub fn is_email_proven(&self) -> bool {
        self.steps.iter().take(self.passed).any(|hook| *hook == SignupHook::EmailVerification)
    }

    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The terms, where `transition` leads from where the sign-up stands.
    pub(super) fn leaving_by(&self, transition: Transition<SignupStatus>) -> Result<&Self, SignupError> {
        match transition.leads_from(self.status) {
            true => Ok(self),
            false => Err(SignupError::TransitionForbidden { from: self.status, to: transition.to }),
        }
    }

    pub(super) fn link(&self, person: &Person, now: DateTime<Utc>) -> SignupEvent {
        let email = Personal::Clear(person.email.clone());
        let (user_id, generation, issued_at) = (self.user_id, self.generation + 1, now);
        // To the second, as the signed token says it, so that both end together.
        SignupLinkIssued { user_id, email, generation, issued_at, expires_at: (now + LINK_PATIENCE).trunc_subsecs(0) }.into()
    }

    fn send_code(&self, person: &Person, now: DateTime<Utc>) -> Result<SignupEvent, SignupError> {
        let phone = Personal::Clear(person.phone.clone().ok_or(SignupError::PhoneInvalid)?);
        let (user_id, generation) = (self.user_id, self.code.map_or(0, |code| code.generation) + 1);
        let (valid_until, expires_at) = (now + CODE_PATIENCE, now + PHONE_PATIENCE);
        Ok(SignupCodeIssued { user_id, phone, generation, issued_at: now, valid_until, expires_at }.into())
    }

    /// What the person is waited for, once more.
    pub(super) fn again(&self, person: &Person, now: DateTime<Utc>) -> Result<SignupEvent, SignupError> {
        let too_soon = |at: DateTime<Utc>| now.signed_duration_since(at) < PAUSE;
        match self.awaits() {
            Some(SignupHook::PhoneVerification) => match self.code {
                Some(code) if code.generation > AGAIN_MAX => Err(SignupError::CodeTooOften),
                Some(code) if too_soon(code.issued_at) => Err(SignupError::CodeTooSoon),
                _ => self.send_code(person, now),
            },
            Some(SignupHook::EmailVerification) if self.generation > AGAIN_MAX => Err(SignupError::LinkTooOften),
            Some(SignupHook::EmailVerification) if self.issued_at.is_some_and(too_soon) => Err(SignupError::LinkTooSoon),
            Some(SignupHook::EmailVerification) => Ok(self.link(person, now)),
            _ => Err(SignupError::NotItsTurn(SignupHook::EmailVerification)),
        }
    }

    /// The code that may come back now.
    pub(super) fn open_code(&self, now: DateTime<Utc>) -> Result<SentCode, SignupError> {
        if self.awaits() != Some(SignupHook::PhoneVerification) {
            return Err(SignupError::NotItsTurn(SignupHook::PhoneVerification));
        }
        if self.is_over(now) {
            return Err(SignupError::TimeRunOut);
        }
        let good = |code: &SentCode| code.valid_until > now && code.wrong < WRONG_CODES_MAX;
        self.code.filter(good).ok_or(SignupError::CodeVoid)
    }

    /// The hook that has its turn is passed: what is recorded, and what that leads to.
    pub(super) fn pass(&self, hook: SignupHook, person: &Person, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        if self.awaits() != Some(hook) {
            return Err(SignupError::NotItsTurn(hook));
        }
        let user_id = self.user_id;
        let approved_by = (hook == SignupHook::AdminApproval).then_some(facts.actor);
        let passed = SignupHookPassed { user_id, hook }.into();
        Ok(vec![passed, self.asking(self.passed + 1, person, approved_by, facts.now)?])
    }

    /// What is asked next, where so many hooks were passed.
    pub(super) fn asking(
        &self,
        passed: usize,
        person: &Person,
        approved_by: Option<UserId>,
        now: DateTime<Utc>,
    ) -> Result<SignupEvent, SignupError> {
        let user_id = self.user_id;
        Ok(match self.steps.get(passed) {
            None => SignupCompleted { user_id, email: Personal::Clear(person.email.clone()), approved_by }.into(),
            Some(SignupHook::EmailVerification) => self.link(person, now),
            Some(SignupHook::AdminApproval) => SignupApprovalAwaited { user_id, expires_at: now + APPROVAL_PATIENCE }.into(),
            Some(SignupHook::PhoneVerification) => self.send_code(person, now)?,
            Some(hook @ (SignupHook::Captcha | SignupHook::DomainAutoJoin)) => return Err(SignupError::NotShown(*hook)),
        })
    }
}

pub(super) fn begun(requested: &SignupRequested) -> Terms {
    Terms {
        user_id: requested.user_id,
        steps: requested.steps.clone(),
        passed: 0,
        status: SignupStatus::Pending,
        generation: 0,
        issued_at: None,
        code: None,
        expires_at: None,
    }
}
