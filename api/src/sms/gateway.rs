//! The contract of gateways: `POST` of `{"id", "to", "text"}` with the secret as bearer token and the organization
//! in `Palmares-Tenant`, signed, and any 2xx back.

use super::{SmsSender, SmsSettings, TextMessage};
use crate::{
    mail::DeliveryFault,
    pipeline::{TokenKeys, tenant_context::TENANT_CONTEXT},
};
use anyhow::{Context, bail};
use async_trait::async_trait;
use palmares_commands::outbound::{Outbound, confidential};
use palmares_domain::messaging::letter::UndeliverableReason;
use reqwest::{Client, StatusCode, Url};
use serde_json::json;
use std::{path::PathBuf, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// A reactor waits for the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Hands messages to a gateway over HTTP.
pub struct HttpGateway {
    http: Client,
    url: Url,
    tokens: Arc<TokenKeys>,
    secret_file: PathBuf,
}

impl HttpGateway {
    /// # Errors
    /// An address over which the secret would go in clear, and certificates of the machine that cannot be read.
    pub fn new(settings: &SmsSettings, tokens: Arc<TokenKeys>) -> anyhow::Result<Self> {
        let url =
            confidential(&settings.url).context("PALMARES_SMS_URL is no address by https, such as https://sms.your.company/messages")?;
        let http = Outbound::within(PATIENCE).build()?;
        Ok(Self { http, url, tokens, secret_file: settings.secret_file.clone() })
    }

    async fn secret(&self) -> anyhow::Result<Zeroizing<String>> {
        let read = tokio::fs::read_to_string(&self.secret_file).await;
        let text = Zeroizing::new(read.with_context(|| format!("reading the secret {}", self.secret_file.display()))?);
        let secret = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        if secret.is_empty() {
            bail!("the secret {} is empty", self.secret_file.display());
        }
        Ok(secret)
    }

    async fn post(&self, message: &TextMessage) -> anyhow::Result<StatusCode> {
        let secret = self.secret().await?;
        let TextMessage { organization, id, to, text } = message;
        let tenant = self.tokens.tenant_context(*organization, &self.url, chrono::Utc::now())?;
        let request = self.http.post(self.url.clone()).bearer_auth(secret.as_str()).header("Idempotency-Key", id.to_string());
        let request = request.header(TENANT_CONTEXT, tenant);
        let answer = request.json(&json!({ "id": id, "to": to, "text": text })).send().await;
        // Without its address: that may name an account.
        Ok(answer.map_err(reqwest::Error::without_url)?.status())
    }
}

#[async_trait]
impl SmsSender for HttpGateway {
    async fn send(&self, message: &TextMessage) -> Result<(), DeliveryFault> {
        let status = self.post(message).await.map_err(|error| DeliveryFault::Unreachable(format!("{error:#}")))?;
        match status {
            status if status.is_success() => Ok(()),
            // Said of this message.
            StatusCode::BAD_REQUEST | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(DeliveryFault::Permanent(UndeliverableReason::Refused, format!("the gateway answered {status}")))
            }
            StatusCode::CONFLICT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Err(DeliveryFault::Deferred(status.as_u16())),
            // Of us, or of itself.
            status => Err(DeliveryFault::Unreachable(format!("the gateway answered {status}"))),
        }
    }
}

#[cfg(test)]
#[path = "gateway_tests.rs"]
mod tests;
