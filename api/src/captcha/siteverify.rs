//! The contract that hCaptcha, reCAPTCHA and Turnstile share: a form with secret, response and remoteip,
//! and JSON with `success` back.

use super::{Captcha, CaptchaFault, CaptchaSettings};
use anyhow::Context;
use async_trait::async_trait;
use palmares_commands::outbound::{self, Outbound, confidential};
use reqwest::{Client, Url};
use serde::Deserialize;
use std::{net::IpAddr, time::Duration};

/// Someone waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer has some hundred bytes.
const ANSWER_MAX_BYTES: usize = 16 * 1024;

/// Asks a service that speaks this contract.
pub struct SiteVerify {
    http: Client,
    url: Url,
    secret: String,
}

#[derive(Deserialize)]
struct Verdict {
    success: bool,
}

impl SiteVerify {
    /// # Errors
    /// An address over which the secret would go in clear, and certificates of the machine that cannot be read.
    pub fn new(settings: &CaptchaSettings) -> anyhow::Result<Self> {
        let wrong = "PALMARES_CAPTCHA_URL is no address by https, such as https://challenges.cloudflare.com/turnstile/v0/siteverify";
        let url = confidential(&settings.url).context(wrong)?;
        // A response is verified once.
        let http = Outbound::within(PATIENCE).keeping_no_connection().build()?;
        Ok(Self { http, url, secret: settings.secret.clone() })
    }

    async fn verdict(&self, response: &str, address: IpAddr) -> anyhow::Result<Verdict> {
        let address = address.to_string();
        let form = [("secret", self.secret.as_str()), ("response", response), ("remoteip", address.as_str())];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.url.clone()).header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let bytes = outbound::body(request.send().await?.error_for_status()?, ANSWER_MAX_BYTES).await?;
        serde_json::from_slice(&bytes).context("it is not what the contract says")
    }
}

#[async_trait]
impl Captcha for SiteVerify {
    async fn is_solved(&self, response: &str, address: IpAddr) -> Result<bool, CaptchaFault> {
        let verdict = self.verdict(response, address).await;
        verdict.map(|verdict| verdict.success).map_err(|error| CaptchaFault(format!("{error:#}")))
    }
}
