//! Prove a second factor, and enrol one where it is required and missing (E-110, E-111, E-112, E-113, E-218).

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::{Challenge, Step},
        entrance::{self, Entry, SignInAnswer, failed, first_factor, takes_email_code},
        known::Known,
        mailing::{Sent, issue},
        meant::{Found, Meant, found},
        pass_token::fresh_pass,
        phone::{send_code, takes_phone_code},
        record_failure,
        sent_code::is_code_of,
        totp,
    },
};
use palmares_commands::{
    engine::Rejection,
    identity::{Enter, FailPass},
};
use palmares_domain::identity::{
    credential::{CredentialAction, PassKind},
    sessions::Factor,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which second factor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// The six digits of an authenticator (RFC 6238).
    Totp,
    /// One of the ten codes that were shown at enrolment.
    RecoveryCode,
    /// The six digits that were sent by mail.
    EmailCode,
    /// The six digits that were sent by text message.
    PhoneCode,
}

/// Prove a second factor, and be signed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifySecondFactor {
    pub challenge: String,
    pub method: SecondFactor,
    #[schema(min_length = 6, max_length = 40)]
    pub code: String,
}

/// Who holds a challenge, and what stands about them.
async fn holder(visit: &Visit<'_>, challenge: &Challenge) -> Result<Found, Problem> {
    let parts = [challenge.organization.to_string(), challenge.user.to_string()];
    visit.services.desk.attempts.count(visit.address, "code", &[&parts[0], &parts[1]])?;
    let found = found(visit.services, &Meant { organization: challenge.organization, user: challenge.user }).await?;
    if found.may_go_on(challenge) { Ok(found) } else { Err(failed()) }
}

impl Door for VerifySecondFactor {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let challenge = Challenge::read(visit.services.gate.tokens(), Step::SecondFactor, &self.challenge)?;
        let found = holder(visit, &challenge).await?;
        let (proven, factor) = match self.method {
            SecondFactor::Totp => {
                let step = found.credential.totp_secret().and_then(|secret| totp::step_of(secret, &self.code));
                (step.map(|step| CredentialAction::RecordTotp { step }), Factor::OneTimeCode)
            }
            SecondFactor::RecoveryCode => {
                (totp::recovery_digest(&self.code).map(|digest| CredentialAction::UseRecoveryCode { digest }), Factor::RecoveryCode)
            }
            SecondFactor::EmailCode => (sent_code(visit, &challenge, &found, PassKind::EmailCode, &self.code).await?, Factor::SentCode),
            SecondFactor::PhoneCode => (sent_code(visit, &challenge, &found, PassKind::PhoneCode, &self.code).await?, Factor::SentCode),
        };
        let Some(action) = proven else {
            record_failure(visit, &Meant { organization: challenge.organization, user: challenge.user }, &found);
            return Err(failed());
        };
        let mut factors = first_factor(challenge.method);
        factors.extend([factor, Factor::Multiple]);
        entrance::enter(visit, &challenge, Entry { factors, actions: vec![action], ..Entry::default() }).await
    }
}

/// What a code that was sent uses up, where it is the right one. A wrong one is counted before
/// it is answered, and the fifth makes the code void.
async fn sent_code(
    visit: &Visit<'_>,
    challenge: &Challenge,
    found: &Found,
    kind: PassKind,
    code: &str,
) -> Result<Option<CredentialAction>, Problem> {
    let services = visit.services;
    let takes = if kind.is_of_phone() { takes_phone_code(services, found) } else { takes_email_code(services, challenge, found) };
    let Some(pass) = found.credential.pass(kind, services.engine.now()).filter(|_| takes) else { return Ok(None) };
    let (organization, user_id, pass_id) = (challenge.organization, challenge.user, pass.pass_id);
    if is_code_of(&services.desk.ring, organization, pass_id, code).await? {
        return Ok(Some(CredentialAction::UsePass { pass_id, kind }));
    }
    let fail = visit.admit(organization, user_id, None, "door.fail_code", FailPass { user_id, pass_id, kind });
    match services.engine.execute(fail).await {
        // Another wrong one was quicker, and the code is void.
        Ok(_) | Err(Rejection::Refused(_)) => Ok(None),
        Err(rejection) => Err(rejection.into()),
    }
}

