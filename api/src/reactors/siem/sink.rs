//! One request to a sink: signed, to an address that may be asked, and not for long.

use crate::{
    pipeline::{TokenKeys, tenant_context::TENANT_CONTEXT},
    secrets::secret,
};
use aws_lc_rs::hmac;
use palmares_commands::outbound::Outbound;
use palmares_domain::{identity::connection::Issuer, kernel::OrganizationId};
use palmares_projections::compliance::siem::{Cursor, content_type};
use reqwest::{StatusCode, Url, header};
use std::{error::Error, fmt::Write, io, path::PathBuf, sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);

/// `t=<Unix time>,v1=<HMAC-SHA256 of the time, a point and the body, in hexadecimal>`.
const SIGNATURE: &str = "Palmares-Signature";
const STREAM: &str = "Palmares-Stream";
/// The numbers of the first and of the last record.
const RECORDS: &str = "Palmares-Records";

const SECRET_MISSING: &str = "secret missing";
const UNSIGNED: &str = "not signed";
const TIMED_OUT: &str = "timed out";

/// Reaches sinks.
pub struct Sinks {
    http: reqwest::Client,
    tokens: Arc<TokenKeys>,
    secrets_dir: Option<PathBuf>,
    insecure_loopback: bool,
}

/// What a sink said. Its organization reads why: in few words, which say nothing of this machine.
pub enum Sent {
    Taken,
    /// It may take it later.
    Away(String),
    /// It took too long, for as much as it was sent.
    TimedOut,
    /// It may take less at a time.
    TooLarge(String),
    /// It does not want it, for ever or for now.
    Refused {
        for_ever: bool,
        why: String,
    },
    /// Nothing may be sent there.
    Forbidden,
}

impl Sinks {
    /// # Errors
    /// Certificates of the machine that cannot be read.
    pub fn new(tokens: Arc<TokenKeys>, secrets_dir: Option<PathBuf>, insecure_loopback: bool) -> anyhow::Result<Self> {
        let http = Outbound::within(PATIENCE).to_public_addresses(insecure_loopback).build()?;
        Ok(Self { http, tokens, secrets_dir, insecure_loopback })
    }

    /// Sends the records that follow those which the sink took.
    pub async fn send(&self, cursor: &Cursor, records: usize, body: Vec<u8>) -> Sent {
        // Settings may have become stricter since it was opened.
        if !cursor.url.parse::<Issuer>().is_ok_and(|url| url.is_acceptable(self.insecure_loopback)) {
            return Sent::Forbidden;
        }
        let (first, last) = (cursor.records + 1, cursor.records + i64::try_from(records).unwrap_or_default());
        let mut request = self.http.post(&cursor.url);
        request = request.header(header::CONTENT_TYPE, content_type(cursor.format));
        request = request.header(STREAM, cursor.stream.to_string()).header(RECORDS, format!("{first}-{last}"));
        let told = |error: &dyn std::fmt::Display, kind| {
            tracing::warn!(organization = %cursor.organization, stream = %cursor.stream, error = %error, kind, "a sink was not reached");
        };
        match self.tenant(cursor) {
            Ok(tenant) => request = request.header(TENANT_CONTEXT, tenant),
            Err(error) => {
                told(&format_args!("{error:#}"), UNSIGNED);
                return Sent::Away(UNSIGNED.to_owned());
            }
        }
        if let Some(name) = &cursor.secret_ref {
            match self.signature(cursor.organization, name, &body).await {
                Ok(signature) => request = request.header(SIGNATURE, signature),
                Err(error) => {
                    told(&format_args!("{error:#}"), SECRET_MISSING);
                    return Sent::Away(SECRET_MISSING.to_owned());
                }
            }
        }
        match request.body(body).send().await {
            Ok(response) => said(response.status()),
            Err(error) => {
                let kind = kind(&error);
                told(&format_args!("{:#}", anyhow::Error::from(error.without_url())), kind);
                if kind == TIMED_OUT { Sent::TimedOut } else { Sent::Away(kind.to_owned()) }
            }
        }
    }

