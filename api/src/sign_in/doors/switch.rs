//! Enter a linked account in another organization (E-21, E-200).
//!
//! Being signed in to one account proves the person to the other as a password would, and no more: what
//! else the other organization asks of its people, a second factor above all, it asks here as well.

use super::{DeviceFields, flag};
use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::Challenge,
        entrance::{self, SignInAnswer, failed},
        meant::{Meant, found},
        membership_token::read_switch_token,
        record_failure,
    },
};
use palmares_domain::identity::{memberships::Memberships, sessions::SignInMethod};
use serde::Deserialize;
use utoipa::ToSchema;

/// Start a session in another organization, with what `POST /me/memberships/{membership_id}/switch`
/// answered. The session from which one comes goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterMembership {
    pub switch_token: String,
    pub device: Option<DeviceFields>,
    /// Answer tokens as well; without it the session lives in a cookie only.
    #[serde(rename = "$jwt", default, deserialize_with = "flag")]
    pub jwt: bool,
}

impl Door for EnterMembership {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let services = visit.services;
        let switched = read_switch_token(services.gate.tokens(), &self.switch_token).ok_or_else(failed)?;
        let from = Meant::from(switched.from);
        let leads_to = |memberships: &Memberships| memberships.get(switched.membership_id).map(|membership| membership.account);
        let account = services.engine.look(from.organization, from.user, leads_to).await?;
        let meant = Meant::from(account.ok_or_else(failed)?);
        let found = found(services, &meant).await?;
        if !found.may_sign_in() {
            record_failure(visit, &meant, &found);
            return Err(failed());
        }
        let device = self.device.map(DeviceFields::told);
        let challenge = Challenge { switched: Some(switched), ..Challenge::of(&meant, SignInMethod::Switch, device, self.jwt) };
        entrance::proceed(visit, challenge, &found).await
    }
}
