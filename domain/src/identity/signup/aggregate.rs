//! The rules of a sign-up.

use super::{
    RequestSignup, SignupApprovalAwaited, SignupCommand, SignupCompleted, SignupError, SignupEvent, SignupExpired, SignupHookFailed,
    SignupHookPassed, SignupLinkIssued, SignupRefused, SignupRequested, SignupStatus, status,
};
use crate::{
    identity::signup_policy::SignupHook,
    kernel::{
        Aggregate, Facts, Personal, Purpose, Transition, UserId,
        text::{is_email, is_label, is_prose},
    },
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

const NAME_MAX_CHARS: usize = 200;
/// How long a link is good.
const LINK_PATIENCE: TimeDelta = TimeDelta::hours(48);
/// How long a sign-up waits for somebody to decide.
const APPROVAL_PATIENCE: TimeDelta = TimeDelta::days(30);
/// How often a link is sent again, and the pause before it is: the mailbox may be a stranger's.
const LINKS_AGAIN_MAX: u32 = 5;
const LINK_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// What the rules need of a sign-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who the person will be.
    pub user_id: UserId,
    /// The key under which the address is held.
    pub lookup: Uuid,
    /// What has to be passed, in order.
    pub steps: Vec<SignupHook>,
    /// How many of them were.
    pub passed: usize,
    pub status: SignupStatus,
    /// Which of the sent links is good; 0 before the first.
    pub generation: u32,
    pub issued_at: Option<DateTime<Utc>>,
    /// When it ends unless something happens.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Who signs up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub email: String,
    pub display_name: Option<String>,
}

/// A sign-up: nothing, until it is requested.
///
/// It knows the person in clear, so its snapshot is sealed. An event that cannot be opened any more was
/// erased: then nobody is known, and nobody becomes a user by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signup {
    terms: Option<Terms>,
    person: Option<Person>,
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

    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The terms, where `transition` leads from where the sign-up stands.
    fn leaving_by(&self, transition: Transition<SignupStatus>) -> Result<&Self, SignupError> {
        match transition.leads_from(self.status) {
            true => Ok(self),
            false => Err(SignupError::TransitionForbidden { from: self.status, to: transition.to }),
        }
    }

    fn link(&self, person: &Person, now: DateTime<Utc>) -> SignupEvent {
        let email = Personal::Clear(person.email.clone());
        let (user_id, generation, issued_at) = (self.user_id, self.generation + 1, now);
        // To the second, as the signed token says it, so that both end together.
        SignupLinkIssued { user_id, email, generation, issued_at, expires_at: (now + LINK_PATIENCE).trunc_subsecs(0) }.into()
    }

    /// The hook that has its turn is passed: what is recorded, and what that leads to.
    fn pass(&self, hook: SignupHook, person: &Person, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        if self.awaits() != Some(hook) {
            return Err(SignupError::NotItsTurn(hook));
        }
        let user_id = self.user_id;
        let approved_by = (hook == SignupHook::AdminApproval).then_some(facts.actor);
        let passed = SignupHookPassed { user_id, hook }.into();
        Ok(vec![passed, self.asking(self.passed + 1, person, approved_by, facts.now)?])
    }

    /// What is asked next, where so many hooks were passed.
    fn asking(&self, passed: usize, person: &Person, approved_by: Option<UserId>, now: DateTime<Utc>) -> Result<SignupEvent, SignupError> {
        let user_id = self.user_id;
        Ok(match self.steps.get(passed) {
            None => SignupCompleted { user_id, email: Personal::Clear(person.email.clone()), approved_by }.into(),
            Some(SignupHook::EmailVerification) => self.link(person, now),
            Some(SignupHook::AdminApproval) => SignupApprovalAwaited { user_id, expires_at: now + APPROVAL_PATIENCE }.into(),
            Some(SignupHook::PhoneVerification) => return Err(SignupError::PhoneNotEnabled),
            Some(hook @ (SignupHook::Captcha | SignupHook::DomainAutoJoin)) => return Err(SignupError::NotShown(*hook)),
        })
    }
}

