//! Sign-ups: people ask to join, pass what the organization asks of them, and become users with the last of it.
//!
//! The address is held by the sign-up while it is under way, under a kind of its own, so that nobody keeps
//! a colleague from being invited by typing their address; it is claimed for the user when there is one.

use super::{
    Email,
    credentials::credential_stream,
    emails::set_email,
    signup_policy::{SignupRules, closed, policy_stream, signup_rules},
    user_stream,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::organizations::domain_stream;
use crate::store::ClaimKey;
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, EXTERNAL_REF_LOOKUP, Role, SIGNUP_EMAIL_LOOKUP,
        credential::{Credential, CredentialAction, CredentialCommand, SetPassword},
        signup::{self, Signup, SignupCommand, SignupError, SignupStatus, Terms},
        signup_policy::{SignupHook, SignupPolicy},
        user::{self, User, UserCommand},
    },
    kernel::{Admission, Code, UserId},
    organizations::{
        domain::{AutoJoin, Domain, domain_id},
        organization::Organization,
    },
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    ApproveSignup => permit "identity.signup.approve", throttle Write;
    RefuseSignup => permit "identity.signup.refuse", throttle Write;
}

/// The stream of a sign-up, under the id of the user whom it makes.
fn signup_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<Signup>(admission.organization, user)
}

fn terms(unit: &mut Unit<'_>, user: UserId) -> Result<Terms, Refused> {
    unit.state::<Signup>(user)?.terms().cloned().ok_or_else(|| SignupError::NotFound.into())
}

fn answer(unit: &mut Unit<'_>, user: UserId) -> Result<Answer, Refused> {
    Ok(Answer::new("id", user, terms(unit, user)?.status.name()))
}

/// Lets go of the address that the sign-up holds.
fn let_go(unit: &mut Unit<'_>, user: UserId) -> Result<(), Refused> {
    let key = ClaimKey { organization: unit.organization(), key: terms(unit, user)?.lookup };
    unit.release(key);
    Ok(())
}

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
    way: Way,
}

impl AskSignup {
    /// Somebody typed this address, and solved a challenge or did not.
    pub fn by_form(user_id: UserId, email: Email, display_name: Option<String>, captcha_solved: bool) -> Self {
        Self { user_id, email, display_name, way: Way::Form { captcha_solved } }
    }

    /// The organization's provider vouches for somebody whose domain joins after somebody approved.
    pub fn by_provider(user_id: UserId, email: Email, display_name: Option<String>) -> Self {
        Self { user_id, email, display_name, way: Way::Provider }
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
        let (user_id, email, display_name) = (self.user_id, self.email.text().to_owned(), self.display_name.clone());
        let request = signup::RequestSignup { user_id, email, display_name, lookup: under_way.key, steps, shown };
        unit.run::<Signup>(user_id, &SignupCommand::Request(request))?;
        unit.claim(under_way, user_id);
        answer(unit, user_id)
    }
}

/// Sends the link of a sign-up again, as a new one.
pub struct SendSignupLink {
    pub user_id: UserId,
}

impl Operation for SendSignupLink {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![policy_stream(admission.organization)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_open(unit)?;
        unit.run::<Signup>(self.user_id, &SignupCommand::SendLink)?;
        answer(unit, self.user_id)
    }
}

/// An organization that closed its door lets nobody take a further step through it.
fn check_open(unit: &mut Unit<'_>) -> Result<(), Refused> {
    let organization = unit.organization();
    if unit.state::<SignupPolicy>(organization)?.is_open() { Ok(()) } else { Err(closed()) }
}

/// Who a sign-up makes a user of the organization with its last step.
#[derive(Clone)]
pub struct NewUser {
    email: Email,
    display_name: Option<String>,
    external_ref: String,
}

impl NewUser {
    pub fn of(user_id: UserId, person: &signup::Person) -> Self {
        let signup::Person { email, display_name } = person.clone();
        Self { email: email.into(), display_name, external_ref: format!("signup:{user_id}") }
    }

    /// What the operation answers for [`Operation::hashed`].
    fn lookups(&self) -> Vec<(&'static str, &str)> {
        vec![self.email.lookup(), (EXTERNAL_REF_LOOKUP, self.external_ref.as_str())]
    }

