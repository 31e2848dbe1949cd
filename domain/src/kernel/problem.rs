//! Why something was refused: a stable code for machines, a reason for people (RFC 9457, A6).

use super::lifecycle::Standing;
use serde::{Deserialize, Serialize};

/// The stable codes of the HTTP interface (design 9, E-238 and A6). Never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    AuthenticationFailed,
    AccessDenied,
    TenantMismatch,
    ResourceNotFound,
    ValidationError,
    Conflict,
    PreconditionFailed,
    IdempotencyKeyReused,
    RateLimited,
    InsufficientPoints,
    LegalHold,
    ProjectionBehind,
    MethodNotAllowed,
    PayloadTooLarge,
    ServiceUnavailable,
    InternalError,
}

/// A field of the request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field in the body or the query, such as `items[3].value`.
    pub field: String,
    /// A stable reason, such as `required` or `too_long`; the key of its translated text.
    pub reason: String,
    /// What is accepted instead, where that is a closed list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// What it is now, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<String>,
}

impl FieldError {
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into(), allowed: Vec::new(), present: None }
    }
}

/// What every aggregate's error says of itself.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// The stable code, which decides the status.
    fn code(&self) -> Code;
    /// A stable, finer reason such as `points.hold_not_open`; the key of its translated text.
    fn reason(&self) -> &'static str;
    /// The field to blame, where one is.
    fn field(&self) -> Option<&'static str> {
        None
    }
    /// Where it stands, where that is why.
    fn standing(&self) -> Option<Standing> {
        None
    }
    /// What is accepted instead, where that is a closed list.
    fn accepted(&self) -> Vec<&'static str> {
        Vec::new()
    }
    /// What has to be done first, each with what it is.
    fn open_points(&self) -> Vec<FieldError> {
        Vec::new()
    }
    /// Everything to blame, by its name.
    fn errors(&self) -> Vec<FieldError> {
        let error = |field| match self.standing() {
            Some(Standing { present, leads_to }) => FieldError {
                allowed: leads_to.into_iter().map(str::to_owned).collect(),
                present: Some(present.to_owned()),
                ..FieldError::new(field, self.reason())
            },
            None => {
                FieldError { allowed: self.accepted().into_iter().map(str::to_owned).collect(), ..FieldError::new(field, self.reason()) }
            }
        };
        self.field().map(error).into_iter().chain(self.open_points()).collect()
    }
    /// Whether trying it is worth remembering: a forbidden transition, a reach for more rights. Such
    /// a refusal is recorded in the access log like one of the gate (E-46, E-154).
    fn is_attempt(&self) -> bool {
        false
    }
}
