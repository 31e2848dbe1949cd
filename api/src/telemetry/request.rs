//! The span of one request, under the trace of its caller.

use super::TARGET;
use actix_web::{HttpRequest, http::header::HeaderMap};
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

/// The header of W3C Trace Context that names trace and parent.
const TRACEPARENT: &str = "traceparent";
/// What a method that HTTP does not define is called, because anyone can make one up.
const OTHER_METHOD: &str = "_OTHER";

/// Begins a request. Names and attributes follow OpenTelemetry's conventions for HTTP servers.
pub fn request_span(request: &HttpRequest, request_id: Uuid) -> Span {
    let span = tracing::debug_span!(
        target: TARGET,
        "request",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        palmares.request_id = %request_id,
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&Caller(request.headers()));
        // It fails only where nothing exports.
        let _ = span.set_parent(parent);
    }
    span
}

/// Ends a request: which route served it, if any, and how.
pub fn answered(span: &Span, method: &str, route: Option<&'static str>, status: u16) {
    if span.is_disabled() {
        return;
    }
    let method = known(method);
    span.record("http.request.method", method);
    let name = match route {
        Some(route) => {
            span.record("http.route", route);
            format!("{method} {route}")
        }
        None => method.to_owned(),
    };
    // The field `otel.name` names a span only until it is entered.
    span.context().span().update_name(name);
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "error");
    }
}

fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or(OTHER_METHOD)
}

/// Reads the trace and nothing else of the caller's: `tracestate` may hold anything.
struct Caller<'a>(&'a HeaderMap);

impl Extractor for Caller<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then(|| self.0.get(TRACEPARENT)?.to_str().ok()).flatten()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
