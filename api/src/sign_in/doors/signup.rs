//! Sign up: ask to join an organization that lets people do so, and show that the mailbox is one's own (T-44).
//!
//! No password comes with the first step: it would be chosen by whoever typed the address, and not by
//! whom it belongs to.

use super::{DeviceFields, flag};
use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::Challenge,
        check_solved,
        entrance::{self, SignInAnswer},
        known::OrganizationNames,
        mailing::{Sent, send_link},
        meant::{Found, Meant, found},
        on_the_beat,
        pass_token::fresh_pass,
        signup_token::{SignupToken, not_valid, read_signup_token},
    },
};
use palmares_commands::{
    engine::{Operation, Rejection},
    identity::{AskSignup, Email, NewUser, ProveSignupEmail, SendSignupAgain, signup_rules},
    organizations::slug_claim,
};
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, SIGNUP_EMAIL_LOOKUP,
        credential::PassKind,
        email_key,
        sessions::SignInMethod,
        signup::{Signup, SignupStatus, Terms},
        signup_policy::{SignupHook, SignupPolicy},
    },
    kernel::{
        Code, OrganizationId, UserId,
        text::{is_email, is_label, is_phone},
    },
    organizations::{
        domain::{Domain, DomainName, domain_id},
        organization::{Organization, Settings},
    },
};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Ask to join. The answer is the same whether or not the address is known, and takes the same time: a
/// letter says how to go on, or that there is an account already.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSignup {
    /// The short name of the organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: Option<String>,
    /// In E.164, such as `+33612345678`: a code goes there where the organization asks for a telephone.
    #[schema(min_length = 8, max_length = 16)]
    pub phone: Option<String>,
    /// What the widget of the challenge gave, where the organization asks for one.
    #[schema(max_length = 4096)]
    pub captcha: Option<String>,
}

const NAME_MAX_CHARS: usize = 200;

impl Door for RequestSignup {
    type Output = Sent;
    const STATUS: u16 = 202;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Sent>, Problem> {
        let came = Instant::now();
        visit.services.desk.attempts.count(visit.address, "signup", &[&self.organization, &email_key(&self.email)])?;
        if !is_email(&self.email) {
            return Err(Problem::invalid_field("email", "identity.email_invalid"));
        }
        if self.display_name.as_ref().is_some_and(|name| !is_label(name, NAME_MAX_CHARS)) {
            return Err(Problem::invalid_field("display_name", "identity.display_name_invalid"));
        }
        let organization = visit.services.engine.owner(slug_claim(&self.organization)).await?.map(OrganizationId);
        let organization = organization.ok_or_else(closed)?;
        let steps = asked_of(visit, organization, &self.email).await?;
        let asks_captcha = steps.contains(&SignupHook::Captcha);
        if asks_captcha {
            check_solved(visit, self.captcha.as_deref()).await?;
        }
        if steps.contains(&SignupHook::PhoneVerification) {
            check_phone(visit, self.phone.as_deref())?;
        }
        let key = email_key(&self.email);
        let known = visit.services.engine.holder(organization, EMAIL_LOOKUP, &key).await?.map(UserId);
        let under_way = visit.services.engine.holder(organization, SIGNUP_EMAIL_LOOKUP, &key).await?.map(UserId);
        match (known, under_way) {
            (Some(user), _) => {
                send_link(visit, Meant { organization, user }, PassKind::AccountReminder, fresh_pass(None), Found::may_sign_in);
            }
            (None, Some(user_id)) => beside(visit, organization, user_id, SendSignupAgain { user_id }),
            (None, None) => {
                let user = UserId(Uuid::now_v7());
                let ask = AskSignup::by_form(user, Email::from(self.email), self.display_name, asks_captcha).with_phone(self.phone);
                beside(visit, organization, user, ask);
            }
        }
        on_the_beat(came).await;
        Ok(Sent::ANSWER.into())
    }
}

/// What the organization asks of somebody with this address.
///
/// # Errors
/// One that lets nobody sign up, or nobody with this address, known or not.
async fn asked_of(visit: &Visit<'_>, organization: OrganizationId, email: &str) -> Result<Vec<SignupHook>, Problem> {
    let engine = &visit.services.engine;
    let settings = |found: &Organization| found.is_active().then(|| found.settings());
    let settings: Settings = engine.look(organization, organization, settings).await?.ok_or_else(closed)?;
    let policy = engine.state::<SignupPolicy>(organization, organization).await?;
    let domain = match DomainName::of_email(email) {
        Some(domain) => engine.state::<Domain>(organization, domain_id(organization, &domain)).await?,
        None => Domain::default(),
    };
    let rules = signup_rules(&policy, &settings, &domain, &Email::from(email.to_owned()));
    Ok(rules.map_err(Rejection::Refused)?.steps)
}

