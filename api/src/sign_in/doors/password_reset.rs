//! Set a password in place of a forgotten one, by a link that is sent to the user's mailbox (E-217).
//!
//! For users who may act, and for those who accepted an invitation and lost what that answered: the
//! link shows as well as the invitation's that the mailbox is theirs, so they go on with it from there.

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::{Challenge, Step},
        entrance::{failed, refused_entry},
        known::Known,
        mailing::{Sent, send_link},
        meant::{Found, Meant, found, meant},
        on_the_beat,
        pass_token::{PassToken, fresh_pass, read_pass_token},
        record_failure,
    },
};
use palmares_commands::identity::Enter;
use palmares_domain::identity::{
    credential::{CredentialAction, PassKind, SetPassword},
    email_key,
    sessions::SignInMethod,
};
use palmares_projections::identity::invitations::invitation_of;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Ask for a link. The answer is the same whether or not anybody is called so, and takes the same time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPasswordReset {
    /// The short name of the organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    #[schema(max_length = 254)]
    pub email: String,
}

impl Door for AskPasswordReset {
    type Output = Sent;
    const STATUS: u16 = 202;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Sent>, Problem> {
        let came = Instant::now();
        visit.services.desk.attempts.count(visit.address, "password_reset", &[&self.organization, &email_key(&self.email)])?;
        let meant = meant(visit.services, &self.organization, &self.email).await?;
        send_link(visit, meant, PassKind::PasswordReset, fresh_pass(None), may_reset);
        on_the_beat(came).await;
        Ok(Sent::ANSWER.into())
    }
}

fn may_reset(found: &Found) -> bool {
    found.may_sign_in() || found.is_newcomer()
}

/// Set a password by the token of a link. Every session of the user ends, and a second factor is asked
/// for at the next sign-in as before; a newcomer who has to enrol one does so right away. Whatever is
/// wrong with the token, the answer is the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    pub token: String,
    #[schema(min_length = 12, max_length = 128)]
    pub password: String,
}

/// Where somebody stands who has set a password.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResetStatus {
    /// The password is good to sign in with.
    Changed,
    /// What is asked of newcomers is not done: `POST /auth/mfa/enrol`.
    EnrolmentRequired,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub struct PasswordReset {
    pub status: ResetStatus,
    /// What to give back with the next step; good for ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

impl Door for ResetPassword {
    type Output = PasswordReset;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<PasswordReset>, Problem> {
        let (desk, kind) = (&visit.services.desk, PassKind::PasswordReset);
        let password = Zeroizing::new(self.password);
        let named = read_pass_token(visit.services.gate.tokens(), kind, &self.token).map_err(|_| failed())?;
        let PassToken { organization, user, pass } = named;
        desk.attempts.count(visit.address, "link", &[&organization.to_string(), &user.to_string()])?;
        let meant = Meant { organization, user };
        let found = found(visit.services, &meant).await?;
        let known = found.credential.pass(kind, visit.services.engine.now()).filter(|known| known.pass_id == pass && may_reset(&found));
        let Some(known) = known else {
            record_failure(visit, &meant, &found);
            return Err(failed());
        };
        let admitted = visit.admit(organization, user, None, "door.reset_password", ());
        let told = Known::of(visit.services, admitted.tenant(), user).await?;
        let words: Vec<&str> = told.words().into_iter().chain([known.to.as_str()]).collect();
        desk.policy.check("password", &password, found.settings.password_min_length(), &words)?;
        let set = SetPassword { hash: desk.passwords.hash(password).await?, temporary: false };
        let actions = vec![CredentialAction::UsePass { pass_id: pass, kind }, CredentialAction::SetPassword(set)];
        let mut challenge = Challenge::of(&meant, SignInMethod::Invitation, None, false);
        if found.is_newcomer() {
            let mut reader = visit.services.readers.open(admitted.tenant(), None).await?;
            challenge.invitation = Some(invitation_of(&mut reader, user).await?.ok_or_else(failed)?);
        }
        let goes_on = found.is_newcomer() && found.needs_second_factor();
        let entrant = if goes_on { challenge.entrant() } else { challenge.last_step() };
        let enter = Enter { end_others: true, entrant, ..Enter::change(user, actions) };
        let changed = visit.services.engine.execute(admitted.map(|()| enter)).await;
        changed.map_err(refused_entry)?;
        if !goes_on {
            return Ok(PasswordReset { status: ResetStatus::Changed, challenge: None }.into());
        }
        let challenge = challenge.seal(visit.services.gate.tokens(), Step::Enrolment).map_err(Problem::internal)?;
        Ok(PasswordReset { status: ResetStatus::EnrolmentRequired, challenge: Some(challenge) }.into())
    }
}
