//! Prove a second factor, and enrol one where it is required and missing (E-110, E-113, E-218).

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::{Challenge, Step},
        entrance::{self, Entry, SignInAnswer, failed, first_factor},
        meant::{Found, Meant, found},
        record_failure, totp,
    },
};
use palmares_commands::identity::Enter;
use palmares_domain::identity::{credential::CredentialAction, sessions::Factor};
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
    if found.may_act() { Ok(found) } else { Err(failed()) }
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
        };
        let Some(action) = proven else {
            record_failure(visit, &Meant { organization: challenge.organization, user: challenge.user }, &found);
            return Err(failed());
        };
        let mut factors = first_factor(challenge.method);
        factors.extend([factor, Factor::Multiple]);
        // Whether the code is spent already, the rules know; the caller learns that it did not work.
        let entered = entrance::enter(visit, &challenge, Entry { factors, actions: vec![action], ..Entry::default() }).await;
        entered.map_err(|problem| if problem.status().is_client_error() { failed() } else { problem })
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
        let (secret, otpauth_url) = totp::fresh().map_err(Problem::internal)?;
        let actions = vec![CredentialAction::BeginTotp { secret: secret.clone() }];
        let begin = Enter { user_id: challenge.user, actions, end_others: false, keep: None, start: None };
        visit.services.engine.execute(visit.admit(challenge.organization, challenge.user, None, "door.enrol", begin)).await?;
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
        entrance::enter(visit, &challenge, Entry { factors, actions, recovery_codes, ..Entry::default() }).await
    }
}
