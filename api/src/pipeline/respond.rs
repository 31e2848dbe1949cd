//! Answers: their headers, and what every response carries.

use super::settings::Proxy;
use actix_web::{
    HttpResponse,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};
use uuid::Uuid;

/// The position that a command reached, or up to which a read is complete.
pub const POSITION: HeaderName = HeaderName::from_static("palmares-position");
/// The request's id in logs, problems and event metadata.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("palmares-request-id");
/// What a chain of requests has in common; taken from the caller, who may give any UUID.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("palmares-correlation-id");
/// The answer depends on a record that is set aside for repair.
pub const STALE: HeaderName = HeaderName::from_static("palmares-stale");
/// So many values of the answer are left out because they cannot be read; without it what is missing is not there.
pub const UNREADABLE: HeaderName = HeaderName::from_static("palmares-unreadable");

/// Nothing of an answer is code, unless the route says otherwise.
const NO_CODE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The answer to a query.
pub fn read(body: Vec<u8>, position: i64, stale: bool, unreadable: usize) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((POSITION, position));
    if stale {
        response.insert_header((STALE, "true"));
    }
    if unreadable > 0 {
        response.insert_header((UNREADABLE, unreadable));
    }
    response.content_type("application/json").body(body)
}

/// The version of a stream as an entity tag.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Headers of every response. What a handler has set already stays.
pub fn dress(headers: &mut HeaderMap, request_id: Uuid, correlation_id: Uuid, proxy: Proxy) {
    for (name, id) in [(REQUEST_ID, request_id), (CORRELATION_ID, correlation_id)] {
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, NO_CODE);
    }
    headers.append(header::VARY, HeaderValue::from_static("Accept-Language, Accept"));
    if proxy.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
}
