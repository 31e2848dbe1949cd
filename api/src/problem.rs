//! Every refusal as an RFC 9457 problem: one code, one status, a reason, and a text in the caller's language.

mod texts;

pub use texts::Language;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use palmares_domain::{
    compliance::access_record::Aim,
    kernel::{Code, FieldError, Refusal},
};
use serde::Serialize;
use std::{borrow::Cow, time::Duration};
use uuid::Uuid;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    pub code: Code,
    /// A stable, finer reason; the key of the translated detail.
    pub reason: Cow<'static, str>,
    pub errors: Vec<FieldError>,
    /// What a parser or a checker said about what the caller wrote, in its own words.
    pub said: Option<Box<Said>>,
    /// When another try makes sense.
    pub retry_after: Option<Duration>,
    /// The methods that the path knows, for `METHOD_NOT_ALLOWED`.
    pub allow: Box<[&'static str]>,
    /// What the policies refused, which is recorded and not answered.
    pub denied: Option<Box<Denied>>,
    /// Whether trying it is recorded, whatever the code.
    pub attempt: bool,
    /// At what it was aimed, which is recorded, where more of it is known than the path says.
    pub aim: Option<Box<Aim>>,
    /// What went wrong inside. It is logged, never answered.
    pub cause: Option<anyhow::Error>,
}

/// Words that are answered as they are. Behind a pointer: problems are moved a lot and this is rare.
#[derive(Debug)]
pub struct Said(pub String);

/// A refusal by policy as the access log is told it. The answer may say less: a resource that is not
/// the caller's looks as if it were not there.
#[derive(Debug)]
pub struct Denied {
    pub reason: &'static str,
    /// The policies that refused.
    pub policies: Vec<String>,
}

/// The body of a problem.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProblemBody<'a> {
    /// `urn:palmares:problem:` and the code in lower case with hyphens.
    r#type: String,
    title: &'a str,
    status: u16,
    #[schema(value_type = String, example = "VALIDATION_ERROR")]
    code: Code,
    /// A stable, finer reason for machines.
    reason: &'a str,
    detail: Cow<'a, str>,
    /// The fields that were refused, where fields are to blame. A body is read up to the first that does not
    /// have its form, and rules are asked after that: what else is wrong, the next request tells.
    errors: Vec<FieldBody<'a>>,
    request_id: Uuid,
}

/// A refused field.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FieldBody<'a> {
    /// Its path, such as `items[3].value`.
    field: &'a str,
    reason: &'a str,
    message: &'a str,
    /// What is accepted instead, where that is a closed list.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed: &'a [String],
    /// What it is now, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<&'a str>,
}

