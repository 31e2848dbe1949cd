//! Set a password of one's own, in place of one that somebody else gave (E-136).

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::{Challenge, Step},
        entrance::{self, SignInAnswer, failed},
        known::Known,
        meant::{Meant, found},
    },
};
use palmares_commands::identity::Enter;
use palmares_domain::identity::credential::CredentialAction;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Set a password of one's own, as signing in asked for, and go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOwnPassword {
    pub challenge: String,
    #[schema(min_length = 12, max_length = 128)]
    pub password: String,
}

impl Door for SetOwnPassword {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let desk = &visit.services.desk;
        let challenge = Challenge::read(visit.services.gate.tokens(), Step::Password, &self.challenge)?;
        let meant = Meant { organization: challenge.organization, user: challenge.user };
        let before = found(visit.services, &meant).await?;
        // The challenge is over with the password that it asked to replace.
        if !(before.may_sign_in() && before.credential.must_rotate()) {
            return Err(failed());
        }
        let password = Zeroizing::new(self.password);
        let admitted = visit.admit(meant.organization, meant.user, None, "door.set_password", ());
        let known = Known::of(visit.services, admitted.tenant(), meant.user).await?;
        desk.policy.check("password", &password, before.settings.password_min_length(), &known.words())?;
        let old = before.credential.password().map(|password| password.hash.clone());
        if desk.passwords.verify(password.clone(), old).await? {
            return Err(Problem::invalid_field("password", "password_unchanged"));
        }
        let action = CredentialAction::ChangePassword { hash: desk.passwords.hash(password).await? };
        let enter = Enter { end_others: true, ..Enter::change(meant.user, vec![action]) };
        visit.services.engine.execute(admitted.map(|()| enter)).await?;
        let after = found(visit.services, &meant).await?;
        entrance::proceed(visit, challenge, &after).await
    }
}
