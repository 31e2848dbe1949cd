//! Sign in by a link that is sent to the user's mailbox (E-93, E-104, E-105, E-216).
//!
//! A link is good once, for 15 minutes, and until a newer one is asked for. Where it was asked for on
//! a device that told its id, it is good on that device only. It is not bound to an IP address: a
//! phone changes its own between asking and reading, and an attacker in the same building shares it.

use super::{DeviceFields, flag};
use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::Challenge,
        entrance::{self, SignInAnswer, failed},
        mailing::{Sent, send_link},
        meant::{Found, Meant, found, meant},
        on_the_beat,
        pass_token::{PassToken, comes_from, fresh_pass, read_pass_token},
        record_failure,
    },
};
use palmares_domain::identity::{credential::PassKind, email_key, sessions::SignInMethod};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;

/// Ask for a link. The answer is the same whether or not anybody is called so, and takes the same time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMagicLink {
    /// The short name of the organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    #[schema(max_length = 254)]
    pub email: String,
    /// With an id in it, the link is good on this device only.
    pub device: Option<DeviceFields>,
}

impl Door for AskMagicLink {
    type Output = Sent;
    const STATUS: u16 = 202;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Sent>, Problem> {
        let came = Instant::now();
        visit.services.desk.attempts.count(visit.address, "magic_link", &[&self.organization, &email_key(&self.email)])?;
        let meant = meant(visit.services, &self.organization, &self.email).await?;
        let device = self.device.and_then(|device| device.told().id);
        send_link(visit, meant, PassKind::MagicLink, fresh_pass(device), Found::may_sign_in);
        on_the_beat(came).await;
        Ok(Sent::ANSWER.into())
    }
}

/// Sign in by the token of a link. Whatever is wrong with it, the answer is the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeMagicLink {
    pub token: String,
    pub device: Option<DeviceFields>,
    /// Answer tokens as well; without it the session lives in a cookie only.
    #[serde(rename = "$jwt", default, deserialize_with = "flag")]
    pub jwt: bool,
}

impl Door for TakeMagicLink {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let kind = PassKind::MagicLink;
        let named = read_pass_token(visit.services.gate.tokens(), kind, &self.token).map_err(|_| failed())?;
        let PassToken { organization, user, pass } = named;
        visit.services.desk.attempts.count(visit.address, "link", &[&organization.to_string(), &user.to_string()])?;
        let meant = Meant { organization, user };
        let found = found(visit.services, &meant).await?;
        let device = self.device.map(DeviceFields::told);
        let known = found.credential.pass(kind, visit.services.engine.now()).is_some_and(|known| known.pass_id == pass);
        let here = comes_from(pass, device.as_ref().and_then(|device| device.id));
        if !(known && here && found.may_sign_in()) {
            record_failure(visit, &meant, &found);
            return Err(failed());
        }
        let challenge = Challenge { pass: Some((pass, kind)), ..Challenge::of(&meant, SignInMethod::MagicLink, device, self.jwt) };
        entrance::proceed(visit, challenge, &found).await
    }
}
