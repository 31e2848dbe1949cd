//! One request to a sink: signed, to an address that may be asked, and not for long.

use crate::secrets::secret;
use aws_lc_rs::hmac;
use palmares_commands::outbound::Outbound;
use palmares_domain::{identity::connection::Issuer, kernel::OrganizationId};
use palmares_projections::compliance::siem::{Cursor, content_type};
use reqwest::{StatusCode, header};
use std::{fmt::Write, path::PathBuf, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);

/// `t=<Unix time>,v1=<HMAC-SHA256 of the time, a point and the body, in hexadecimal>`.
const SIGNATURE: &str = "Palmares-Signature";
const STREAM: &str = "Palmares-Stream";
/// The numbers of the first and of the last record.
const RECORDS: &str = "Palmares-Records";

/// Reaches sinks.
pub struct Sinks {
    http: reqwest::Client,
    secrets_dir: Option<PathBuf>,
    insecure_loopback: bool,
}

/// What a sink said.
pub enum Sent {
    Taken,
    /// It may take it later.
    Away(String),
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
    pub fn new(secrets_dir: Option<PathBuf>, insecure_loopback: bool) -> anyhow::Result<Self> {
        let http = Outbound::within(PATIENCE).to_public_addresses(insecure_loopback).build()?;
        Ok(Self { http, secrets_dir, insecure_loopback })
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
        if let Some(name) = &cursor.secret_ref {
            match self.signature(cursor.organization, name, &body).await {
                Ok(signature) => request = request.header(SIGNATURE, signature),
                Err(error) => return Sent::Away(format!("{error:#}")),
            }
        }
        match request.body(body).send().await {
            Ok(response) => said(response.status()),
            Err(error) => Sent::Away(format!("{:#}", anyhow::Error::from(error.without_url()))),
        }
    }

    async fn signature(&self, organization: OrganizationId, name: &str, body: &[u8]) -> anyhow::Result<String> {
        let secret = secret(self.secrets_dir.as_deref(), organization, name).await?;
        Ok(signature(secret.as_bytes(), chrono::Utc::now().timestamp(), body))
    }
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
    let why = format!("the sink answered {status}");
    match status {
        status if status.is_success() => Sent::Taken,
        StatusCode::GONE => Sent::Refused { for_ever: true, why },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Sent::Away(why),
        status if status.is_server_error() => Sent::Away(why),
        _ => Sent::Refused { for_ever: false, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (status, kind) in [(200, "taken"), (204, "taken"), (302, "refused"), (400, "refused"), (404, "refused"), (408, "away")] {
            let status = StatusCode::from_u16(status).unwrap();
            let told = match said(status) {
                Sent::Taken => "taken",
                Sent::Away(_) => "away",
                Sent::Refused { .. } => "refused",
                Sent::Forbidden => "forbidden",
            };
            assert_eq!(told, kind, "{status}");
        }
        assert!(matches!(said(StatusCode::GONE), Sent::Refused { for_ever: true, .. }));
        for status in [429, 500, 502, 503, 504] {
            assert!(matches!(said(StatusCode::from_u16(status).unwrap()), Sent::Away(_)), "{status}");
        }
    }
}
