//! Show that a mailbox is the user's, by a link that was sent there (E-136).

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        account::Changed,
        entrance::{failed, refused_entry},
        meant::{Meant, found},
        pass_token::{PassToken, read_pass_token},
    },
};
use palmares_commands::identity::Enter;
use palmares_domain::identity::credential::{CredentialAction, PassKind};
use serde::Deserialize;
use utoipa::ToSchema;

/// Confirm an address by the token of a link. Whatever is wrong with it, the answer is the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyEmail {
    pub token: String,
}

impl Door for VerifyEmail {
    type Output = Changed;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Changed>, Problem> {
        let kind = PassKind::EmailVerification;
        let named = read_pass_token(visit.services.gate.tokens(), kind, &self.token).map_err(|_| failed())?;
        let PassToken { organization, user, pass } = named;
        visit.services.desk.attempts.count(visit.address, "link", &[&organization.to_string(), &user.to_string()])?;
        if !found(visit.services, &Meant { organization, user }).await?.may_sign_in() {
            return Err(failed());
        }
        let enter = Enter::change(user, vec![CredentialAction::UsePass { pass_id: pass, kind }]);
        let used = visit.services.engine.execute(visit.admit(organization, user, None, "door.verify_email", enter)).await;
        used.map_err(refused_entry)?;
        Ok(Changed::new("VERIFIED").into())
    }
}