impl Signup {
    /// What is known of the sign-up, once requested.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// Who signs up, until they are erased.
    pub fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// Whether its time has run out, and nobody recorded it yet.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.status.is_open() && terms.is_over(now))
    }

    /// What stands in the way of proving the address by a link of this generation, if anything does.
    ///
    /// # Errors
    /// Whatever [`SignupCommand::ProveEmail`] would be refused for.
    pub fn provable(&self, generation: Option<u32>, now: DateTime<Utc>) -> Result<(&Terms, &Person), SignupError> {
        let terms = self.known()?.leaving_by(status::COMPLETE)?;
        if terms.awaits() != Some(SignupHook::EmailVerification) {
            return Err(SignupError::NotItsTurn(SignupHook::EmailVerification));
        }
        if generation.is_some_and(|generation| generation != terms.generation) {
            return Err(SignupError::Superseded);
        }
        if terms.is_over(now) {
            return Err(SignupError::TimeRunOut);
        }
        Ok((terms, self.person.as_ref().ok_or(SignupError::Erased)?))
    }

    fn known(&self) -> Result<&Terms, SignupError> {
        self.terms.as_ref().ok_or(SignupError::NotFound)
    }

    fn request(&self, command: &RequestSignup, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        let RequestSignup { user_id, email, display_name, lookup, steps, shown } = command;
        if self.terms.is_some() {
            return Err(SignupError::AlreadyExists);
        }
        if !is_email(email) {
            return Err(SignupError::EmailInvalid);
        }
        if display_name.as_ref().is_some_and(|name| !is_label(name, NAME_MAX_CHARS)) {
            return Err(SignupError::DisplayNameInvalid);
        }
        if steps.contains(&SignupHook::PhoneVerification) {
            return Err(SignupError::PhoneNotEnabled);
        }
        let requested = SignupRequested {
            user_id: *user_id,
            email: Personal::Clear(email.clone()),
            display_name: display_name.clone().map(Personal::Clear),
            lookup: *lookup,
            steps: steps.clone(),
        };
        let (terms, person) = (begun(&requested), Person { email: email.clone(), display_name: display_name.clone() });
        let passed: Vec<SignupHook> = steps.iter().copied().take_while(|hook| shown.contains(hook)).collect();
        let asked = terms.asking(passed.len(), &person, None, facts.now)?;
        let passed = passed.into_iter().map(|hook| SignupHookPassed { user_id: *user_id, hook }.into());
        Ok([requested.into()].into_iter().chain(passed).chain([asked]).collect())
    }

    fn send_link(&self, facts: &Facts) -> Result<SignupEvent, SignupError> {
        let terms = self.known()?.leaving_by(status::ASK_PERSON)?;
        if terms.awaits() != Some(SignupHook::EmailVerification) {
            return Err(SignupError::NotItsTurn(SignupHook::EmailVerification));
        }
        if terms.generation > LINKS_AGAIN_MAX {
            return Err(SignupError::LinkTooOften);
        }
        if terms.issued_at.is_some_and(|at| facts.now.signed_duration_since(at) < LINK_PAUSE) {
            return Err(SignupError::LinkTooSoon);
        }
        Ok(terms.link(self.person.as_ref().ok_or(SignupError::Erased)?, facts.now))
    }

    fn approve(&self, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        let terms = self.known()?.leaving_by(status::COMPLETE)?;
        if terms.awaits() != Some(SignupHook::AdminApproval) {
            return Err(SignupError::NotItsTurn(SignupHook::AdminApproval));
        }
        if terms.is_over(facts.now) {
            return Err(SignupError::TimeRunOut);
        }
        terms.pass(SignupHook::AdminApproval, self.person.as_ref().ok_or(SignupError::Erased)?, facts)
    }

    fn refuse(&self, reason: Option<&String>, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        let terms = self.known()?.leaving_by(status::REFUSE)?;
        if reason.is_some_and(|reason| !is_prose(reason)) {
            return Err(SignupError::ReasonInvalid);
        }
        let (user_id, hook) = (terms.user_id, SignupHook::AdminApproval);
        let failed = (terms.awaits() == Some(hook)).then(|| SignupHookFailed { user_id, hook }.into());
        let refused = SignupRefused {
            user_id,
            email: self.person.as_ref().map(|person| Personal::Clear(person.email.clone())),
            reason: reason.cloned().map(Personal::Clear),
            refused_by: facts.actor,
        };
        Ok(failed.into_iter().chain([refused.into()]).collect())
    }

    fn expire(&self, facts: &Facts) -> Result<SignupEvent, SignupError> {
        let terms = self.known()?.leaving_by(status::EXPIRE)?;
        match terms.is_over(facts.now) {
            true => Ok(SignupExpired { user_id: terms.user_id }.into()),
            false => Err(SignupError::NotDue),
        }
    }
}

fn begun(requested: &SignupRequested) -> Terms {
    Terms {
        user_id: requested.user_id,
        lookup: requested.lookup,
        steps: requested.steps.clone(),
        passed: 0,
        status: SignupStatus::Pending,
        generation: 0,
        issued_at: None,
        expires_at: None,
    }
}

impl Aggregate for Signup {
    const TYPE: &'static str = "signup";
    const SHAPE: u16 = 1;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Profile);

    type Command = SignupCommand;
    type Event = SignupEvent;
    type Error = SignupError;

    fn decide(&self, command: &SignupCommand, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        match command {
            SignupCommand::Request(command) => self.request(command, facts),
            SignupCommand::SendLink => Ok(vec![self.send_link(facts)?]),
            SignupCommand::ProveEmail { generation } => {
                let (terms, person) = self.provable(*generation, facts.now)?;
                terms.pass(SignupHook::EmailVerification, person, facts)
            }
            SignupCommand::Approve => self.approve(facts),
            SignupCommand::Refuse { reason } => self.refuse(reason.as_ref(), facts),
            SignupCommand::Expire => Ok(vec![self.expire(facts)?]),
        }
    }

    fn evolve(&mut self, event: &SignupEvent) {
        if let SignupEvent::SignupRequested(requested) = event {
            let named = requested.display_name.as_ref().map_or(Some(None), |name| name.clear().cloned().map(Some));
            let person = requested.email.clear().cloned().zip(named);
            self.terms = Some(begun(requested));
            self.person = person.map(|(email, display_name)| Person { email, display_name });
        }
        let Some(terms) = &mut self.terms else { return };
        match event {
            SignupEvent::SignupHookPassed(_) => terms.passed = terms.steps.len().min(terms.passed + 1),
            SignupEvent::SignupLinkIssued(issued) => {
                terms.generation = issued.generation;
                terms.issued_at = Some(issued.issued_at);
            }
            _ => {}
        }
        terms.status = event.status().unwrap_or(terms.status);
        terms.expires_at = event.expires_at().or(terms.expires_at);
    }
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(hidden)")
    }
}
