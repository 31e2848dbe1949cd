//! What Vault answers, as far as it is read.

use crate::privacy::Epoch;
use reqwest::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Answer<T> {
    pub data: T,
}

/// `GET /transit/keys/:name`.
#[derive(Deserialize)]
pub(super) struct KeyInfo {
    pub latest_version: i32,
    #[serde(default)]
    pub min_available_version: i32,
    #[serde(default)]
    pub min_decryption_version: i32,
}

impl KeyInfo {
    pub fn has(&self, epoch: Epoch) -> bool {
        (self.min_decryption_version.max(self.min_available_version).max(1)..=self.latest_version).contains(&epoch.0)
    }
}

/// `POST /transit/encrypt/:name` and `decrypt`, of batches.
#[derive(Deserialize)]
pub(super) struct Encrypted {
    pub batch_results: Vec<BatchResult>,
}

#[derive(Deserialize)]
pub(super) struct BatchResult {
    pub ciphertext: Option<String>,
    pub plaintext: Option<String>,
    #[serde(default, deserialize_with = "said")]
    pub error: Option<String>,
}

/// An empty error is none.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

/// `POST /transit/hmac/:name/sha2-256`.
#[derive(Deserialize)]
pub(super) struct Hmac {
    pub hmac: String,
}

/// What every refusal looks like.
#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

impl Refusal {
    /// What Vault said, if it said anything.
    pub fn of(body: &[u8]) -> Option<String> {
        let refusal: Refusal = serde_json::from_slice(body).ok()?;
        (!refusal.errors.is_empty()).then(|| refusal.errors.join("; "))
    }

    pub fn text(status: StatusCode, body: &[u8]) -> String {
        Self::of(body).map_or_else(|| format!("status {}", status.as_u16()), |said| format!("status {}: {said}", status.as_u16()))
    }
}

/// Of the version that was asked for: forbidden, trimmed, or lower than what may be used.
pub(super) fn is_of_an_old_version(error: &str) -> bool {
    error.contains("too old") || error.contains("less than the minimum") || error.contains("version is not available")
}

/// Of the ciphertext itself, and not of Vault.
pub(super) fn is_of_the_ciphertext(error: &str) -> bool {
    error.contains("message authentication failed") || error.contains("invalid ciphertext") || error.contains("could not decode")
}
