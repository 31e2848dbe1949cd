//! Sign in by e-mail address and password (E-90, E-213, T-60).

use super::{DeviceFields, flag};
use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::Challenge,
        check_solved,
        entrance::{self, SignInAnswer, failed},
        meant::{found, meant},
        on_the_beat,
        passwords::Password,
        record_failure,
    },
};
use palmares_domain::identity::{email_key, sessions::SignInMethod};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Sign in by password. Whether nobody is called so, the password is wrong or the account is locked,
/// the answer and its time are the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The short name of the organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    #[schema(max_length = 254)]
    pub email: String,
    #[schema(max_length = 128)]
    pub password: String,
    pub device: Option<DeviceFields>,
    /// What the widget of a challenge gave. It is asked for, by `sign_in.captcha_required`, only after many
    /// failures, and only where the deployment has such challenges.
    #[schema(max_length = 4096)]
    pub captcha: Option<String>,
    /// Answer tokens as well; without it the session lives in a cookie only.
    #[serde(rename = "$jwt", default, deserialize_with = "flag")]
    pub jwt: bool,
}

impl Door for SignIn {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let desk = &visit.services.desk;
        let password: Password = Zeroizing::new(self.password);
        let typed: [&str; 2] = [&self.organization, &email_key(&self.email)];
        desk.attempts.count(visit.address, "password", &typed)?;
        let attempt = desk.abuse.attempt(visit.address, &typed, Instant::now().into_std());
        if attempt.is_suspected && desk.captcha.is_some() {
            let response = self.captcha.as_deref();
            check_solved(visit, Some(response.ok_or_else(|| Problem::invalid_field("captcha", "sign_in.captcha_required"))?)).await?;
        }
        // From here on it is known who is meant, and the time may tell.
        let came = Instant::now();
        let meant = meant(visit.services, &self.organization, &self.email).await?;
        let found = found(visit.services, &meant).await?;
        // Who is meant and whether they may come in at all is known before the password is looked at; the
        // password of somebody who may not is compared with nobody's, for the time that it takes (H-22).
        if !desk.passwords.verify(password, found.password_to_check()).await? {
            record_failure(visit, &meant, &found);
            on_the_beat(came).await;
            return Err(failed());
        }
        desk.abuse.succeeded(&attempt);
        let challenge = Challenge::of(&meant, SignInMethod::Password, self.device.map(DeviceFields::told), self.jwt);
        entrance::proceed(visit, challenge, &found).await
    }
}
