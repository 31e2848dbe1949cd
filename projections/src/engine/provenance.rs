//! Whose a message in JetStream is: its tenant, signed together with all that it says (E-84).
//!
//! Whoever reaches NATS past the relay could put an event there again under the organization of another. The
//! signature is under a key that stands in PostgreSQL, where they do not reach.

use anyhow::{Context, ensure};
use async_nats::HeaderMap;
use aws_lc_rs::hmac;
use palmares_domain::kernel::{OrganizationId, RecordedEvent};
use std::fmt::Write;

/// `<organization>.<HMAC-SHA256 in hexadecimal>`, over the stream, the subject, the organization and the body.
pub const TENANT: &str = "Palmares-Tenant";

/// What relay and feeds of one log share.
#[derive(Clone)]
pub struct MessageKey(hmac::Key);

impl MessageKey {
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    fn context(&self, stream: &str, subject: &str, organization: &str, body: &[u8]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [stream.as_bytes(), subject.as_bytes(), organization.as_bytes(), body] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context
    }

    /// The tenant of a message, signed.
    pub fn sign(&self, stream: &str, subject: &str, organization: OrganizationId, body: &[u8]) -> String {
        let mut text = organization.to_string();
        let tag = self.context(stream, subject, &text, body).sign();
        text.push('.');
        for byte in tag.as_ref() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The event of a message that a relay of this log put there: for the organization that it is about, and as
    /// it stands.
    ///
    /// # Errors
    /// Anything else.
    pub fn event(&self, stream: &str, subject: &str, headers: Option<&HeaderMap>, body: &[u8]) -> anyhow::Result<RecordedEvent> {
        let token = headers.and_then(|headers| headers.get(TENANT)).context("it does not say whose it is")?;
        let (organization, tag) = token.as_str().split_once('.').context("its tenant is not signed")?;
        let signed = self.context(stream, subject, organization, body).sign();
        let mut expected = String::with_capacity(2 * signed.as_ref().len());
        for byte in signed.as_ref() {
            let _ = write!(expected, "{byte:02x}");
        }
        let genuine = aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), tag.as_bytes()).is_ok();
        ensure!(genuine, "its tenant is not signed by a relay of this log");
        let event: RecordedEvent = serde_json::from_slice(body).context("it is not an event")?;
        ensure!(event.organization_id.to_string() == organization, "it is of another tenant than it says");
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(2));
    const STREAM: &str = "PALMARES_1";

    fn body(organization: OrganizationId) -> Value {
        json!({
            "position": 7, "id": Uuid::from_u128(9), "type": "test.happened", "schema_version": 1,
            "stream": { "type": "user", "id": Uuid::from_u128(3), "version": 1 },
            "organization_id": organization, "actor_id": Uuid::from_u128(4), "recorded_at": "2026-01-01T00:00:00Z",
            "effective_at": null, "metadata": {}, "payload": { "amount": 1 },
        })
    }

    fn subject(organization: OrganizationId) -> String {
        format!("evt.{organization}.user")
    }

    fn headers(token: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TENANT, token);
        headers
    }

    // covers: E-84
    #[test]
    fn a_message_is_taken_for_the_tenant_for_whom_it_was_signed_and_as_it_stood() {
        let key = MessageKey::new(&[7; 32]);
        let bytes = |body: &Value| body.to_string().into_bytes();
        let token = key.sign(STREAM, &subject(ACME), ACME, &bytes(&body(ACME)));
        let taken = |stream: &str, subject: &str, token: Option<&str>, body: &Value| {
            key.event(stream, subject, token.map(headers).as_ref(), &bytes(body)).map_err(|error| error.to_string())
        };
        let event = taken(STREAM, &subject(ACME), Some(&token), &body(ACME)).unwrap();
        assert_eq!((event.organization_id, event.position), (ACME, 7));

        // The same event for another tenant: in its body, its subject, its token, or in all three.
        let (_, tag) = token.split_once('.').unwrap();
        let swapped = format!("{OTHER}.{tag}");
        let mut dearer = body(ACME);
        dearer["payload"]["amount"] = json!(1_000_000);
        for (what, of_stream, of_subject, of_token, of_body) in [
            ("body", STREAM, subject(ACME), token.as_str(), body(OTHER)),
            ("subject", STREAM, subject(OTHER), &token, body(ACME)),
            ("token", STREAM, subject(ACME), &swapped, body(ACME)),
            ("all", STREAM, subject(OTHER), &swapped, body(OTHER)),
            ("payload", STREAM, subject(ACME), &token, dearer),
            ("stream", "PALMARES_2", subject(ACME), &token, body(ACME)),
            ("no signature", STREAM, subject(ACME), &ACME.to_string(), body(ACME)),
        ] {
            assert!(taken(of_stream, &of_subject, Some(of_token), &of_body).is_err(), "{what}");
        }
        assert!(taken(STREAM, &subject(ACME), None, &body(ACME)).is_err(), "nothing says whose it is");
        let stranger = MessageKey::new(&[8; 32]).sign(STREAM, &subject(ACME), ACME, &bytes(&body(ACME)));
        assert!(taken(STREAM, &subject(ACME), Some(&stranger), &body(ACME)).is_err(), "another key");
        // Signed for one, and about another: no relay does that.
        let crossed = key.sign(STREAM, &subject(ACME), ACME, &bytes(&body(OTHER)));
        assert_eq!(taken(STREAM, &subject(ACME), Some(&crossed), &body(OTHER)).unwrap_err(), "it is of another tenant than it says");
    }
}
