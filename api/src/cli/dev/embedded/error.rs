//! What can go wrong with the embedded servers: one line each, which says what to do.

use std::{io, path::PathBuf};

/// A `cause` stands in the sentence; the cause of `Database` follows it, as the command line prints it.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error("{program} {wanted} was not found: {advice}")]
    MissingProgram { program: &'static str, wanted: String, advice: String },

    #[error("cannot use the data folder {path}: {cause}; choose another one with --data-dir")]
    FolderUnusable { path: PathBuf, cause: io::Error },

    #[error("{0} holds other files and is no data folder of Palmares; choose an empty or a new one with --data-dir")]
    FolderForeign(PathBuf),

    #[error("the data folder {path} is damaged ({detail}); restore it from a copy or choose another one with --data-dir")]
    FolderDamaged { path: PathBuf, detail: String },

    #[error("another palmares{holder} already uses the data folder {path}; stop it or choose another one with --data-dir")]
    FolderLocked { path: PathBuf, holder: String },

    #[error("{path} belongs to another user (uid {owner}); run as that user or choose another one with --data-dir")]
    FolderOfAnother { path: PathBuf, owner: u32 },

    #[error(
        "{barrier} may not be passed by the unprivileged user that PostgreSQL runs as when started by root; \
         choose a folder elsewhere with --data-dir or run `chmod o+x {barrier}`"
    )]
    FolderUnreachable { barrier: PathBuf },

    #[error("PostgreSQL refuses to run as root and there is neither a user `postgres` nor `nobody` here; run palmares as an ordinary user")]
    NoUnprivilegedUser,

    #[error("no free port was found on 127.0.0.1 between 20000 and 32000")]
    NoFreePort,

    #[error("{program} could not be started: {detail} (its log: {log})")]
    NotStarted { program: &'static str, detail: String, log: PathBuf },

    #[error("{program} did not become ready within {seconds} s: {detail} (its log: {log})")]
    NotReady { program: &'static str, seconds: u64, detail: String, log: PathBuf },

    #[error("the embedded database could not be prepared")]
    Database(#[from] sqlx::Error),

    #[error("{doing}: {cause}")]
    Io { doing: String, cause: io::Error },
}

impl EmbeddedError {
    /// For `map_err`: what was being done when the system refused.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { doing: doing.into(), cause }
    }
}
