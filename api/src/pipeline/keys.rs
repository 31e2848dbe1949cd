//! Ed25519 keys in PEM files, their RFC 7638 names and their JWK form.

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// What stands before the 32 bytes of an Ed25519 public key in its DER form (RFC 8410).
const PUBLIC_KEY_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    #[error("the key is not an Ed25519 key in PEM (PKCS#8 for a private one)")]
    NotEd25519,
    #[error("no private key was given, so nothing can be signed")]
    NoPrivateKey,
    #[error("the key file {path} cannot be used: {source}")]
    File { path: String, source: std::io::Error },
}

/// A key: its public half, and the private one where it was given.
pub struct Ed25519Key {
    private_der: Option<Vec<u8>>,
    public: Vec<u8>,
}

impl Ed25519Key {
    /// Reads every PEM block of a text, in their order. What stands between blocks is for people.
    ///
    /// # Errors
    /// A text without a block, and a block that is not a whole Ed25519 key.
    pub fn all_in(text: &str) -> Result<Vec<Self>, KeyFault> {
        pem_blocks(text)?.into_iter().map(|(_, block)| Self::from_pem(block)).collect()
    }

    /// Reads one PEM block.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFault> {
        let (label, der) = pem_block(pem).ok_or(KeyFault::NotEd25519)?;
        match label {
            "PRIVATE KEY" => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| KeyFault::NotEd25519)?;
                Ok(Self { public: pair.public_key().as_ref().to_vec(), private_der: Some(der) })
            }
            "PUBLIC KEY" => match der.strip_prefix(&PUBLIC_KEY_PREFIX) {
                Some(public) if public.len() == 32 => Ok(Self { public: public.to_vec(), private_der: None }),
                _ => Err(KeyFault::NotEd25519),
            },
            _ => Err(KeyFault::NotEd25519),
        }
    }

    pub fn public(&self) -> &[u8] {
        &self.public
    }

    pub fn private_der(&self) -> Option<&[u8]> {
        self.private_der.as_deref()
    }

    /// The RFC 7638 thumbprint: SHA-256 of the required members, in order, without white space.
    pub fn id(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(&self.public));
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }

    /// The public key as a PEM block, which verifies and cannot sign.
    pub fn public_pem(&self) -> String {
        let der = [PUBLIC_KEY_PREFIX.as_slice(), &self.public].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// The public key as RFC 8037 writes it.
    pub fn jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.id(), "x": URL_SAFE_NO_PAD.encode(&self.public),
        })
    }
}

/// A fresh private key as a PKCS#8 PEM.
pub fn generate_pem() -> Result<String, KeyFault> {
    let pair = Ed25519KeyPair::generate().map_err(|_| KeyFault::NotEd25519)?;
    let der = pair.to_pkcs8v1().map_err(|_| KeyFault::NotEd25519)?;
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref())))
}

/// The PEM in a file; where there is no such file, one that only its owner may read is made (development).
///
/// # Errors
/// A file that cannot be read or written.
pub fn load_or_create_pem(path: &Path) -> Result<String, KeyFault> {
    let fault = |source| KeyFault::File { path: path.display().to_string(), source };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let pem = generate_pem()?;
            file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
            Ok(pem)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => std::fs::read_to_string(path).map_err(fault),
        Err(error) => Err(fault(error)),
    }
}

/// Splits a text into its PEM blocks, each with what stands before it (RFC 7468, section 2).
pub(super) fn pem_blocks(text: &str) -> Result<Vec<(&str, &str)>, KeyFault> {
    let (mut blocks, mut rest) = (Vec::new(), text);
    while let Some(begin) = rest.find("-----BEGIN ") {
        let (before, block) = rest.split_at(begin);
        let end = block.find("-----END ").ok_or(KeyFault::NotEd25519)? + "-----END ".len();
        let end = end + block[end..].find("-----").ok_or(KeyFault::NotEd25519)? + "-----".len();
        blocks.push((before, &block[..end]));
        rest = &block[end..];
    }
    // Half a block is a file that was cut off.
    if blocks.is_empty() || rest.contains("-----") { Err(KeyFault::NotEd25519) } else { Ok(blocks) }
}

fn pem_block(pem: &str) -> Option<(&str, Vec<u8>)> {
    let (label, rest) = pem.trim().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let body = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
    let body: String = body.split_whitespace().collect();
    Some((label, STANDARD.decode(body).ok()?))
}