    /// For whom we ask, signed.
    fn tenant(&self, cursor: &Cursor) -> anyhow::Result<String> {
        Ok(self.tokens.tenant_context(cursor.organization, &cursor.url.parse::<Url>()?, chrono::Utc::now())?)
    }

    async fn signature(&self, organization: OrganizationId, name: &str, body: &[u8]) -> anyhow::Result<String> {
        let secret = secret(self.secrets_dir.as_deref(), organization, name).await?;
        Ok(signature(secret.as_bytes(), chrono::Utc::now().timestamp(), body))
    }
}

/// Why a sink was not reached.
fn kind(error: &reqwest::Error) -> &'static str {
    // Whoever cannot be connected to in time would be no sooner with less.
    if error.is_timeout() && !error.is_connect() {
        return TIMED_OUT;
    }
    if is_tls(error) { "tls" } else { "unreachable" }
}

/// Whether TLS is at fault, however deep that is said: what stands within an `io::Error` is not its source.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || within.is_some_and(|within| is_tls(within)) || error.source().is_some_and(is_tls)
}

fn signature(secret: &[u8], time: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{time}.").as_bytes());
    context.update(body);
    let mut text = format!("t={time},v1=");
    for byte in context.sign().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn said(status: StatusCode) -> Sent {
    let why = format!("answered {}", status.as_u16());
    match status {
        status if status.is_success() => Sent::Taken,
        StatusCode::GONE => Sent::Refused { for_ever: true, why },
        StatusCode::PAYLOAD_TOO_LARGE => Sent::TooLarge(why),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Sent::Away(why),
        status if status.is_server_error() => Sent::Away(why),
        _ => Sent::Refused { for_ever: false, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn a_signature_is_over_time_and_body() {
        // `printf '7.abc' | openssl dgst -sha256 -hmac key`
        let signed = signature(b"key", 7, b"abc");
        assert_eq!(signed, "t=7,v1=284968d16ce2372e6cb2ed4785a09027120bcafb58183c6f98bca468c465a7d1");
        assert_ne!(signed, signature(b"key", 8, b"abc"));
        assert_ne!(signed, signature(b"key", 7, b"abd"));
        assert_ne!(signed, signature(b"kez", 7, b"abc"));
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (status, kind) in
            [(200, "taken"), (204, "taken"), (302, "refused"), (400, "refused"), (404, "refused"), (408, "away"), (413, "too large")]
        {
            let status = StatusCode::from_u16(status).unwrap();
            let told = match said(status) {
                Sent::Taken => "taken",
                Sent::Away(_) => "away",
                Sent::Refused { .. } => "refused",
                Sent::TooLarge(_) => "too large",
                Sent::TimedOut | Sent::Forbidden => "nothing",
            };
            assert_eq!(told, kind, "{status}");
        }
        assert!(matches!(said(StatusCode::GONE), Sent::Refused { for_ever: true, .. }));
        for status in [429, 500, 502, 503, 504] {
            assert!(matches!(said(StatusCode::from_u16(status).unwrap()), Sent::Away(_)), "{status}");
        }
    }

    #[tokio::test]
    async fn why_a_sink_was_not_reached_is_told_in_few_words() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let http = Outbound::within(Duration::from_millis(200)).build().unwrap();
        let asked = async |url: String| kind(&http.get(url).send().await.unwrap_err());
        assert_eq!(asked(format!("http://{address}")).await, "timed out", "nobody answers");
        let speaks = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut hello = [0; 4096];
                let _ = stream.read(&mut hello).await;
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        assert_eq!(asked(format!("https://{address}")).await, "tls", "it speaks in clear");
        speaks.abort();
        let _ = speaks.await;
        assert_eq!(asked(format!("http://{address}")).await, "unreachable", "nobody listens");
    }
}
