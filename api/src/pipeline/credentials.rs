//! What a request proves its caller with: a token, or the cookie of a browser (T-63).
//!
//! The keys of programs are apart from it ([`super::api_key`]): a key proves nothing before it is
//! looked up, and whoever takes a [`Presented`] for a person must not meet one.

use super::{
    call::Call,
    route::Verb,
    session_secret::{CSRF_HEADER, CookieSecret, SESSION_COOKIE, SessionName},
    tokens::{Claims, TokenKeys},
};
use crate::problem::Problem;
use aws_lc_rs::constant_time;
use palmares_domain::{
    identity::RoleRef,
    kernel::{Code, OrganizationId, SessionId, UserId},
};

/// What a request proved itself with.
pub struct Presented {
    pub organization: OrganizationId,
    pub user: UserId,
    pub session: Option<SessionId>,
    /// The roles that a token is good for; a cookie is good for all of them.
    pub roles: Option<Vec<RoleRef>>,
    pub cookie: Option<CookieSecret>,
}

impl Presented {
    /// Whom the request says it comes from, and proves. What stands in a header counts before a cookie,
    /// which browsers send unasked.
    pub fn in_request(call: &Call<'_>, tokens: &TokenKeys) -> Result<Self, Problem> {
        let Some(header) = call.header("authorization") else {
            return match call.request.cookie(SESSION_COOKIE) {
                Some(cookie) => CookieSecret::parse(cookie.value()).map(Self::from).ok_or_else(token_invalid),
                None => Err(Problem::new(Code::AuthenticationFailed, "gate.token_missing")),
            };
        };
        let token = bearer(header).ok_or_else(|| Problem::new(Code::AuthenticationFailed, "gate.token_missing"))?;
        tokens.verify(token).map(Self::from).map_err(|fault| {
            tracing::debug!(request_id = %call.request_id, %fault, "a token was refused");
            token_invalid()
        })
    }

    /// Refuses a request with a cookie that changes something and does not say what only our own pages know.
    pub fn check_csrf(&self, call: &Call<'_>) -> Result<(), Problem> {
        match self.cookie.as_ref().filter(|_| call.route.verb != Verb::Get) {
            Some(cookie) => cookie.check_told(call),
            None => Ok(()),
        }
    }
}

impl CookieSecret {
    /// A browser sends its cookie whoever wrote the page, so the page has to know something as well (T-62).
    pub fn check_told(&self, call: &Call<'_>) -> Result<(), Problem> {
        let told = call.header(CSRF_HEADER).unwrap_or_default();
        match constant_time::verify_slices_are_equal(told.as_bytes(), self.csrf().as_bytes()) {
            Ok(()) => Ok(()),
            Err(_) => Err(Problem::new(Code::AccessDenied, "gate.csrf_missing")),
        }
    }
}

impl From<Claims> for Presented {
    fn from(claims: Claims) -> Self {
        Self { organization: claims.org, user: claims.sub, session: claims.sid, roles: Some(claims.roles), cookie: None }
    }
}

impl From<CookieSecret> for Presented {
    fn from(cookie: CookieSecret) -> Self {
        let SessionName { organization, user, session } = cookie.name;
        Self { organization, user, session: Some(session), roles: None, cookie: Some(cookie) }
    }
}

/// What stands in an `Authorization` header of the scheme `Bearer`.
pub(super) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

pub(super) fn token_invalid() -> Problem {
    Problem::new(Code::AuthenticationFailed, "gate.token_invalid")
}
