//! Refresh a session, and end it (E-214, E-215).

use super::device_digest;
use crate::{
    pipeline::{
        door::{Door, Opened, Visit},
        session_secret::{CookieSecret, RefreshSecret, SESSION_COOKIE, SessionName, digest_of, fresh_half},
    },
    problem::Problem,
    sign_in::{
        entrance::{self, Tokens, forgotten_cookie},
        meant::{Meant, found},
        place::sighting,
    },
};
use palmares_commands::identity::{EndSession, RotateRefresh};
use palmares_domain::{
    identity::{
        sessions::{self, RevocationReason},
        sign_in_watch::Means,
    },
    kernel::Code,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One answer for whatever is wrong with a refresh token.
fn over() -> Problem {
    Problem::new(Code::AuthenticationFailed, "sign_in.session_ended")
}

/// Trade a refresh token for a new one and an access token. Each is good once: where one comes a
/// second time, two have it, and the session ends (E-109).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshSession {
    pub refresh_token: String,
    /// The id that was told at sign-in.
    pub device_id: Option<String>,
}

impl Door for RefreshSession {
    type Output = Tokens;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<Tokens>, Problem> {
        let RefreshSecret { name, family, current } = RefreshSecret::parse(&self.refresh_token).ok_or_else(over)?;
        let SessionName { organization, user, session } = name;
        let meant = Meant { organization, user };
        let found = found(visit.services, &meant).await?;
        if !found.may_sign_in() {
            return Err(over());
        }
        let sighting = sighting(visit, &meant, (session, Means::Refresh), None, found.settings.suspicious_sign_in()).await?;
        let next = fresh_half().map_err(Problem::internal)?;
        let rotate = sessions::RotateRefresh {
            session_id: session,
            family: digest_of(&family),
            presented: digest_of(&current),
            next: digest_of(&next),
            device: self.device_id.as_deref().map(device_digest),
        };
        let rotate = RotateRefresh { user_id: user, rotate, sighting: Some(sighting) };
        let admitted = visit.admit(organization, user, Some(session), "door.refresh", rotate);
        let receipt = visit.services.engine.execute(admitted).await.map_err(|rejection| match rejection {
            palmares_commands::engine::Rejection::Refused(_) => over(),
            rejection => rejection.into(),
        })?;
        if receipt.answer.0.get("status").and_then(serde_json::Value::as_str) != Some("ROTATED") {
            return Err(over());
        }
        Ok(entrance::tokens(visit, &RefreshSecret { name, family, current: next }).await?.into())
    }
}

/// End the session of the cookie or of the refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOut {
    pub refresh_token: Option<String>,
}

/// That the session is over.
#[derive(Serialize, ToSchema)]
pub struct SignedOut {
    pub status: &'static str,
}

impl Door for SignOut {
    type Output = SignedOut;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignedOut>, Problem> {
        let (name, family) = match self.refresh_token.as_deref() {
            Some(text) => RefreshSecret::parse(text).map(|secret| (secret.name, secret.family)).ok_or_else(over)?,
            None => {
                let cookie = visit.cookie(SESSION_COOKIE).and_then(|text| CookieSecret::parse(&text)).ok_or_else(over)?;
                visit.check_csrf(&cookie)?;
                (cookie.name, cookie.family)
            }
        };
        let SessionName { organization, user, session } = name;
        let now = visit.services.engine.now();
        let held = |sessions: &sessions::Sessions| sessions.holds(session, digest_of(&family), now);
        if visit.services.engine.look(organization, user, held).await? {
            let end = EndSession { user_id: user, session_id: session, reason: RevocationReason::SignedOut };
            visit.services.engine.execute(visit.admit(organization, user, Some(session), "door.sign_out", end)).await?;
        }
        // Whoever is out already is out.
        Ok(Opened { output: SignedOut { status: "SIGNED_OUT" }, cookies: vec![forgotten_cookie()], location: None })
    }
}