/// Refuses what is no number, and one to which too many codes were sent.
fn check_phone(visit: &Visit<'_>, phone: Option<&str>) -> Result<(), Problem> {
    let desk = &visit.services.desk;
    if !desk.sends_texts {
        return Err(Problem::new(Code::ServiceUnavailable, "identity.phone_verification_not_enabled"));
    }
    let phone = phone.filter(|phone| is_phone(phone)).ok_or_else(|| Problem::invalid_field("phone", "identity.phone_invalid"))?;
    desk.attempts.count_text(phone)
}

/// Does it beside the answer, so that neither the answer nor its time tells who is here. Where it was
/// asked too often, and where the process ends meanwhile, nothing happens, and the person asks again.
fn beside<O: Operation>(visit: &Visit<'_>, organization: OrganizationId, actor: UserId, operation: O) {
    let admitted = visit.admit(organization, actor, None, "door.sign_up", operation);
    let engine = visit.services.engine.clone();
    tokio::spawn(async move {
        match engine.execute(admitted).await {
            Ok(_) => {}
            Err(Rejection::Refused(refused)) => tracing::debug!(reason = %refused.reason, "a sign-up does not go on"),
            Err(error) => tracing::error!(?error, "a sign-up could not be recorded"),
        }
    });
}

/// An organization that is not there, is not active or lets nobody sign up: which, nobody is told.
fn closed() -> Problem {
    Problem::new(Code::Conflict, "identity.signup_closed")
}

/// Show by the token of a link that the mailbox is one's own, and choose a password. Where nothing else is
/// asked, the account is there, and one is signed in; `APPROVAL_REQUIRED` says that somebody has to
/// approve first, `PHONE_CODE_REQUIRED` that a code was sent to the telephone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteSignup {
    pub token: String,
    #[schema(min_length = 12, max_length = 128)]
    pub password: String,
    pub device: Option<DeviceFields>,
    /// Answer tokens as well; without it the session lives in a cookie only.
    #[serde(rename = "$jwt", default, deserialize_with = "flag")]
    pub jwt: bool,
}

impl Door for CompleteSignup {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let (services, password) = (visit.services, Zeroizing::new(self.password));
        let named = read_signup_token(services.gate.tokens(), &self.token).map_err(|_| not_valid())?;
        let SignupToken { organization, user, generation } = named;
        services.desk.attempts.count(visit.address, "signup_link", &[&organization.to_string(), &user.to_string()])?;
        let settings = |found: &Organization| found.is_active().then(|| found.settings());
        let settings: Settings = services.engine.look(organization, organization, settings).await?.ok_or_else(not_valid)?;
        let now = services.engine.now();
        let provable = |signup: &Signup| signup.provable(Some(generation), now).map(|(_, person)| person.clone());
        let person = services.engine.look(organization, user, provable).await?.map_err(|_| not_valid())?;
        let called = OrganizationNames::of(services, organization).await?;
        let personal = [person.email.as_str(), person.display_name.as_deref().unwrap_or_default(), &called.name, &called.slug];
        services.desk.policy.check("password", &password, settings.password_min_length(), &personal)?;
        let hash = services.desk.passwords.hash(password).await?;
        let prove = ProveSignupEmail { user_id: user, person: NewUser::of(user, &person), by_link: Some((generation, hash)) };
        let proven = services.engine.execute(visit.admit(organization, user, None, "door.complete_sign_up", prove)).await;
        let proven = proven.map_err(|rejection| match rejection {
            // Used, refused or sent again since it was looked at; the door was closed; somebody has the address.
            Rejection::Refused(_) => not_valid(),
            other => other.into(),
        })?;
        if proven.answer.0.get("status").is_none_or(|status| status != SignupStatus::Active.name()) {
            let awaits = |signup: &Signup| signup.terms().and_then(Terms::awaits);
            let awaits = services.engine.look(organization, user, awaits).await?;
            return Ok(SignInAnswer::awaits(awaits == Some(SignupHook::PhoneVerification)).into());
        }
        let meant = Meant { organization, user };
        let challenge = Challenge::of(&meant, SignInMethod::MagicLink, self.device.map(DeviceFields::told), self.jwt);
        entrance::proceed(visit, challenge, &found(services, &meant).await?).await
    }
}
