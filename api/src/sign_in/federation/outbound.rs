//! How identity providers are asked: by TLS, at names an organization may send us to, and not for long.

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use palmares_commands::outbound::{self, AnswerFault};
use palmares_domain::identity::connection::Issuer;
use std::{future::Future, pin::Pin, time::Duration};

/// Someone waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The documents and tokens of providers have some kilobytes.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Why a provider was not asked, or gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundFault {
    #[error("{0} may not be asked: providers are asked by https at public names")]
    Forbidden(String),
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
    #[error(transparent)]
    Unread(#[from] AnswerFault),
    #[error(transparent)]
    Malformed(#[from] http::Error),
}

/// Asks identity providers.
pub struct Outbound {
    http: reqwest::Client,
    insecure_loopback: bool,
}

impl Outbound {
    /// # Errors
    /// Certificates of the machine that cannot be read.
    pub fn new(insecure_loopback: bool) -> anyhow::Result<Self> {
        // A code cannot be shown twice.
        let http = outbound::Outbound::within(PATIENCE).keeping_no_connection().to_public_addresses(insecure_loopback).build()?;
        Ok(Self { http, insecure_loopback })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutboundFault> {
        // The addresses come from a document of the provider, so each is looked at.
        let uri = request.uri();
        let origin = format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |authority| authority.as_str()));
        if !origin.parse::<Issuer>().is_ok_and(|origin| origin.is_acceptable(self.insecure_loopback)) {
            return Err(OutboundFault::Forbidden(origin));
        }
        let response = self.http.execute(request.try_into()?).await?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.extend(response.headers().clone());
        }
        Ok(answer.body(outbound::body(response, ANSWER_MAX_BYTES).await?)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Outbound {
    type Error = OutboundFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_document_of_a_provider_cannot_send_us_into_our_own_network() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let outbound = Outbound::new(false).unwrap();
        for address in [
            "http://login.acme.example/token",
            "https://10.0.0.1/token",
            "https://169.254.169.0xfe/token",
            "http://127.0.0.1:9/token",
            "https://localhost/token",
        ] {
            let request = http::Request::builder().uri(address).body(Vec::new()).unwrap();
            assert!(matches!(outbound.send(request).await, Err(OutboundFault::Forbidden(_))), "{address}");
        }
    }
}
