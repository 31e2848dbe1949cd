//! The data folder: who owns it, who uses it now, and what it remembers.

use super::{
    EmbeddedError,
    unix::{self, Account},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

pub const LOCK_FILE: &str = "palmares.lock";
const STATE_FILE: &str = "embedded.json";
/// A log of a child over this size is set aside at the next start.
const LOG_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What a data folder remembers of its servers. Holds their passwords: mode 0600.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    pub format: u32,
    pub postgres_port: Option<u16>,
    pub superuser_password: String,
    pub owner_password: String,
    pub nats_port: Option<u16>,
    pub nats_password: String,
}

impl State {
    const FORMAT: u32 = 1;

    fn new() -> Result<Self, EmbeddedError> {
        Ok(Self {
            format: Self::FORMAT,
            postgres_port: None,
            superuser_password: random_secret()?,
            owner_password: random_secret()?,
            nats_port: None,
            nats_password: random_secret()?,
        })
    }
}

/// A data folder, locked for this process as long as the value lives.
pub struct Folder {
    path: PathBuf,
    state: State,
    /// Whom the children run as, where that is not the user of this process.
    pub account: Option<Account>,
    _lock: File,
}

impl Folder {
    /// Opens the folder, makes it where it is missing, and locks it.
    pub fn open(path: &Path) -> Result<Self, EmbeddedError> {
        let unusable = |cause| EmbeddedError::FolderUnusable { path: path.to_owned(), cause };
        fs::DirBuilder::new().recursive(true).mode(0o711).create(path).map_err(|cause| match cause.kind() {
            // "File exists" would leave it to the reader to find out that it is none of the folders.
            io::ErrorKind::AlreadyExists => unusable(io::ErrorKind::NotADirectory.into()),
            _ => unusable(cause),
        })?;
        let path = path.canonicalize().map_err(unusable)?;
        let unusable = |cause| EmbeddedError::FolderUnusable { path: path.clone(), cause };
        refuse_foreign(&path).map_err(unusable)?.map_or(Ok(()), Err)?;
        let lock = take_lock(&path)?;
        let account = account_for(&path)?;
        if account.is_some() {
            // The children's user must be able to pass, and to see nothing.
            fs::set_permissions(&path, Permissions::from_mode(0o711)).map_err(unusable)?;
        }
        let state = match fs::read(path.join(STATE_FILE)) {
            Ok(bytes) => read_state(&path, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::new()?,
            Err(error) => return Err(unusable(error)),
        };
        let folder = Self { path, state, account, _lock: lock };
        folder.save()?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.path.join("logs"))
            .map_err(EmbeddedError::io("making the folder for logs"))?;
        Ok(folder)
    }

    /// Says what a folder is, without locking or changing anything.
    pub fn inspect(path: &Path) -> Result<&'static str, EmbeddedError> {
        let unusable = |cause| EmbeddedError::FolderUnusable { path: path.to_owned(), cause };
        match fs::read(path.join(STATE_FILE)) {
            Ok(bytes) => read_state(path, &bytes).map(|_| "has data"),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(error)),
            Err(_) if !path.exists() => Ok("will be made at the first start"),
            Err(_) => refuse_foreign(path).map_err(unusable)?.map_or(Ok("is empty"), Err),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Changes what is remembered.
    pub fn remember(&mut self, change: impl FnOnce(&mut State)) -> Result<(), EmbeddedError> {
        change(&mut self.state);
        self.save()
    }

    fn save(&self) -> Result<(), EmbeddedError> {
        let json = serde_json::to_vec_pretty(&self.state).map_err(io::Error::from).map_err(EmbeddedError::io("writing the state"))?;
        let file = self.path.join(STATE_FILE);
        if fs::read(&file).is_ok_and(|known| known == json) {
            return Ok(());
        }
        // Root may visit the folder of an ordinary user, who must still be able to use it afterwards.
        let owner = |path: &Path| path.metadata().map(|meta| (meta.uid(), meta.gid()));
        write_private(&file, &json)
            .and_then(|()| owner(&self.path))
            .and_then(|(uid, gid)| if unix::is_root() { std::os::unix::fs::chown(&file, Some(uid), Some(gid)) } else { Ok(()) })
            .map_err(|cause| EmbeddedError::FolderUnusable { path: self.path.clone(), cause })
    }