    /// Makes the user where every hook was passed.
    fn join(&self, unit: &mut Unit<'_>, user_id: UserId) -> Result<(), Refused> {
        if terms(unit, user_id)?.status != SignupStatus::Active {
            return Ok(());
        }
        let create = UserCommand::Create(user::CreateUser {
            user_id,
            organization_id: unit.organization(),
            external_ref: self.external_ref.clone(),
            display_name: self.display_name.clone(),
            role: Role::Member.into(),
        });
        unit.run::<User>(user_id, &create)?;
        set_email(unit, user_id, &self.email)?;
        let claim = unit.claim_of(EXTERNAL_REF_LOOKUP)?;
        if unit.holder(claim).is_some() {
            return Err(Refused::new(Code::Conflict, "identity.external_ref_taken", "another user has this external reference"));
        }
        unit.claim(claim, user_id);
        let_go(unit, user_id)
    }
}

/// Records that the mailbox is the person's, and the password that they chose with it. With that they
/// are a user, where nothing else is asked.
pub struct ProveSignupEmail {
    pub user_id: UserId,
    pub person: NewUser,
    /// Of the link, with the hash of the password that was set by it; none where a provider vouches.
    pub by_link: Option<(u32, String)>,
}

impl Operation for ProveSignupEmail {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id), user_stream(admission, self.user_id), credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![policy_stream(admission.organization)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.person.lookups()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        check_open(unit)?;
        let generation = self.by_link.as_ref().map(|(generation, _)| *generation);
        unit.run::<Signup>(user_id, &SignupCommand::ProveEmail { generation })?;
        if let Some((_, hash)) = &self.by_link {
            let set = CredentialAction::SetPassword(SetPassword { hash: hash.clone(), temporary: false });
            let verify = CredentialAction::VerifyEmail { email: self.person.email.text().to_owned() };
            for action in [set, verify] {
                unit.run::<Credential>(user_id, &CredentialCommand { user_id, action })?;
            }
        }
        self.person.join(unit, user_id)?;
        answer(unit, user_id)
    }
}

/// Says yes to somebody who signs up. They are a user where that was the last thing asked, and a letter
/// tells them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveSignup {
    /// The sign-up, under the id of the user whom it makes.
    pub user_id: UserId,
    /// Looked up before the command is executed; nobody knows it once the person was erased.
    #[serde(skip)]
    #[schema(ignore)]
    pub person: Option<NewUser>,
}

impl Operation for ApproveSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id), user_stream(admission, self.user_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.person.iter().flat_map(NewUser::lookups).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Signup>(self.user_id, &SignupCommand::Approve)?;
        self.person.as_ref().ok_or(SignupError::Erased)?.join(unit, self.user_id)?;
        answer(unit, self.user_id)
    }
}

/// Says no to somebody who signs up; a letter tells them. Where the address was theirs, nobody signs up
/// with it again: an invitation lets them in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseSignup {
    /// The sign-up, under the id of the user whom it would make.
    pub user_id: UserId,
    /// What the person is told.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Operation for RefuseSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Signup>(self.user_id, &SignupCommand::Refuse { reason: self.reason.clone() })?;
        // Anyone could have typed an address that nobody proved; its owner may still sign up.
        if !terms(unit, self.user_id)?.is_email_proven() {
            let_go(unit, self.user_id)?;
        }
        answer(unit, self.user_id)
    }
}

/// Records that the time of a sign-up has run out, where it has.
pub struct ExpireSignup {
    pub user_id: UserId,
}

impl Operation for ExpireSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let now = unit.facts().now;
        if unit.state::<Signup>(self.user_id)?.is_due(now) {
            unit.run::<Signup>(self.user_id, &SignupCommand::Expire)?;
            let_go(unit, self.user_id)?;
        }
        let status = unit.state::<Signup>(self.user_id)?.terms().map_or("", |terms| terms.status.name());
        Ok(Answer::new("id", self.user_id, status))
    }
}

#[cfg(test)]
#[path = "signups_tests.rs"]
mod tests;
