//! Signed notes: a text, and lines of signatures under it (c2sp.org/signed-note).

use crate::hash::sha256;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use std::fmt;

/// What begins a line of a signature.
const DASH: &str = "\u{2014} ";

/// The kinds of Ed25519 signatures that notes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Algorithm {
    /// Over the text.
    Ed25519 = 1,
    /// Over the text and a time, by a witness (c2sp.org/tlog-cosignature).
    Cosignature = 4,
}

/// A public key with the name under which it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    pub name: String,
    pub algorithm: Algorithm,
    pub public: [u8; 32],
}

/// What signs as one key. The private half stays with whoever implements it.
pub trait Sign: Send + Sync {
    fn public(&self) -> [u8; 32];
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// One line of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    pub name: String,
    pub key_id: [u8; 4],
    pub bytes: Vec<u8>,
}

/// A note that was taken apart. No signature is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Ends with a newline.
    pub text: String,
    pub signatures: Vec<NoteSignature>,
}

impl Verifier {
    /// The first bytes of a hash over name and key; hints at the key and proves nothing.
    pub fn key_id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[self.algorithm as u8], &self.public].concat());
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Reads `name+id+key`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let key = STANDARD.decode(key).ok()?;
        let (kind, public) = key.split_first()?;
        let algorithm = match kind {
            1 => Algorithm::Ed25519,
            4 => Algorithm::Cosignature,
            _ => return None,
        };
        let verifier = Self { name: name.to_owned(), algorithm, public: public.try_into().ok()? };
        (is_name(name) && hex(verifier.key_id()) == id).then_some(verifier)
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        VerifyingKey::from_bytes(&self.public).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[self.algorithm as u8], self.public.as_slice()].concat());
        write!(f, "{}+{}+{key}", self.name, hex(self.key_id()))
    }
}

fn hex(bytes: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(bytes))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

impl Note {
    /// Takes a note apart.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.rfind("\n\n")? + 1;
        let (body, lines) = (&text[..end], &text[end + 1..]);
        if lines.is_empty() || body.chars().any(|letter| letter.is_control() && letter != '\n') {
            return None;
        }
        let signatures = lines.strip_suffix('\n')?.split('\n').map(NoteSignature::parse).collect::<Option<Vec<_>>>()?;
        Some(Self { text: body.to_owned(), signatures })
    }

    /// Whether one of its signatures is by this key over the text.
    pub fn is_signed_by(&self, verifier: &Verifier) -> bool {
        let id = verifier.key_id();
        let by = self.signatures.iter().filter(|signature| signature.name == verifier.name && signature.key_id == id);
        // A note with a broken signature of a known key is malformed, whatever else is under it.
        let verified: Vec<bool> = by
            .map(|signature| signature.bytes.as_slice().try_into().is_ok_and(|bytes| verifier.verifies(self.text.as_bytes(), bytes)))
            .collect();
        !verified.is_empty() && verified.iter().all(|verified| *verified)
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !signature.is_empty()).then(|| Self { name: name.to_owned(), key_id: *key_id, bytes: signature.to_vec() })
    }

    /// The line, with its newline.
    pub fn line(&self) -> String {
        format!("{DASH}{} {}\n", self.name, STANDARD.encode([self.key_id.as_slice(), &self.bytes].concat()))
    }
}

/// The note of `text`, which ends with a newline, signed under `name` by each of `signers`.
pub fn sign(text: &str, name: &str, signers: &[&dyn Sign]) -> String {
    let lines = signers.iter().map(|signer| {
        let verifier = Verifier { name: name.to_owned(), algorithm: Algorithm::Ed25519, public: signer.public() };
        NoteSignature { name: name.to_owned(), key_id: verifier.key_id(), bytes: signer.sign(text.as_bytes()).to_vec() }.line()
    });
    format!("{text}\n{}", lines.collect::<String>())
}

/// Signs with a private key in memory: for tests and benchmarks. The server has its own.
impl Sign for ed25519_dalek::SigningKey {
    fn public(&self) -> [u8; 32] {
        self.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::Signer::sign(self, message).to_bytes()
    }
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;
