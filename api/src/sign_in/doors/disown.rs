//! Say that it was not oneself of whom a security notice tells (E-117).

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        account::Changed,
        disown_token::{DisownToken, read_disown_token},
        entrance::{failed, refused_entry},
    },
};
use palmares_commands::identity::DisownSignIn;
use serde::Deserialize;
use utoipa::ToSchema;

/// End every session by the token of a security notice; it works once. Whatever is wrong with it, the
/// answer is the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disown {
    pub token: String,
}

impl Door for Disown {
    type Output = Changed;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Changed>, Problem> {
        let DisownToken { organization, user, letter } =
            read_disown_token(visit.services.gate.tokens(), &self.token).map_err(|_| failed())?;
        visit.services.desk.attempts.count(visit.address, "link", &[&organization.to_string(), &user.to_string()])?;
        let disown = DisownSignIn { user_id: user, letter_id: letter };
        let done = visit.services.engine.execute(visit.admit(organization, user, None, "door.disown", disown)).await;
        done.map_err(refused_entry)?;
        Ok(Changed::new("SIGNED_OUT").into())
    }
}
