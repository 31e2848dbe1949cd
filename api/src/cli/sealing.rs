//! What seals the log: the key that signs, and the file of the last checkpoint outside the database.

use crate::wiring::witnesses::Witness;
use clap::Args;
use std::{path::PathBuf, time::Duration};

/// How the log is sealed, as it was given.
#[derive(Args, Clone, Default)]
pub struct SealingArgs {
    /// File with the Ed25519 keys of the log: the first private one signs checkpoints
    #[arg(long, env = "PALMARES_LOG_KEY_FILE")]
    pub log_key_file: Option<PathBuf>,
    /// File of the last signed checkpoint, outside the database
    #[arg(long, env = "PALMARES_LOG_CHECKPOINT_FILE")]
    pub log_checkpoint_file: Option<PathBuf>,
    /// Witnesses of the log, each as name+id+key@https://submission.prefix
    #[arg(long, env = "PALMARES_LOG_WITNESSES", value_delimiter = ',')]
    pub log_witnesses: Vec<Witness>,
    /// Hours after which the whole log is read again and compared with what was signed; 0 for never
    #[arg(long, env = "PALMARES_LOG_VERIFY_HOURS", default_value_t = VERIFY_HOURS)]
    pub log_verify_hours: u32,
}

/// How often the whole log is read again unless it is told otherwise.
const VERIFY_HOURS: u32 = 24;

/// How the log is sealed.
#[derive(Clone, Debug)]
pub struct SealingSettings {
    pub key_file: PathBuf,
    pub checkpoint_file: PathBuf,
    /// Who is asked to cosign.
    pub witnesses: Vec<Witness>,
    /// How often the whole log is read again, if it is.
    pub verify_every: Option<Duration>,
}

impl SealingArgs {
    /// Without a key nothing is sealed; with one, the last checkpoint needs a place.
    pub(super) fn complete(&self, take: impl FnOnce(&Option<PathBuf>, &'static str) -> PathBuf) -> Option<SealingSettings> {
        let given = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let key_file = given(&self.log_key_file)?;
        let checkpoint_file = take(&given(&self.log_checkpoint_file), "PALMARES_LOG_CHECKPOINT_FILE");
        Some(SealingSettings {
            key_file,
            checkpoint_file,
            witnesses: self.log_witnesses.clone(),
            verify_every: hours(self.log_verify_hours),
        })
    }
}

/// So many hours, unless it is none.
pub fn hours(hours: u32) -> Option<Duration> {
    (hours > 0).then(|| Duration::from_secs(u64::from(hours) * 3_600))
}
