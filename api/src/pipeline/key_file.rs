//! The file of the keys that sign tokens, and how they are rotated without a token being refused (E-108, P-23).
//!
//! The first private key signs, every key verifies. A rotation has three steps: a fresh key is
//! published behind the others, so that every server accepts it before anything is signed with it;
//! it is promoted to sign, and those before it stay as public keys, which only verify; these are
//! retired once nothing is good any more that they have signed. A line above a block says since when
//! it has its place; PEM leaves that room to whoever writes it (RFC 7468, section 2).

use super::keys::{Ed25519Key, KeyFault, generate_pem, pem_blocks};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

/// How long a fresh key is published before it may sign: until then some server may not know it.
/// A server looks far more often; a shared folder may show it an older file for a while.
pub const PUBLISHED_FOR: TimeDelta = TimeDelta::seconds(60);

const SINCE: &str = "Since: ";

/// Why a step of a rotation is refused.
#[derive(Debug, thiserror::Error)]
pub enum RotationFault {
    #[error("the key {0} is published and waits to be promoted: a rotation that has begun comes to its end first")]
    AlreadyPublished(String),
    #[error("no key waits to be promoted: publish one first")]
    NothingToPromote,
    #[error("the key {id} was published {seconds} s ago, and servers may need {} s to see it", PUBLISHED_FOR.num_seconds())]
    TooEarly { id: String, seconds: i64 },
    #[error("no key has only verified for that long: there is nothing to retire")]
    NothingToRetire,
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// The keys of a file, in their order.
pub struct KeyFile {
    path: PathBuf,
    keys: Vec<FileKey>,
}

struct FileKey {
    key: Ed25519Key,
    pem: String,
    /// Since when it is where it is, as far as the file tells.
    since: Option<DateTime<Utc>>,
}

impl FileKey {
    fn read(before: &str, pem: &str) -> Result<Self, KeyFault> {
        let since = before.lines().rev().find_map(|line| line.strip_prefix(SINCE));
        let since = since.and_then(|since| DateTime::parse_from_rfc3339(since.trim()).ok()).map(|since| since.to_utc());
        Ok(Self { key: Ed25519Key::from_pem(pem)?, pem: format!("{pem}\n"), since })
    }

    fn signs(&self) -> bool {
        self.key.private_der().is_some()
    }

    fn text(&self) -> String {
        let since = self.since.map(|since| format!("{SINCE}{}\n", since.to_rfc3339_opts(SecondsFormat::Secs, true)));
        since.unwrap_or_default() + &self.pem
    }
}

impl KeyFile {
    /// # Errors
    /// A file that cannot be read or is not made of Ed25519 keys.
    pub fn read(path: &Path) -> Result<Self, KeyFault> {
        let fault = |source| KeyFault::File { path: path.display().to_string(), source };
        // A link stays one: what it leads to is replaced.
        let path = path.canonicalize().map_err(fault)?;
        let text = fs::read_to_string(&path).map_err(fault)?;
        let keys = pem_blocks(&text)?.into_iter().map(|(before, pem)| FileKey::read(before, pem)).collect::<Result<_, _>>()?;
        Ok(Self { path, keys })
    }

    /// The ids of the keys; the first of those that can sign does.
    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.key.id()).collect()
    }

    /// Adds a fresh key behind the others, and says its id.
    ///
    /// # Errors
    /// Where one waits already.
    pub fn publish(&mut self, now: DateTime<Utc>) -> Result<String, RotationFault> {
        if let Some(waiting) = self.waiting() {
            return Err(RotationFault::AlreadyPublished(waiting.key.id()));
        }
        let pem = generate_pem()?;
        let key = Ed25519Key::from_pem(&pem)?;
        let id = key.id();
        self.keys.push(FileKey { key, pem, since: Some(now) });
        Ok(id)
    }

    /// Lets the key that was published last sign, and says its id. Those before it only verify.
    ///
    /// # Errors
    /// Where none waits, or where it was published too lately, unless that is `at_once`.
    pub fn promote(&mut self, now: DateTime<Utc>, at_once: bool) -> Result<String, RotationFault> {
        let waiting = self.waiting().ok_or(RotationFault::NothingToPromote)?;
        let (id, age) = (waiting.key.id(), waiting.since.map(|since| now - since));
        if let Some(age) = age.filter(|age| *age < PUBLISHED_FOR && !at_once) {
            return Err(RotationFault::TooEarly { id, seconds: age.num_seconds() });
        }
        for older in self.keys.iter_mut().filter(|key| key.key.id() != id && key.signs()) {
            let pem = older.key.public_pem();
            *older = FileKey { key: Ed25519Key::from_pem(&pem)?, pem, since: Some(now) };
        }
        for key in self.keys.iter_mut().filter(|key| key.signs()) {
            key.since = Some(now);
        }
        // Newest first; the sort keeps the order of the others.
        self.keys.sort_by_key(|key| !key.signs());
        Ok(id)
    }

    /// Drops the keys that have only verified for longer than `age`, and says their ids.
    ///
    /// # Errors
    /// Where there are none.
    pub fn retire(&mut self, now: DateTime<Utc>, age: TimeDelta) -> Result<Vec<String>, RotationFault> {
        let over = |key: &FileKey| !key.signs() && key.since.is_none_or(|since| now - since >= age);
        let retired: Vec<_> = self.keys.iter().filter(|key| over(key)).map(|key| key.key.id()).collect();
        if retired.is_empty() {
            return Err(RotationFault::NothingToRetire);
        }
        self.keys.retain(|key| !over(key));
        Ok(retired)
    }

    /// The key that is published and does not sign yet.
    fn waiting(&self) -> Option<&FileKey> {
        self.keys.iter().filter(|key| key.signs()).skip(1).last()
    }

    /// Puts these keys in the place of the file, whole or not at all, for the same owner and nobody else.
    ///
    /// # Errors
    /// A folder that cannot be written, or another rotation at the same time.
    pub fn write(&self) -> Result<(), KeyFault> {
        let mut fresh = self.path.clone().into_os_string();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let fault = |source| KeyFault::File { path: fresh.display().to_string(), source };
        // Whoever else rotates at this moment fails here.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fault)?;
        self.fill(file).and_then(|()| fs::rename(&fresh, &self.path)).map_err(|source| {
            let _ = fs::remove_file(&fresh);
            fault(source)
        })?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
    }

    fn fill(&self, mut file: File) -> std::io::Result<()> {
        let (owner, mine) = (fs::metadata(&self.path)?, file.metadata()?);
        // The operator may be root; the servers are not.
        if (owner.uid(), owner.gid()) != (mine.uid(), mine.gid()) {
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        let text: String = self.keys.iter().map(FileKey::text).collect();
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

#[cfg(test)]
#[path = "key_file_tests.rs"]
mod tests;
