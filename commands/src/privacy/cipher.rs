//! AES-256-GCM under a prepared key: the one cipher of this module.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use std::fmt;
use zeroize::Zeroizing;

/// The length of every key here, in bytes.
pub const KEY_BYTES: usize = 32;
/// A ciphertext is this byte, a random nonce, the encrypted bytes and their tag.
const FORMAT: u8 = 1;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + NONCE_LEN;

/// Why bytes were not sealed or opened. It says nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    #[error("the ciphertext was altered, or does not belong to this key and place")]
    NotAuthentic,
    #[error("the ciphertext has a format that this build does not know")]
    UnknownFormat,
    #[error("the cryptographic library refused the operation")]
    Failed,
}

impl From<Unspecified> for CipherError {
    fn from(_: Unspecified) -> Self {
        CipherError::Failed
    }
}

/// 32 secret bytes, wiped when dropped and hidden from `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; KEY_BYTES]>);

impl Secret {
    /// Fresh bytes of the system's generator.
    pub fn random() -> Result<Self, CipherError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The secret in `bytes`, where they are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut copy = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return None;
        }
        copy.copy_from_slice(bytes);
        Some(Self(copy))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A key ready for use: its schedule is expanded once, not for every field.
///
/// Nonces are random. 2^32 seals keep the chance of a repeat below 2^-32 (NIST SP 800-38D, 8.3),
/// far above what one person's fields of one purpose will ever be.
pub struct Cipher(LessSafeKey);

impl Cipher {
    pub fn new(key: &Secret) -> Result<Self, CipherError> {
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.bytes())?)))
    }

    /// Seals `clear`, bound to `associated`.
    pub fn seal(&self, associated: &[u8], clear: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce)?;
        let mut sealed = vec![0; HEADER_BYTES + clear.len() + TAG_BYTES];
        let (header, body) = sealed.split_at_mut(HEADER_BYTES);
        header[0] = FORMAT;
        header[1..].copy_from_slice(&nonce);
        let (encrypted, tag) = body.split_at_mut(clear.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_out_of_place_scatter(nonce, Aad::from(associated), clear, encrypted, &[], tag)?;
        Ok(sealed)
    }

    /// Opens what [`Cipher::seal`] made with the same key and associated data.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let (format, rest) = sealed.split_first().ok_or(CipherError::NotAuthentic)?;
        if *format != FORMAT {
            return Err(CipherError::UnknownFormat);
        }
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(CipherError::NotAuthentic)?;
        let clear_bytes = body.len().checked_sub(TAG_BYTES).ok_or(CipherError::NotAuthentic)?;
        let (encrypted, tag) = body.split_at(clear_bytes);
        let mut clear = Zeroizing::new(vec![0; clear_bytes]);
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        self.0.open_separate_gather(nonce, Aad::from(associated), encrypted, tag, &mut clear).map_err(|_| CipherError::NotAuthentic)?;
        Ok(clear)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(hidden)")
    }
}

/// Associated data: a label and parts, each with its length before it, so no two lists share theirs.
pub fn associated_data(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::with_capacity(128);
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher() -> Cipher {
        Cipher::new(&Secret::random().unwrap()).unwrap()
    }

    /// Test case 16 of McGrew and Viega, *The Galois/Counter Mode of Operation*: 256 bits of key, and data beside it.
    // covers: P-51
    #[test]
    fn the_cipher_is_aes_256_in_galois_counter_mode() {
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = hex("cafebabefacedbaddecaf888");
        let beside = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let clear = hex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let encrypted = hex(concat!(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        ));
        let tag = hex("76fc6ece0f4e1768cddf8853bb2d551b");
        let sealed = [vec![FORMAT], nonce, encrypted, tag].concat();
        let cipher = Cipher::new(&Secret::from_slice(&key).unwrap()).unwrap();
        assert_eq!(cipher.open(&beside, &sealed).unwrap().as_slice(), clear);
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn what_is_sealed_opens_and_is_not_the_clear_text() {
        let cipher = cipher();
        for clear in [b"".as_slice(), b"a", &[7; 5_000]] {
            let sealed = cipher.seal(b"here", clear).unwrap();
            assert_eq!(sealed.len(), HEADER_BYTES + clear.len() + TAG_BYTES);
            assert_eq!(cipher.open(b"here", &sealed).unwrap().as_slice(), clear);
            assert_ne!(sealed, cipher.seal(b"here", clear).unwrap(), "the nonce is fresh");
        }
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let cipher = cipher();
        let sealed = cipher.seal(b"here", b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            let expected = if index == 0 { CipherError::UnknownFormat } else { CipherError::NotAuthentic };
            assert_eq!(cipher.open(b"here", &altered).unwrap_err(), expected, "byte {index}");
        }
        for length in 0..sealed.len() {
            assert_eq!(cipher.open(b"here", &sealed[..length]).unwrap_err(), CipherError::NotAuthentic, "length {length}");
        }
    }

    #[test]
    fn another_key_or_another_place_does_not_open() {
        let mine = cipher();
        let sealed = mine.seal(b"here", b"secret").unwrap();
        assert_eq!(mine.open(b"there", &sealed).unwrap_err(), CipherError::NotAuthentic);
        assert_eq!(cipher().open(b"here", &sealed).unwrap_err(), CipherError::NotAuthentic);
    }

    #[test]
    fn associated_data_tells_the_borders_of_its_parts() {
        assert_ne!(associated_data("a", &[b"bc", b"d"]), associated_data("a", &[b"b", b"cd"]));
        assert_ne!(associated_data("a", &[b"b"]), associated_data("ab", &[]));
    }

    #[test]
    fn debug_hides_keys() {
        let secret = Secret::from_slice(&[0xAB; KEY_BYTES]).unwrap();
        let shown = format!("{secret:?} {:?}", Cipher::new(&secret).unwrap());
        assert_eq!(shown, "Secret(hidden) Cipher(hidden)");
        assert!(Secret::from_slice(&[0; 31]).is_none());
    }
}
