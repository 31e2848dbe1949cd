//! The last signed checkpoint of the root log in a file outside PostgreSQL: what a database that is
//! rolled back cannot take back.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The file.
#[derive(Clone, Debug)]
pub struct Outside {
    path: PathBuf,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the file of the last checkpoint {path} cannot be used: {source}")]
pub struct OutsideFault {
    path: String,
    source: io::Error,
}

impl Outside {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn fault(&self, source: io::Error) -> OutsideFault {
        OutsideFault { path: self.path.display().to_string(), source }
    }

    /// The signed note; `None` where there is no file.
    pub fn read(&self) -> Result<Option<String>, OutsideFault> {
        match fs::read_to_string(&self.path) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Puts `note` in the place of the one before, whole or not at all, and on the disk.
    pub fn write(&self, note: &str) -> Result<(), OutsideFault> {
        let mut fresh = self.path.clone().into_os_string();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&fresh)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)?;
            File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
        };
        written().map_err(|error| self.fault(error))
    }
}
