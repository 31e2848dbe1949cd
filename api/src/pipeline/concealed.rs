//! Texts that a browser keeps for us and cannot read: AES-256-GCM under a key of this deployment.
//!
//! The key is derived from the one that signs tokens (HKDF, RFC 5869), so every node has it and nobody
//! has another secret to keep. What was concealed under an older key is lost; it lives for minutes.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Salt},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// More than a browser would send in one cookie.
const TEXT_MAX_BYTES: usize = 8 * 1024;

/// A text that was altered, is over, or was never ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not one that was concealed for this purpose, or no longer")]
pub struct NotOurs;

/// Conceals texts and reveals them.
pub struct Concealer(RandomizedNonceKey);

#[derive(Serialize, Deserialize)]
struct Until<T> {
    until: DateTime<Utc>,
    content: T,
}

impl Concealer {
    /// A key of its own, derived from a secret of the deployment.
    pub fn derived_from(secret: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let derived = Salt::new(HKDF_SHA256, b"palmares").extract(secret);
        derived.expand(&[b"concealed texts"], &AES_256_GCM).and_then(|key| key.fill(bytes.as_mut())).ok()?;
        RandomizedNonceKey::new(&AES_256_GCM, bytes.as_ref()).ok().map(Self)
    }

    /// `content` for one purpose until a moment.
    pub fn conceal<T: Serialize>(&self, purpose: &str, content: &T, until: DateTime<Utc>) -> anyhow::Result<String> {
        let mut bytes = Zeroizing::new(serde_json::to_vec(&Until { until, content })?);
        let sealed = self.0.seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut *bytes);
        let nonce = sealed.map_err(|_| anyhow::anyhow!("the cryptographic library refused to seal"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// What was concealed for this purpose, while it is good.
    pub fn reveal<T: DeserializeOwned>(&self, purpose: &str, text: &str, now: DateTime<Utc>) -> Result<T, NotOurs> {
        if text.len() > TEXT_MAX_BYTES {
            return Err(NotOurs);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotOurs)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(NotOurs)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOurs)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let clear = self.0.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut sealed).map_err(|_| NotOurs)?;
        let Until { until, content } = serde_json::from_slice(clear).map_err(|_| NotOurs)?;
        if until > now { Ok(content) } else { Err(NotOurs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn soon() -> DateTime<Utc> {
        Utc::now() + TimeDelta::minutes(1)
    }

    #[test]
    fn what_was_concealed_is_revealed_and_cannot_be_read() {
        let concealer = Concealer::derived_from(b"secret").unwrap();
        let text = concealer.conceal("flow", &"verifier", soon()).unwrap();
        assert_eq!(concealer.reveal::<String>("flow", &text, Utc::now()), Ok("verifier".to_owned()));
        assert_eq!(
            Concealer::derived_from(b"secret").unwrap().reveal::<String>("flow", &text, Utc::now()),
            Ok("verifier".to_owned()),
            "another node"
        );
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"verifier"));
        assert_ne!(concealer.conceal("flow", &"verifier", soon()).unwrap(), text, "the nonce is fresh");
    }

    #[test]
    fn nothing_else_is_revealed() {
        let concealer = Concealer::derived_from(b"secret").unwrap();
        let text = concealer.conceal("flow", &"verifier", soon()).unwrap();
        assert_eq!(concealer.reveal::<String>("another", &text, Utc::now()), Err(NotOurs));
        assert_eq!(Concealer::derived_from(b"other").unwrap().reveal::<String>("flow", &text, Utc::now()), Err(NotOurs));
        let over = concealer.conceal("flow", &"verifier", Utc::now() - TimeDelta::seconds(1)).unwrap();
        let long = "A".repeat(TEXT_MAX_BYTES + 1);
        let mut altered = URL_SAFE_NO_PAD.decode(&text).unwrap();
        *altered.last_mut().unwrap() ^= 1;
        for bad in ["", "AAAA", "not base64", &text[..text.len() - 4], &URL_SAFE_NO_PAD.encode(altered), &over, &long] {
            assert_eq!(concealer.reveal::<String>("flow", bad, Utc::now()), Err(NotOurs), "{bad}");
        }
    }
}