impl Problem {
    pub fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            reason: reason.into(),
            errors: Vec::new(),
            said: None,
            retry_after: None,
            allow: Box::default(),
            denied: None,
            attempt: false,
            aim: None,
            cause: None,
        }
    }

    /// What a business rule refused.
    pub fn refused(refusal: &dyn Refusal) -> Self {
        let mut problem = Self::new(refusal.code(), refusal.reason());
        problem.errors = refusal.errors();
        problem
    }

    /// Fields that cannot be accepted.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::ValidationError, "gate.request_invalid") }
    }

    /// One field that cannot be accepted.
    pub fn invalid_field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, reason)])
    }

    /// What is not there, or not the caller's.
    pub fn not_found() -> Self {
        Self::new(Code::ResourceNotFound, "gate.not_found")
    }

    /// A fault of ours.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::InternalError, "gate.internal") }
    }

    /// Something we need is away; the same request may work soon.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            cause: Some(cause.into()),
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(Code::ServiceUnavailable, "gate.unavailable")
        }
    }

    /// The same with a finer reason.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: reason.into(), ..self }
    }

    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Code, reason and policies as they are recorded: the answered ones, unless policies refused.
    pub fn as_recorded(&self) -> (Code, &str, &[String]) {
        match self.denied.as_deref() {
            Some(Denied { reason, policies }) => (Code::AccessDenied, *reason, policies.as_slice()),
            None => (self.code, &self.reason, &[]),
        }
    }

    pub fn status(&self) -> StatusCode {
        status(self.code)
    }

    /// The answer. A cause is logged here, once, under the request id that the caller sees.
    pub fn respond(&self, request_id: Uuid, language: Language) -> HttpResponse {
        if let Some(cause) = &self.cause {
            tracing::error!(%request_id, code = name(self.code), error = format!("{cause:#}"), "the request failed");
        }
        let mut response = HttpResponse::build(self.status());
        response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON));
        response.insert_header((header::CONTENT_LANGUAGE, language.tag()));
        if let Some(wait) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, wait.as_secs_f64().ceil().max(1.0).to_string()));
        }
        if !self.allow.is_empty() {
            response.insert_header((header::ALLOW, self.allow.join(", ")));
        }
        if self.code == Code::AuthenticationFailed {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(self.body(request_id, language))
    }

    fn body(&self, request_id: Uuid, language: Language) -> ProblemBody<'_> {
        let title = language.title(self.code);
        ProblemBody {
            r#type: format!("urn:palmares:problem:{}", name(self.code).to_lowercase().replace('_', "-")),
            title,
            status: self.status().as_u16(),
            code: self.code,
            reason: &self.reason,
            detail: match (language.text(&self.reason).unwrap_or(title), &self.said) {
                (text, Some(said)) => format!("{text} {}", said.0).into(),
                (text, None) => text.into(),
            },
            errors: self
                .errors
                .iter()
                .map(|error| FieldBody {
                    field: &error.field,
                    reason: &error.reason,
                    message: language.field_text(&error.reason).unwrap_or(title),
                    allowed: &error.allowed,
                    present: error.present.as_deref(),
                })
                .collect(),
            request_id,
        }
    }
}

/// The status of a code; the only place that says so.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::AuthenticationFailed => StatusCode::UNAUTHORIZED,
        Code::AccessDenied | Code::TenantMismatch => StatusCode::FORBIDDEN,
        Code::ResourceNotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Conflict | Code::InsufficientPoints | Code::LegalHold => StatusCode::CONFLICT,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::ValidationError | Code::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        Code::ProjectionBehind | Code::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The code as clients read it.
pub fn name(code: Code) -> &'static str {
    match code {
        Code::AuthenticationFailed => "AUTHENTICATION_FAILED",
        Code::AccessDenied => "ACCESS_DENIED",
        Code::TenantMismatch => "TENANT_MISMATCH",
        Code::ResourceNotFound => "RESOURCE_NOT_FOUND",
        Code::ValidationError => "VALIDATION_ERROR",
        Code::Conflict => "CONFLICT",
        Code::PreconditionFailed => "PRECONDITION_FAILED",
        Code::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
        Code::RateLimited => "RATE_LIMITED",
        Code::InsufficientPoints => "INSUFFICIENT_POINTS",
        Code::LegalHold => "LEGAL_HOLD",
        Code::ProjectionBehind => "PROJECTION_BEHIND",
        Code::MethodNotAllowed => "METHOD_NOT_ALLOWED",
        Code::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
        Code::ServiceUnavailable => "SERVICE_UNAVAILABLE",
        Code::InternalError => "INTERNAL_ERROR",
    }
}

/// Every code, for tables and documents.
pub const CODES: [Code; 16] = [
    Code::AuthenticationFailed,
    Code::AccessDenied,
    Code::TenantMismatch,
    Code::ResourceNotFound,
    Code::ValidationError,
    Code::Conflict,
    Code::PreconditionFailed,
    Code::IdempotencyKeyReused,
    Code::RateLimited,
    Code::InsufficientPoints,
    Code::LegalHold,
    Code::ProjectionBehind,
    Code::MethodNotAllowed,
    Code::PayloadTooLarge,
    Code::ServiceUnavailable,
    Code::InternalError,
];

#[cfg(test)]
#[path = "problem/tests.rs"]
mod tests;
