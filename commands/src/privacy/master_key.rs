//! The master key: what seals the files of the key store. It is read from a file and never made
//! silently, because a new one over an old key store would look like the loss of every key.

use super::cipher::{KEY_BYTES, Secret};
use super::{CipherError, exclusive_file};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Mode bits that a master key file may not have: write for its group, anything for others.
/// Reading by the group stays allowed, because that is how orchestrators hand secrets to a process.
const EXPOSED_BITS: u32 = 0o037;
/// A well-formed file is far shorter, in bytes.
const FILE_MAX_BYTES: u64 = 1024;

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("there is no master key at {}: restore it from its backup; for a new system put 64 hexadecimal digits there (`openssl rand -hex 32`) with mode 600", .0.display())]
    Missing(PathBuf),
    #[error("there is a master key at {} already: it is never replaced", .0.display())]
    Exists(PathBuf),
    #[error("the master key at {} has mode {mode:o}, which lets others at it: run `chmod 600 {}`", path.display(), path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the master key at {} is not 64 hexadecimal digits", .0.display())]
    Malformed(PathBuf),
    #[error("the master key at {} cannot be used: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// Seals the files of [`SealedFileKeyStore`](super::key_store::SealedFileKeyStore).
#[derive(Clone)]
pub struct MasterKey(Secret);

impl MasterKey {
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// Reads the key: 64 hexadecimal digits, white space around them allowed.
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |source: io::Error| MasterKeyError::Io { path: path.to_owned(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(MasterKeyError::Missing(path.to_owned())),
            Err(error) => return Err(io(error)),
        };
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & EXPOSED_BITS != 0 {
            return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(Vec::with_capacity(FILE_MAX_BYTES as usize));
        file.take(FILE_MAX_BYTES).read_to_end(&mut text).map_err(io)?;
        from_hex(text.trim_ascii()).map(Self).ok_or_else(|| MasterKeyError::Malformed(path.to_owned()))
    }

    /// Makes a key and its file, which must not exist. For development and for the command line:
    /// a server that starts only reads.
    pub fn create(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |source: io::Error| MasterKeyError::Io { path: path.to_owned(), source };
        let secret = Secret::random()?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            exclusive_file::create_folder(folder).map_err(io)?;
        }
        match exclusive_file::create(path, to_hex(&secret).as_bytes()).map_err(io)? {
            true => Ok(Self(secret)),
            false => Err(MasterKeyError::Exists(path.to_owned())),
        }
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}

fn to_hex(secret: &Secret) -> Zeroizing<String> {
    // The capacity is the whole length, so that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 1));
    for byte in secret.bytes() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text.push('\n');
    text
}

fn from_hex(text: &[u8]) -> Option<Secret> {
    if text.len() != 2 * KEY_BYTES {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Secret::from_slice(bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::super::exclusive_file::scratch::Scratch;
    use super::*;
    use std::fs;

    #[test]
    fn a_created_key_reads_back_and_is_not_replaced() {
        let scratch = Scratch::new();
        let path = scratch.0.join("keys").join("master.key");
        let created = MasterKey::create(&path).unwrap();
        assert_eq!(created.secret().bytes(), MasterKey::read(&path).unwrap().secret().bytes());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(MasterKey::create(&path), Err(MasterKeyError::Exists(_))));
        assert_eq!(created.secret().bytes(), MasterKey::read(&path).unwrap().secret().bytes());
    }

    #[test]
    fn a_missing_exposed_or_malformed_key_says_what_to_do() {
        let scratch = Scratch::new();
        let path = scratch.0.join("master.key");
        let missing = MasterKey::read(&path).unwrap_err();
        assert!(matches!(missing, MasterKeyError::Missing(_)) && missing.to_string().contains("openssl rand -hex 32"));

        MasterKey::create(&path).unwrap();
        for mode in [0o644, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let exposed = MasterKey::read(&path).unwrap_err();
            assert!(matches!(exposed, MasterKeyError::Exposed { .. }) && exposed.to_string().contains("chmod 600"));
        }
        for mode in [0o600, 0o400, 0o440] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            MasterKey::read(&path).unwrap();
        }

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "deadbeef", &"g".repeat(64), &"0".repeat(63), &"0".repeat(2_000)] {
            fs::write(&path, text).unwrap();
            let malformed = MasterKey::read(&path).unwrap_err();
            assert!(matches!(malformed, MasterKeyError::Malformed(_)));
            assert!(!malformed.to_string().contains("deadbeef"));
        }
    }

    #[test]
    fn debug_hides_the_key() {
        let key = MasterKey::new(Secret::from_slice(&[0xAB; KEY_BYTES]).unwrap());
        assert_eq!(format!("{key:?}"), "MasterKey(hidden)");
    }
}
