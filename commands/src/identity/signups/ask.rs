//! Somebody asks to join, and for the link or the code once more.

use super::{answer, check_open, closed, policy_stream, signup_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{
    Email,
    signup_policy::{SignupRules, signup_rules},
};
use crate::organizations::domain_stream;
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, SIGNUP_EMAIL_LOOKUP,
        signup::{self, Signup, SignupCommand},
        signup_policy::{SignupHook, SignupPolicy},
    },
    kernel::{Admission, Code, UserId},
    organizations::{
        domain::{AutoJoin, Domain, domain_id},
        organization::Organization,
    },
};
use std::collections::BTreeSet;

/// By which way somebody signs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// They typed an address.
    Form { captcha_solved: bool },
    /// The organization's identity provider vouches for the address.
    Provider,
}

/// Begins a sign-up. No request offers it: the doors do, once they have verified what the rules cannot.
pub struct AskSignup {
    user_id: UserId,
    email: Email,
    display_name: Option<String>,
    phone: Option<String>,
    way: Way,
}

impl AskSignup {
    /// Somebody typed this address, and solved a challenge or did not.
    pub fn by_form(user_id: UserId, email: Email, display_name: Option<String>, captcha_solved: bool) -> Self {
        Self { user_id, email, display_name, phone: None, way: Way::Form { captcha_solved } }
    }

    /// A code may go to this number, in E.164.
    pub fn with_phone(self, phone: Option<String>) -> Self {
        Self { phone, ..self }
    }

    /// The organization's provider vouches for somebody whose domain joins after somebody approved.
    pub fn by_provider(user_id: UserId, email: Email, display_name: Option<String>) -> Self {
        Self { user_id, email, display_name, phone: None, way: Way::Provider }
    }

    fn rules(&self, unit: &mut Unit<'_>) -> Result<SignupRules, Refused> {
        let organization = unit.organization();
        let domain = match self.email.domain() {
            Some(domain) => unit.state::<Domain>(domain_id(organization, &domain))?.clone(),
            None => Domain::default(),
        };
        let found = unit.state::<Organization>(organization)?;
        let settings = found.settings();
        let active = found.is_active();
        match self.way {
            _ if !active => Err(closed()),
            Way::Form { captcha_solved } => {
                let mut rules = signup_rules(unit.state::<SignupPolicy>(organization)?, &settings, &domain, &self.email)?;
                rules.shown.extend(captcha_solved.then_some(SignupHook::Captcha));
                Ok(rules)
            }
            Way::Provider
                if domain.is_verified() && domain.auto_join() == AutoJoin::Approval && settings.allows_email(self.email.text()) =>
            {
                let shown = [SignupHook::DomainAutoJoin, SignupHook::EmailVerification];
                Ok(SignupRules { steps: [shown.as_slice(), &[SignupHook::AdminApproval]].concat(), shown: BTreeSet::from(shown) })
            }
            Way::Provider => Err(Refused::new(Code::AuthenticationFailed, "sign_in.failed", "people of this domain do not ask to join")),
        }
    }
}

impl Operation for AskSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let organization = admission.organization;
        let domain = self.email.domain().map(|domain| domain_stream(organization, &domain));
        let fixed = [policy_stream(organization), StreamRef::of::<Organization>(organization, organization)];
        fixed.into_iter().chain(domain).collect()
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![self.email.lookup(), self.email.signup_lookup()]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let SignupRules { steps, shown } = self.rules(unit)?;
        let (known, under_way) = (unit.claim_of(EMAIL_LOOKUP)?, unit.claim_of(SIGNUP_EMAIL_LOOKUP)?);
        if unit.holder(known).is_some() {
            return Err(Refused::new(Code::Conflict, "identity.email_taken", "another user has this e-mail address"));
        }
        if unit.holder(under_way).is_some() {
            return Err(Refused::new(Code::Conflict, "identity.signup_under_way", "a sign-up with this address is under way"));
        }
        let (user_id, email) = (self.user_id, self.email.text().to_owned());
        let (display_name, phone) = (self.display_name.clone(), self.phone.clone());
        let request = signup::RequestSignup { user_id, email, display_name, phone, steps, shown };
        unit.run::<Signup>(user_id, &SignupCommand::Request(request))?;
        unit.claim(under_way, user_id);
        answer(unit, user_id)
    }
}

/// Sends again what a sign-up waits for, the link or the code, as a new one.
pub struct SendSignupAgain {
    pub user_id: UserId,
}

impl Operation for SendSignupAgain {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![policy_stream(admission.organization)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_open(unit)?;
        unit.run::<Signup>(self.user_id, &SignupCommand::SendAgain)?;
        answer(unit, self.user_id)
    }
}
