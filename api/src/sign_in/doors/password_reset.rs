//! Set a password in place of a forgotten one, by a link that is sent to the user's mailbox (E-217).
//!
//! Only for users who may act. Whoever accepted an invitation and lost the way has no account to
//! recover yet: their password is set with the setup token, and with nothing else.

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        account::Changed,
        entrance::{failed, refused_entry},
        mailing::{Sent, send_link},
        meant::{Meant, found, meant},
        on_the_beat,
        pass_token::{PassToken, fresh_pass, read_pass_token},
        record_failure,
    },
};
use chrono::Utc;
use palmares_commands::identity::Enter;
use palmares_domain::identity::{
    credential::{CredentialAction, PassKind, SetPassword},
    email_key,
};
use serde::Deserialize;
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
        send_link(visit, meant, PassKind::PasswordReset, fresh_pass(None));
        on_the_beat(came).await;
        Ok(Sent::ANSWER.into())
    }
}

/// Set a password by the token of a link. Every session of the user ends, and a second factor is asked
/// for at the next sign-in as before. Whatever is wrong with the token, the answer is the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    pub token: String,
    #[schema(min_length = 12, max_length = 128)]
    pub password: String,
}

impl Door for ResetPassword {
    type Output = Changed;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Changed>, Problem> {
        let (desk, kind) = (&visit.services.desk, PassKind::PasswordReset);
        let password = Zeroizing::new(self.password);
        let named = read_pass_token(visit.services.gate.tokens(), kind, &self.token).map_err(|_| failed())?;
        let PassToken { organization, user, pass } = named;
        desk.attempts.count(visit.address, "link", &[&organization.to_string(), &user.to_string()])?;
        let meant = Meant { organization, user };
        let found = found(visit.services, &meant).await?;
        let known = found.credential.pass(kind, Utc::now()).filter(|known| known.pass_id == pass && found.may_act());
        let Some(known) = known else {
            record_failure(visit, &meant, &found);
            return Err(failed());
        };
        desk.policy.check("password", &password, found.settings.password_min_length(), &[&known.email])?;
        let set = SetPassword { hash: desk.passwords.hash(password).await?, temporary: false };
        let actions = vec![CredentialAction::UsePass { pass_id: pass, kind }, CredentialAction::SetPassword(set)];
        let enter = Enter { end_others: true, ..Enter::change(user, actions) };
        let changed = visit.services.engine.execute(visit.admit(organization, user, None, "door.reset_password", enter)).await;
        changed.map_err(refused_entry)?;
        Ok(Changed::new("CHANGED").into())
    }
}
