//! The way in after somebody proved who they are: what is still asked of them, and the session.

use super::{
    challenge::{Challenge, Step},
    meant::{Found, Meant, found},
    phone::takes_phone_code,
    place::sighting,
    told::told,
};
use crate::{
    pipeline::{
        Services,
        door::{Opened, Visit},
        session_secret::{CookieSecret, RefreshSecret, SESSION_COOKIE, SessionName, digest_of, fresh_half},
    },
    problem::Problem,
};
use actix_web::cookie::{Cookie, SameSite, time};
use chrono::{DateTime, Utc};
use palmares_commands::{engine::Rejection, identity::Enter};
use palmares_domain::{
    identity::{
        RoleRef,
        credential::CredentialAction,
        sessions::{Carrier, Factor, SignInMethod, StartSession},
        sign_in_watch::Means,
        user::User,
    },
    kernel::{Code, Digest, OrganizationId, SessionId},
    organizations::organization::{Organization, SuspiciousSignIn},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use utoipa::ToSchema;
use uuid::Uuid;

/// How long an access token is good (E-108).
pub const ACCESS_TOKEN_TTL: Duration = Duration::from_secs(10 * 60);
/// How long a browser stays signed in.
const COOKIE_SESSION: chrono::Duration = chrono::Duration::hours(12);
/// How long a device may go on refreshing.
const BEARER_SESSION: chrono::Duration = chrono::Duration::days(30);

/// Where somebody who signs in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignInStatus {
    SignedIn,
    /// A second factor has to be proven: `POST /auth/mfa/verify`.
    SecondFactorRequired,
    /// A second factor is required and there is none yet: `POST /auth/mfa/enrol`.
    EnrolmentRequired,
    /// The password is not the user's own yet: `POST /auth/password`.
    PasswordRequired,
    /// Somebody who may has to approve first; a letter tells when that is done.
    ApprovalRequired,
    /// A code was sent to the telephone that was given at sign-up: `POST /auth/signup/phone`.
    PhoneCodeRequired,
}

impl SignInStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "SIGNED_IN",
            Self::SecondFactorRequired => "SECOND_FACTOR_REQUIRED",
            Self::EnrolmentRequired => "ENROLMENT_REQUIRED",
            Self::PasswordRequired => "PASSWORD_REQUIRED",
            Self::ApprovalRequired => "APPROVAL_REQUIRED",
            Self::PhoneCodeRequired => "PHONE_CODE_REQUIRED",
        }
    }
}

/// What a door answers someone who proved something.
#[derive(Serialize, ToSchema)]
pub struct SignInAnswer {
    pub status: SignInStatus,
    /// What to give back with the next step; good for ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The second factors that are accepted: `totp`, `email_code`, `recovery_code`, `phone_code`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<&'static str>,
    #[serde(flatten)]
    pub session: Option<SignedIn>,
}

impl SignInAnswer {
    /// A sign-up goes on elsewhere: by a code, or without the person.
    pub fn awaits(code: bool) -> Self {
        let status = if code { SignInStatus::PhoneCodeRequired } else { SignInStatus::ApprovalRequired };
        Self { status, challenge: None, methods: Vec::new(), session: None }
    }
}

/// A session that has started.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    #[schema(value_type = Uuid)]
    pub session_id: SessionId,
    /// What a page sends as `Palmares-Csrf` with each request that changes something.
    pub csrf_token: String,
    /// When the session ends at the latest.
    pub expires_at: DateTime<Utc>,
    #[serde(flatten)]
    pub tokens: Option<Tokens>,
    /// Shown once, at enrolment: each stands in for the authenticator once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
}

/// An access token and what refreshes it (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    pub refresh_token: String,
}

/// Asks for what is still missing, or lets in.
pub async fn proceed(visit: &Visit<'_>, challenge: Challenge, found: &Found) -> Result<Opened<SignInAnswer>, Problem> {
    if challenge.method == SignInMethod::Password && found.credential.must_rotate() {
        return ask(visit, &challenge, Step::Password, SignInStatus::PasswordRequired, Vec::new());
    }
    if found.credential.has_totp() {
        let methods = vec!["totp", "recovery_code"];
        return ask(visit, &challenge, Step::SecondFactor, SignInStatus::SecondFactorRequired, methods);
    }
    let methods = in_place_of_totp(visit, &challenge, found);
    if !methods.is_empty() {
        return ask(visit, &challenge, Step::SecondFactor, SignInStatus::SecondFactorRequired, methods);
    }
    if found.needs_second_factor() {
        return ask(visit, &challenge, Step::Enrolment, SignInStatus::EnrolmentRequired, vec!["totp"]);
    }
    let factors = first_factor(challenge.method);
    enter(visit, &challenge, Entry { factors, ..Entry::default() }).await
}