    /// The log file of a child.
    pub fn log_path(&self, child: &str) -> PathBuf {
        self.path.join("logs").join(format!("{child}.log"))
    }

    /// Sets an overlong log aside, so that a folder does not grow without end.
    pub fn rotate_log(&self, child: &str) {
        let path = self.log_path(child);
        if path.metadata().is_ok_and(|meta| meta.len() > LOG_MAX_BYTES) {
            let _ = fs::rename(&path, path.with_extension("log.1"));
        }
    }

    /// Makes a folder that only the children's user may enter.
    pub fn private_folder(&self, name: &str) -> Result<PathBuf, EmbeddedError> {
        let path = self.path.join(name);
        let doing = || EmbeddedError::io(format!("making {}", path.display()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(doing())?;
        self.give(&path)?;
        Ok(path)
    }

    /// Hands a file or folder to the children's user.
    pub fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self.account {
            Some(account) => std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
                .map_err(EmbeddedError::io(format!("giving {} to the unprivileged user", path.display()))),
            None => Ok(()),
        }
    }
}

/// The last lines of a log, as one line.
pub fn log_tail(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" | ")
}

/// Writes a file that only its owner may read: whole, or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

/// 32 random bytes in hexadecimal digits: safe inside SQL, URLs and configuration files.
pub fn random_secret() -> Result<String, EmbeddedError> {
    let mut bytes = [0u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| EmbeddedError::io("making a password")(io::Error::other("no randomness")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn read_state(path: &Path, bytes: &[u8]) -> Result<State, EmbeddedError> {
    let damaged = |detail: String| EmbeddedError::FolderDamaged { path: path.to_owned(), detail };
    let state: State = serde_json::from_slice(bytes).map_err(|error| damaged(format!("{STATE_FILE}: {error}")))?;
    if state.format != State::FORMAT {
        return Err(damaged(format!("{STATE_FILE}: format {} is unknown to this build", state.format)));
    }
    Ok(state)
}

/// A folder with files and without our state is someone else's.
fn refuse_foreign(path: &Path) -> io::Result<Option<EmbeddedError>> {
    if path.join(STATE_FILE).exists() {
        return Ok(None);
    }
    let ours = [LOCK_FILE, "logs", "embedded.draft"];
    for entry in fs::read_dir(path)? {
        if !ours.iter().any(|name| entry.as_ref().is_ok_and(|entry| entry.file_name() == *name)) {
            return Ok(Some(EmbeddedError::FolderForeign(path.to_owned())));
        }
    }
    Ok(None)
}

fn take_lock(path: &Path) -> Result<File, EmbeddedError> {
    let unusable = |cause| EmbeddedError::FolderUnusable { path: path.to_owned(), cause };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path.join(LOCK_FILE)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim().parse::<u32>().map(|pid| format!(" (process {pid})")).unwrap_or_default();
            return Err(EmbeddedError::FolderLocked { path: path.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes())).map_err(unusable)?;
    Ok(file)
}

/// Root may not run PostgreSQL: an existing folder keeps its owner, a new one gets an unprivileged user.
fn account_for(path: &Path) -> Result<Option<Account>, EmbeddedError> {
    let owner = |path: &Path| path.metadata().ok().map(|meta| Account { uid: meta.uid(), gid: meta.gid() });
    let existing = owner(&path.join("postgres")).or_else(|| owner(path));
    if !unix::is_root() {
        return match existing {
            Some(owner) if owner.uid != unix::effective_uid() => {
                Err(EmbeddedError::FolderOfAnother { path: path.to_owned(), owner: owner.uid })
            }
            _ => Ok(None),
        };
    }
    let account = existing.filter(|owner| owner.uid != 0).or_else(Account::unprivileged).ok_or(EmbeddedError::NoUnprivilegedUser)?;
    match account.barrier(path) {
        Some(barrier) => Err(EmbeddedError::FolderUnreachable { barrier: barrier.to_owned() }),
        None => Ok(Some(account)),
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
