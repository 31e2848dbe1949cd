//! The rules of a sign-up.

use super::{
    RequestSignup, SentCode, SignupCodeFailed, SignupCodeIssued, SignupCommand, SignupError, SignupEvent, SignupExpired, SignupHookFailed,
    SignupHookPassed, SignupPhoneGiven, SignupRefused, SignupRequested, Terms, status, terms::begun,
};
use crate::{
    identity::signup_policy::SignupHook,
    kernel::{
        Aggregate, Facts, Personal, Purpose,
        text::{is_email, is_label, is_phone, is_prose},
    },
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

const NAME_MAX_CHARS: usize = 200;

/// Who signs up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub email: String,
    pub display_name: Option<String>,
    /// Where it was given.
    pub phone: Option<String>,
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

    /// The code that may come back now, and whose it is.
    ///
    /// # Errors
    /// Whatever [`SignupCommand::ProvePhone`] would be refused for.
    pub fn open_code(&self, now: DateTime<Utc>) -> Result<(SentCode, &Person), SignupError> {
        let code = self.known()?.leaving_by(status::COMPLETE)?.open_code(now)?;
        Ok((code, self.person.as_ref().ok_or(SignupError::Erased)?))
    }

    fn known(&self) -> Result<&Terms, SignupError> {
        self.terms.as_ref().ok_or(SignupError::NotFound)
    }

    fn request(&self, command: &RequestSignup, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        let RequestSignup { user_id, email, display_name, phone, steps, shown } = command;
        if self.terms.is_some() {
            return Err(SignupError::AlreadyExists);
        }
        if !is_email(email) {
            return Err(SignupError::EmailInvalid);
        }
        if display_name.as_ref().is_some_and(|name| !is_label(name, NAME_MAX_CHARS)) {
            return Err(SignupError::DisplayNameInvalid);
        }
        let phone = phone.clone().filter(|_| steps.contains(&SignupHook::PhoneVerification));
        if steps.contains(&SignupHook::PhoneVerification) && !phone.as_deref().is_some_and(is_phone) {
            return Err(SignupError::PhoneInvalid);
        }
        let requested = SignupRequested {
            user_id: *user_id,
            email: Personal::Clear(email.clone()),
            display_name: display_name.clone().map(Personal::Clear),
            steps: steps.clone(),
        };
        let (terms, person) = (begun(&requested), Person { email: email.clone(), display_name: display_name.clone(), phone });
        let passed: Vec<SignupHook> = steps.iter().copied().take_while(|hook| shown.contains(hook)).collect();
        let given = person.phone.clone().map(|phone| SignupPhoneGiven { user_id: *user_id, phone: Personal::Clear(phone) }.into());
        let asked = terms.asking(passed.len(), &person, None, facts.now)?;
        let passed = passed.into_iter().map(|hook| SignupHookPassed { user_id: *user_id, hook }.into());
        Ok([requested.into()].into_iter().chain(given).chain(passed).chain([asked]).collect())
    }

    /// The terms, where this code may come back.
    fn awaiting_code(&self, generation: u32, now: DateTime<Utc>) -> Result<(&Terms, &Person), SignupError> {
        let (code, person) = self.open_code(now)?;
        match code.generation == generation {
            true => Ok((self.known()?, person)),
            false => Err(SignupError::Superseded),
        }
    }

    fn prove_phone(&self, generation: u32, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        let (terms, person) = self.awaiting_code(generation, facts.now)?;
        terms.pass(SignupHook::PhoneVerification, person, facts)
    }

    fn fail_code(&self, generation: u32, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        let (terms, _) = self.awaiting_code(generation, facts.now)?;
        Ok(vec![SignupCodeFailed { user_id: terms.user_id, generation }.into()])
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

impl Aggregate for Signup {
    const TYPE: &'static str = "signup";
    const SHAPE: u16 = 3;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Profile);

    type Command = SignupCommand;
    type Event = SignupEvent;
    type Error = SignupError;

    fn decide(&self, command: &SignupCommand, facts: &Facts) -> Result<Vec<SignupEvent>, SignupError> {
        match command {
            SignupCommand::Request(command) => self.request(command, facts),
            SignupCommand::SendAgain => {
                let terms = self.known()?.leaving_by(status::ASK_PERSON)?;
                Ok(vec![terms.again(self.person.as_ref().ok_or(SignupError::Erased)?, facts.now)?])
            }
            SignupCommand::ProveEmail { generation } => {
                let (terms, person) = self.provable(*generation, facts.now)?;
                terms.pass(SignupHook::EmailVerification, person, facts)
            }
            SignupCommand::ProvePhone { generation } => self.prove_phone(*generation, facts),
            SignupCommand::FailCode { generation } => self.fail_code(*generation, facts),
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
            self.person = person.map(|(email, display_name)| Person { email, display_name, phone: None });
        }
        if let (SignupEvent::SignupPhoneGiven(given), Some(person)) = (event, &mut self.person) {
            person.phone = given.phone.clear().cloned();
        }
        let Some(terms) = &mut self.terms else { return };
        match event {
            SignupEvent::SignupHookPassed(_) => terms.passed = terms.steps.len().min(terms.passed + 1),
            SignupEvent::SignupLinkIssued(issued) => {
                terms.generation = issued.generation;
                terms.issued_at = Some(issued.issued_at);
            }
            SignupEvent::SignupCodeIssued(issued) => {
                let SignupCodeIssued { generation, issued_at, valid_until, .. } = *issued;
                terms.code = Some(SentCode { generation, issued_at, valid_until, wrong: 0 });
            }
            SignupEvent::SignupCodeFailed(_) => {
                if let Some(code) = &mut terms.code {
                    code.wrong = code.wrong.saturating_add(1);
                }
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
