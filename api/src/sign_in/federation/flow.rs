//! What has to come back from the provider, kept by the browser in a cookie that it cannot read.

use crate::{pipeline::door::Visit, problem::Problem};
use actix_web::cookie::{Cookie, SameSite, time};
use aws_lc_rs::constant_time;
use chrono::Duration;
use palmares_domain::kernel::{Code, OrganizationId};
use serde::{Deserialize, Serialize};

/// The prefix binds it to this host and to TLS (RFC 6265bis, 4.1.3.2).
pub const FLOW_COOKIE: &str = "__Host-palmares-oidc";
const PURPOSE: &str = "oidc_flow";
const GOOD_FOR: Duration = Duration::minutes(10);
const REDIRECT_MAX_BYTES: usize = 512;

/// One attempt to sign in, between start and callback.
#[derive(Serialize, Deserialize)]
pub struct Flow {
    pub organization: OrganizationId,
    /// The provider and the client as they were at the start: another one's answer is none to this.
    pub issuer: String,
    pub client_id: String,
    pub state: String,
    pub nonce: String,
    /// Proves to the provider that who started redeems the code (PKCE, RFC 7636).
    pub verifier: String,
    pub redirect: Option<String>,
    pub jwt: bool,
}

impl Flow {
    /// The cookie that keeps it.
    pub fn cookie(&self, visit: &Visit<'_>) -> Result<Cookie<'static>, Problem> {
        let concealer = visit.services.gate.tokens().concealer().map_err(Problem::internal)?;
        let text = concealer.conceal(PURPOSE, self, visit.services.engine.now() + GOOD_FOR).map_err(Problem::internal)?;
        Ok(cookie(text, GOOD_FOR.num_seconds()))
    }

    /// The attempt to which a callback with this `state` belongs.
    ///
    /// # Errors
    /// One and the same problem for whatever is wrong: no cookie, an old one, another's state.
    pub fn of(visit: &Visit<'_>, state: &str) -> Result<Self, Problem> {
        let concealer = visit.services.gate.tokens().concealer().map_err(Problem::internal)?;
        let text = visit.cookie(FLOW_COOKIE).ok_or_else(over)?;
        let flow: Self = concealer.reveal(PURPOSE, &text, visit.services.engine.now()).map_err(|_| over())?;
        match constant_time::verify_slices_are_equal(flow.state.as_bytes(), state.as_bytes()) {
            Ok(()) => Ok(flow),
            Err(_) => Err(over()),
        }
    }

    /// The cookie that makes a browser forget it.
    pub fn forgotten() -> Cookie<'static> {
        cookie(String::new(), 0)
    }
}

fn over() -> Problem {
    Problem::new(Code::AuthenticationFailed, "sign_in.flow_over")
}

fn cookie(text: String, seconds: i64) -> Cookie<'static> {
    // Lax: the provider sends the browser back by a link of its own.
    Cookie::build(FLOW_COOKIE, text)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}

/// Whether a browser may be sent there after signing in: to a path of this host, and nowhere else.
/// Browsers read a backslash as a slash, and `//host` as another host.
pub fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= REDIRECT_MAX_BYTES
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_a_path_of_this_host_alone() {
        for good in ["/", "/people", "/people/1?tab=points", "/a//b"] {
            assert!(is_own_path(good), "{good}");
        }
        let long = format!("/{}", "a".repeat(REDIRECT_MAX_BYTES));
        for bad in
            ["", "people", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/a\r\nSet-Cookie: x", "/ä", "/a#b", &long]
        {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