/// What somebody is asked for who has a telephone and no authenticator. Where codes do not go to it any more, a code
/// by mail is left, unless an authenticator is asked of everyone.
fn in_place_of_totp(visit: &Visit<'_>, challenge: &Challenge, found: &Found) -> Vec<&'static str> {
    let by_phone = takes_phone_code(visit.services, found);
    if found.credential.phone().is_none() || (!by_phone && found.needs_second_factor()) {
        return Vec::new();
    }
    let methods = [(by_phone, "phone_code"), (takes_email_code(visit.services, challenge, found), "email_code")];
    methods.into_iter().filter(|(takes, _)| *takes).map(|(_, method)| method).collect()
}

/// Whether a code by mail is a second factor here: of nobody who has an authenticator or a telephone, since the
/// mailbox resets the password too and would be all it takes; and a mailbox is none to itself.
pub fn takes_email_code(services: &Services, challenge: &Challenge, found: &Found) -> bool {
    let has_better = found.credential.has_totp() || takes_phone_code(services, found);
    challenge.method != SignInMethod::MagicLink && found.has_address && !has_better
}

/// Asks for a step, under a challenge.
pub fn ask(
    visit: &Visit<'_>,
    challenge: &Challenge,
    step: Step,
    status: SignInStatus,
    methods: Vec<&'static str>,
) -> Result<Opened<SignInAnswer>, Problem> {
    let text = challenge.seal(visit.services.gate.tokens(), step).map_err(Problem::internal)?;
    Ok(SignInAnswer { status, challenge: Some(text), methods, session: None }.into())
}

/// The device that a session is started on, as its client tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Of the client's own id of it; every refresh has to come with the same.
    pub id: Option<Digest>,
    /// What its owner calls it.
    pub name: Option<String>,
}

/// What goes with a session into one append.
#[derive(Default)]
pub struct Entry {
    pub factors: BTreeSet<Factor>,
    /// What is used up, enrolled or set.
    pub actions: Vec<CredentialAction>,
    pub recovery_codes: Vec<String>,
}

/// Starts the session.
pub async fn enter(visit: &Visit<'_>, challenge: &Challenge, entry: Entry) -> Result<Opened<SignInAnswer>, Problem> {
    let Challenge { organization, user, method, pass, ref device, switched, jwt, .. } = *challenge;
    let Entry { factors, mut actions, recovery_codes } = entry;
    let name = SessionName { organization, user, session: SessionId(Uuid::now_v7()) };
    let (family, current) = (fresh_half().map_err(Problem::internal)?, fresh_half().map_err(Problem::internal)?);
    let (longest, choice) = terms(visit, organization).await?;
    let now = visit.services.engine.now();
    let expires_at = now + longest.min(if jwt { BEARER_SESSION } else { COOKIE_SESSION });
    if let Some((pass_id, kind)) = pass {
        actions.push(CredentialAction::UsePass { pass_id, kind });
    }
    let seen = (name.session, means(&factors));
    let sighting = sighting(visit, &Meant { organization, user }, seen, device.as_ref(), choice).await?;
    let start = StartSession {
        session_id: name.session,
        method,
        factors,
        carrier: if jwt { Carrier::Bearer } else { Carrier::Cookie },
        family: digest_of(&family),
        current: digest_of(&current),
        device: device.as_ref().and_then(|device| device.id),
        device_name: device.as_ref().and_then(|device| device.name.clone()),
        expires_at,
    };
    let enter =
        Enter { entrant: challenge.last_step(), start: Some(start), switched, sighting: Some(sighting), ..Enter::change(user, actions) };
    let entered = visit.services.engine.execute(visit.admit(organization, user, Some(name.session), "door.sign_in", enter)).await;
    let entered = entered.map_err(refused_entry)?;
    if let Some(status) = entered.answer.0.get("status").and_then(Value::as_str).filter(|status| *status != "SIGNED_IN") {
        return kept_out(visit, challenge, status).await;
    }

    let cookie = CookieSecret { name, family: family.clone() };
    let tokens = match jwt {
        true => Some(tokens(visit, &RefreshSecret { name, family, current }).await?),
        false => None,
    };
    let session = SignedIn { session_id: name.session, csrf_token: cookie.csrf(), expires_at, tokens, recovery_codes };
    let output = SignInAnswer { status: SignInStatus::SignedIn, challenge: None, methods: Vec::new(), session: Some(session) };
    Ok(Opened { output, cookies: vec![session_cookie(cookie.text(), expires_at - now)], location: None })
}

