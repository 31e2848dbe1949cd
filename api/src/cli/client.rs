//! A client of the HTTP API: retries what may be retried, and says a problem in one line.

use palmares_domain::kernel::OrganizationId;
use reqwest::{Method, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// How often a request is made before its failure is told.
const ATTEMPTS: u32 = 8;
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Why a request failed for good.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{status} {code}: {detail}")]
    Problem { status: StatusCode, code: String, detail: String },
    #[error("{url} cannot be reached: {source}")]
    Unreachable { url: String, source: reqwest::Error },
    #[error("{url} answered something that is not JSON: {source}")]
    Garbled { url: String, source: reqwest::Error },
    #[error("the answer to {path} has no `{member}`")]
    Incomplete { path: String, member: &'static str },
    #[error("the token or the address cannot be used: {0}")]
    Unusable(String),
}

impl ApiError {
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            ApiError::Problem { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether every further request would fail in the same way.
    pub fn is_final(&self) -> bool {
        !matches!(self.status(), Some(status) if status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN)
    }
}

/// What a command was answered.
pub struct Answer {
    pub body: Value,
    /// The position the command reached (`Palmares-Position`).
    pub position: Option<i64>,
}

/// A client with a token. Cloning is cheap.
///
/// It makes a request again when the answer got lost, so every command that goes through it carries
/// an idempotency key or is harmless to repeat by itself, as a batch of records with ids is.
#[derive(Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    base: String,
    token: String,
    organization: Option<OrganizationId>,
}

impl ApiClient {
    /// `base` is the address without `/api/v1`.
    pub fn new(base: &str, token: &str) -> Result<Self, ApiError> {
        let base = base.trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        let mut builder = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).user_agent(concat!("palmares/", env!("CARGO_PKG_VERSION")));
        if ["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| base.starts_with(local)) {
            // A proxy of the surroundings has no business between us and this machine.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| ApiError::Unusable(error.to_string()))?;
        Ok(Self { http, base, token: token.trim().to_owned(), organization: None })
    }

    /// The same client, acting in another organization: for platform roles only.
    pub fn in_organization(&self, organization: OrganizationId) -> Self {
        Self { organization: Some(organization), ..self.clone() }
    }

    /// The same address with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), organization: None, ..self.clone() }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ApiError> {
        self.send(Method::GET, path, query, None::<&()>, None).await.map(|answer| answer.body)
    }

    /// Sends a command.
    pub async fn post(&self, path: &str, body: &impl Serialize, idempotency_key: Option<&str>) -> Result<Answer, ApiError> {
        self.send(Method::POST, path, &[], Some(body), idempotency_key).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer, ApiError> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut pause = PAUSE_FIRST;
        for attempt in 1.. {
            let mut request = self.http.request(method.clone(), &url).query(query).bearer_auth(&self.token);
            if let Some(organization) = self.organization {
                request = request.header("Palmares-Organization", organization.to_string());
            }
            if let Some(key) = idempotency_key {
                request = request.header("Idempotency-Key", key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let wait = match request.send().await {
                Ok(response) if attempt < ATTEMPTS && is_temporary(response.status()) => retry_after(&response).unwrap_or(pause),
                Ok(response) => return read(response, &url).await,
                Err(error) if attempt < ATTEMPTS => {
                    tracing::debug!(%url, %error, attempt, "a request failed and is made again");
                    pause
                }
                Err(source) => return Err(ApiError::Unreachable { url, source: source.without_url() }),
            };
            tokio::time::sleep(wait.min(PAUSE_MAX)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(ApiError::Unusable("no attempt was made".to_owned()))
    }
}

fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE
}

/// The server's own word on when to come back, in seconds.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn read(response: reqwest::Response, url: &str) -> Result<Answer, ApiError> {
    let status = response.status();
    let position = response.headers().get("Palmares-Position").and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = response.bytes().await.map_err(|source| ApiError::Garbled { url: url.to_owned(), source })?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(Answer { body, position });
    }
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    let fields = body
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|error| Some(format!("{} {}", error.get("field")?.as_str()?, error.get("reason")?.as_str()?)));
    let detail = [text("detail").or(text("title")).unwrap_or("no further detail").to_owned()].into_iter().chain(fields);
    let code = text("code").unwrap_or("UNKNOWN").to_owned();
    Err(ApiError::Problem { status, code, detail: detail.collect::<Vec<_>>().join("; ") })
}

/// A member of an answer that must be there.
pub fn member<'a>(body: &'a Value, path: &str, name: &'static str) -> Result<&'a str, ApiError> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| ApiError::Incomplete { path: path.to_owned(), member: name })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
