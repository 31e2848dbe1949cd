//! The rim: where a request comes in, and where every answer, refusal and fault goes out.

use super::{
    call::{Answer, Call, client_address, language},
    gate::SELF_PARAM,
    named::{ORGANIZATION_PARAM, attempted_organization},
    ports::{Access, RefusedAccess},
    respond,
    route::Route,
    server::Services,
    table::Found,
};
use crate::{
    problem::{Language, Problem},
    telemetry,
};
use actix_web::{HttpRequest, HttpResponse, http::header, web::Payload};
use palmares_domain::{
    compliance::access_record::Aim,
    identity::user::User,
    kernel::{Code, UserId},
};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use tracing::Instrument;
use uuid::Uuid;

/// What a request without a route is counted under; never its path, which anyone can make up.
const NO_ROUTE: &str = "(none)";

/// What is known of a request before anything is checked.
struct Arrival {
    request_id: Uuid,
    correlation_id: Uuid,
    language: Language,
    address: IpAddr,
}

/// Serves one request, whatever comes.
pub async fn serve(request: HttpRequest, payload: Payload, services: &Services) -> HttpResponse {
    let started = Instant::now();
    let request_id = Uuid::now_v7();
    let correlation = request.headers().get(respond::CORRELATION_ID).and_then(|value| value.to_str().ok());
    let arrival = Arrival {
        request_id,
        correlation_id: correlation.and_then(|text| Uuid::try_parse(text).ok()).unwrap_or(request_id),
        language: language(&request),
        address: client_address(&request, services.settings.proxy.trusted_hops),
    };
    let (method, correlation_id) = (request.method().clone(), arrival.correlation_id);
    let span = telemetry::request_span(&request, request_id);
    let (route, mut response) = dispatch(request, payload, services, arrival).instrument(span.clone()).await;
    respond::dress(response.headers_mut(), request_id, correlation_id, services.settings.proxy);
    let status = response.status().as_u16();
    telemetry::answered(&span, method.as_str(), Some(route).filter(|route| *route != NO_ROUTE), status);
    metrics::counter!("palmares_http_requests_total", "route" => route, "status" => status.to_string()).increment(1);
    metrics::histogram!("palmares_http_request_seconds", "route" => route).record(started.elapsed().as_secs_f64());
    tracing::debug!(%request_id, %method, route, status, elapsed = ?started.elapsed(), "answered");
    response
}

/// The pattern of the route that served, and the answer.
async fn dispatch(request: HttpRequest, payload: Payload, services: &Services, arrival: Arrival) -> (&'static str, HttpResponse) {
    let Arrival { request_id, language, address, .. } = arrival;
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let found = services.table.find(request.method().as_str(), request.uri().path(), accept);
    let pattern = match &found {
        Found::Row { index, .. } => services.table.pattern(*index),
        _ => NO_ROUTE,
    };
    let unserved = |problem: Problem| {
        services.counters.count(address, pattern, problem.code);
        (pattern, problem.respond(request_id, language))
    };
    if let Err(problem) = services.gate.limiter.address(address) {
        return unserved(problem);
    }
    let (index, params) = match found {
        Found::Row { index, params } => (index, params),
        Found::WrongMethod(allow) => {
            return unserved(Problem { allow: allow.into(), ..Problem::new(Code::MethodNotAllowed, "gate.method_not_allowed") });
        }
        Found::Nothing => return unserved(Problem::new(Code::ResourceNotFound, "gate.route_unknown")),
    };
    let route: &'static Route = services.routes[index];
    let mut call = Call {
        services,
        request,
        payload: Some(payload),
        route,
        pattern,
        params,
        request_id,
        correlation_id: arrival.correlation_id,
        language,
        address,
        caller: None,
        placed: None,
    };
    let answer: Answer = (route.serve)(&mut call).await;
    let response = match answer {
        Ok(response) => response,
        Err(problem) => {
            record(&call, &problem).await;
            problem.respond(request_id, chosen_language(&call).await.unwrap_or(language))
        }
    };
    (pattern, response)
}