/// Ask for a code by mail as the second factor. It is good once and for ten minutes, and a newer one
/// ends it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskEmailCode {
    pub challenge: String,
}

impl Door for AskEmailCode {
    type Output = Sent;
    const STATUS: u16 = 202;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Sent>, Problem> {
        let challenge = Challenge::read(visit.services.gate.tokens(), Step::SecondFactor, &self.challenge)?;
        let found = holder(visit, &challenge).await?;
        if !takes_email_code(visit.services, &challenge, &found) {
            return Err(failed());
        }
        // Whoever is here has proven who they are, so they may learn that they asked too often.
        let admitted = visit.admit(challenge.organization, challenge.user, None, "door.send_code", ());
        issue(&visit.services.engine, &visit.services.readers, admitted, PassKind::EmailCode, fresh_pass(None)).await?;
        Ok(Sent::ANSWER.into())
    }
}

/// Ask for a code by text message as the second factor. It is good once and for ten minutes, and a newer one
/// ends it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPhoneCode {
    pub challenge: String,
}

impl Door for AskPhoneCode {
    type Output = Sent;
    const STATUS: u16 = 202;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Sent>, Problem> {
        let challenge = Challenge::read(visit.services.gate.tokens(), Step::SecondFactor, &self.challenge)?;
        let found = holder(visit, &challenge).await?;
        let number = found.credential.phone().filter(|_| takes_phone_code(visit.services, &found)).ok_or_else(failed)?;
        let admitted = visit.admit(challenge.organization, challenge.user, None, "door.send_code", ());
        send_code(admitted, visit.services, number, false).await?;
        Ok(Sent::ANSWER.into())
    }
}

/// Begin to enrol an authenticator, as signing in asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolSecondFactor {
    pub challenge: String,
}

/// What an authenticator has to be told.
#[derive(Serialize, ToSchema)]
pub struct Enrolment {
    /// Base32.
    pub secret: String,
    /// The same as an address, which a QR code may show.
    pub otpauth_url: String,
}

impl Door for EnrolSecondFactor {
    type Output = Enrolment;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Enrolment>, Problem> {
        let challenge = Challenge::read(visit.services.gate.tokens(), Step::Enrolment, &self.challenge)?;
        holder(visit, &challenge).await?;
        let admitted = visit.admit(challenge.organization, challenge.user, None, "door.enrol", ());
        let known = Known::of(visit.services, admitted.tenant(), challenge.user).await?;
        let (secret, otpauth_url) = totp::fresh(&known.organization.name, &known.account()).map_err(Problem::internal)?;
        let actions = vec![CredentialAction::BeginTotp { secret: secret.clone() }];
        let begin = Enter { entrant: challenge.entrant(), ..Enter::change(challenge.user, actions) };
        visit.services.engine.execute(admitted.map(|()| begin)).await?;
        Ok(Enrolment { secret, otpauth_url }.into())
    }
}

/// Show that the authenticator has the secret, and be signed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEnrolment {
    pub challenge: String,
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

impl Door for ConfirmEnrolment {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let challenge = Challenge::read(visit.services.gate.tokens(), Step::Enrolment, &self.challenge)?;
        let found = holder(visit, &challenge).await?;
        if found.credential.has_totp() {
            return Err(failed());
        }
        let step = found.credential.totp_secret().and_then(|secret| totp::step_of(secret, &self.code)).ok_or_else(failed)?;
        let (recovery_codes, digests) = totp::recovery_codes().map_err(Problem::internal)?;
        let actions = vec![CredentialAction::ConfirmTotp { step }, CredentialAction::IssueRecoveryCodes { digests }];
        let mut factors = first_factor(challenge.method);
        factors.extend([Factor::OneTimeCode, Factor::Multiple]);
        entrance::enter(visit, &challenge, Entry { factors, actions, recovery_codes }).await
    }
}
