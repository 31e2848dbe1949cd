//! What seals the log: the key that signs, and the file of the last checkpoint outside the database.

use crate::wiring::witnesses::Witness;
use clap::Args;
use std::path::PathBuf;

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
}

/// How the log is sealed.
#[derive(Clone, Debug)]
pub struct SealingSettings {
    pub key_file: PathBuf,
    pub checkpoint_file: PathBuf,
    /// Who is asked to cosign.
    pub witnesses: Vec<Witness>,
}

impl SealingArgs {
    /// Without a key nothing is sealed; with one, the last checkpoint needs a place.
    pub(super) fn complete(&self, take: impl FnOnce(&Option<PathBuf>, &'static str) -> PathBuf) -> Option<SealingSettings> {
        let given = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let key_file = given(&self.log_key_file)?;
        let checkpoint_file = take(&given(&self.log_checkpoint_file), "PALMARES_LOG_CHECKPOINT_FILE");
        Some(SealingSettings { key_file, checkpoint_file, witnesses: self.log_witnesses.clone() })
    }
}