/// The language that the caller chose. It stands above what a request says, which mostly is what a browser
/// says unasked.
pub(super) async fn chosen_language(call: &Call<'_>) -> Option<Language> {
    let caller = call.caller.as_ref()?;
    let chosen = |user: &User| user.profile().and_then(|profile| profile.preferences.language);
    // Whoever is refused because the store is away is told so in the language of the request.
    call.services.engine.look(caller.home, caller.user, chosen).await.ok().flatten().map(Language::of)
}

/// Remembers a refusal of the gate: as an event where the caller is known, else as a count.
async fn record(call: &Call<'_>, problem: &Problem) {
    let (code, reason, policies) = problem.as_recorded();
    let of_the_gate = matches!(code, Code::AuthenticationFailed | Code::AccessDenied | Code::TenantMismatch | Code::RateLimited);
    if !of_the_gate && !problem.attempt {
        return;
    }
    let Some(access) = call.access() else {
        call.services.counters.count(call.address, call.pattern, code);
        return;
    };
    // A caller who goes on asking past the limit is recorded once a minute, or the log would grow at their pace.
    if code == Code::RateLimited && !call.services.told.first(access.actor, call.pattern) {
        return;
    }
    let refusal = RefusedAccess { access, code, reason: reason.to_owned(), policies: policies.to_vec(), aim: aim(call, problem) };
    if let Err(error) = remember(call, refusal).await {
        tracing::error!(request_id = %call.request_id, error = format!("{error:#}"), "a refusal could not be recorded");
    }
}

/// Writes a refusal into the log of the organization in which the request acts. Where that cannot be, such as
/// where its keys cannot be had, it stands in the caller's own log rather than nowhere.
async fn remember(call: &Call<'_>, refusal: RefusedAccess) -> anyhow::Result<()> {
    let log = &call.services.gate.access_log;
    let home = call.caller.as_ref().map(|caller| caller.home).filter(|home| *home != refusal.access.organization);
    let Some(home) = home else { return log.refused(refusal).await };
    let Err(error) = log.refused(refusal.clone()).await else { return Ok(()) };
    tracing::warn!(request_id = %call.request_id, error = format!("{error:#}"), "a refusal is recorded at its caller's home");
    log.refused(RefusedAccess { access: Access { organization: home, ..refusal.access }, ..refusal }).await
}

/// At what a refused request was aimed: what its path names, and what else whoever refused it knew. Of a path
/// only ids are kept and names of roles that there are, so that nobody writes text into the log.
fn aim(call: &Call<'_>, problem: &Problem) -> Aim {
    let known = problem.aim.as_deref().cloned().unwrap_or_default();
    let is_own = |name: &str| name == ORGANIZATION_PARAM || (name == SELF_PARAM && call.route.is_about_caller());
    let named: Vec<_> = call.params.iter().filter(|(name, _)| !is_own(name)).collect();
    let param = |wanted: &str| named.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
    let in_path: Vec<Uuid> = named.iter().filter(|(name, _)| name.ends_with("_id")).filter_map(|(_, id)| id.parse().ok()).collect();
    let targets = known.targets.into_iter().filter(|id| !in_path.contains(id)).chain(in_path.iter().copied()).collect();
    Aim {
        subject: known.subject.or_else(|| param(SELF_PARAM)?.parse().ok()),
        targets,
        role: known.role.or_else(|| param("role")?.parse().ok()),
        organization: attempted_organization(call).filter(|_| problem.code == Code::TenantMismatch),
    }
}

/// Which callers were told this minute that they ask too often.
pub struct Told(moka::sync::Cache<(UserId, &'static str, u64), ()>);

impl Default for Told {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(100_000).time_to_live(Duration::from_secs(120)).build())
    }
}

impl Told {
    /// Whether this is the first time in this minute.
    pub fn first(&self, user: UserId, pattern: &'static str) -> bool {
        let minute = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
        self.0.entry((user, pattern, minute)).or_insert(()).is_fresh()
    }
}
