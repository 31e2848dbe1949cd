//! One request on its way through the pipeline.

use super::{gate::Caller, ports::Access, route::Route, server::Services, table::Params};
use crate::problem::{Language, Problem};
use actix_web::{HttpRequest, HttpResponse, http::header, web::Payload};
use futures::future::LocalBoxFuture;
use palmares_domain::kernel::{ClientContext, OrganizationId};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};
use uuid::Uuid;

/// What a handler answers.
pub type Answer = Result<HttpResponse, Problem>;

/// Keeps a step that all routes of a kind share out of the code of each of them: the compiler would copy it
/// into several hundred handlers.
pub(super) fn apart<'a, T>(step: impl Future<Output = T> + 'a) -> LocalBoxFuture<'a, T> {
    Box::pin(step)
}

/// The longest user agent that is kept, in characters.
const USER_AGENT_MAX_CHARS: usize = 200;

/// A request and what is known of it.
pub struct Call<'a> {
    pub services: &'a Services,
    pub request: HttpRequest,
    pub payload: Option<Payload>,
    pub route: &'static Route,
    pub pattern: &'static str,
    pub params: Params,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub language: Language,
    pub address: IpAddr,
    /// The caller, once known; the rim records refusals under this name.
    pub caller: Option<Caller>,
    /// Where the request acts, once the gate found that the caller may act there.
    pub placed: Option<OrganizationId>,
}

impl Call<'_> {
    /// A header as text, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// Where the request came from. Personal data.
    pub fn client(&self) -> ClientContext {
        let user_agent = self.header("user-agent").map(|agent| agent.chars().take(USER_AGENT_MAX_CHARS).collect());
        ClientContext { ip: self.address.to_string(), user_agent }
    }

    /// Method and pattern, as logs and counters name the route.
    pub fn route_name(&self) -> String {
        format!("{} {}", self.route.verb.name(), self.pattern)
    }

    /// The caller at this route; `None` before authentication and on public routes.
    pub fn access(&self) -> Option<Access> {
        let (caller, permission) = (self.caller.as_ref()?, self.route.permission?);
        Some(Access {
            organization: self.placed.unwrap_or(caller.home),
            actor: caller.user,
            on_behalf_of: caller.on_behalf_of(),
            elevation: caller.elevation,
            session: caller.session,
            rights: caller.usable_rights(),
            route: self.route_name(),
            permission,
            request_id: self.request_id,
            correlation_id: self.correlation_id,
            client: self.client(),
        })
    }

    /// The pairs of the query string. A query that is not UTF-8 after decoding reads as replacement
    /// characters, which no field accepts.
    pub fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.request.query_string().as_bytes()).into_owned().collect()
    }

    /// The seconds of `Prefer: wait=<seconds>` (RFC 7240), at most `most`.
    pub fn preferred_wait(&self, most: Duration) -> Option<Duration> {
        let preferences = self.header("prefer")?.split([',', ';']);
        let mut waits = preferences.filter_map(|preference| preference.trim().strip_prefix("wait="));
        waits.next()?.trim_matches('"').parse().ok().map(Duration::from_secs).map(|wait| wait.min(most))
    }
}

/// The address of the client: the peer, or what the nearest trusted proxy saw.
pub fn client_address(request: &HttpRequest, trusted_hops: u8) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let seen: Vec<_> = forwarded.flat_map(|list| list.split(',')).map(str::trim).collect();
    // Each proxy appends the peer it saw. Only the last `trusted_hops` entries are written by ours.
    let trusted = seen.iter().rev().nth(usize::from(trusted_hops).wrapping_sub(1));
    trusted.filter(|_| trusted_hops > 0).and_then(|entry| entry.parse().ok()).unwrap_or(peer)
}

/// The caller's language, by the request's preference.
pub fn language(request: &HttpRequest) -> Language {
    let header = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.and_then(Language::preferred).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn address(trusted_hops: u8, forwarded: Option<&str>) -> String {
        let mut request = TestRequest::default().peer_addr("198.51.100.1:9".parse().unwrap());
        if let Some(forwarded) = forwarded {
            request = request.insert_header(("X-Forwarded-For", forwarded));
        }
        client_address(&request.to_http_request(), trusted_hops).to_string()
    }

    #[test]
    fn a_forwarded_address_is_believed_from_trusted_proxies_only() {
        assert_eq!(address(0, Some("203.0.113.7")), "198.51.100.1");
        assert_eq!(address(1, None), "198.51.100.1");
        assert_eq!(address(1, Some("203.0.113.7")), "203.0.113.7");
        assert_eq!(address(1, Some("192.0.2.66, 203.0.113.7")), "203.0.113.7", "the client wrote the first entry itself");
        assert_eq!(address(2, Some("192.0.2.66, 203.0.113.7, 10.0.0.1")), "203.0.113.7");
        assert_eq!(address(1, Some("nonsense")), "198.51.100.1");
    }
}