/// An access token for a session, beside the refresh token that is current now.
pub async fn tokens(visit: &Visit<'_>, refresh: &RefreshSecret) -> Result<Tokens, Problem> {
    let SessionName { organization, user, session } = refresh.name;
    let meant = Meant { organization, user };
    let (roles, told) = (roles(visit, &meant).await?, told(visit.services, &meant).await?);
    let minted = visit.services.gate.tokens().mint_for(Some(session), user, organization, roles, told, ACCESS_TOKEN_TTL);
    Ok(Tokens {
        access_token: minted.map_err(Problem::internal)?,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_TTL.as_secs(),
        refresh_token: refresh.text(),
    })
}

/// The cookie of a browser: out of reach of scripts, and of pages of others where something changes.
fn session_cookie(text: String, good_for: chrono::Duration) -> Cookie<'static> {
    let seconds = good_for.num_seconds().max(0);
    Cookie::build(SESSION_COOKIE, text)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}

/// The cookie that makes a browser forget its session.
pub fn forgotten_cookie() -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, "").path("/").secure(true).http_only(true).same_site(SameSite::Lax).max_age(time::Duration::ZERO).finish()
}

/// What the rules refuse of a proof, such as a code that is spent already, did not work, and nobody
/// learns why; of what was told beside it they say what is wrong.
pub fn refused_entry(rejection: Rejection) -> Problem {
    match rejection {
        Rejection::Refused(refused) if refused.code != Code::ValidationError => failed(),
        other => other.into(),
    }
}

/// What a sign-in was shown with: a second factor, or what only the user's mailbox gets, outweighs a suspicion.
fn means(factors: &BTreeSet<Factor>) -> Means {
    if factors.contains(&Factor::Multiple) || factors.contains(&Factor::Link) { Means::Strong } else { Means::Weak }
}

/// What is answered to whom the suspicion keeps out: they are asked for a second factor where they can
/// show one, and else sent to their mailbox (E-117).
async fn kept_out(visit: &Visit<'_>, challenge: &Challenge, status: &str) -> Result<Opened<SignInAnswer>, Problem> {
    let meant = Meant { organization: challenge.organization, user: challenge.user };
    if status == "SECOND_FACTOR_DEMANDED" && takes_email_code(visit.services, challenge, &found(visit.services, &meant).await?) {
        return ask(visit, challenge, Step::SecondFactor, SignInStatus::SecondFactorRequired, vec!["email_code"]);
    }
    Err(Problem::new(Code::AuthenticationFailed, "sign_in.suspicious"))
}

/// How long anyone of the organization stays signed in at most, and what follows a suspicion there.
async fn terms(visit: &Visit<'_>, organization: OrganizationId) -> Result<(chrono::Duration, SuspiciousSignIn), Problem> {
    let terms = |organization: &Organization| (organization.settings().session_max_hours(), organization.settings().suspicious_sign_in());
    let (hours, choice) = visit.services.engine.look(organization, organization, terms).await?;
    Ok((chrono::Duration::hours(hours.into()), choice))
}

async fn roles(visit: &Visit<'_>, meant: &Meant) -> Result<BTreeSet<RoleRef>, Problem> {
    let roles = |user: &User| user.profile().map(|profile| profile.roles.clone()).unwrap_or_default();
    Ok(visit.services.engine.look(meant.organization, meant.user, roles).await?)
}

/// What coming in by a door proves.
pub fn first_factor(method: SignInMethod) -> BTreeSet<Factor> {
    BTreeSet::from([match method {
        SignInMethod::Password => Factor::Password,
        SignInMethod::MagicLink | SignInMethod::Invitation => Factor::Link,
        // Somebody else vouches: a provider, or another organization.
        SignInMethod::Oidc | SignInMethod::Switch => Factor::Federated,
    }])
}

/// One answer for whoever is not let in, whatever the reason.
pub fn failed() -> Problem {
    Problem::new(Code::AuthenticationFailed, "sign_in.failed")
}
