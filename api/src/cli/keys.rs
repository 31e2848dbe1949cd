//! `palmares keys FOLDER`: the keys of a new system, made once; and `palmares keys rotate`, which
//! changes the one that signs tokens while servers go on. [`epochs`] changes those that wrap data keys.

mod epochs;

use super::{output::Reporter, system::System, token};
use crate::pipeline::key_file::KeyFile;
use anyhow::{Context, bail};
use chrono::{TimeDelta, Utc};
use palmares_commands::privacy::MasterKey;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct KeysArgs {
    /// Folder for the keys; keep a copy of it, apart from the copies of the database
    #[arg(required = true)]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<KeysCommand>,
}

#[derive(clap::Subcommand)]
enum KeysCommand {
    /// Change the key that signs tokens, or the one of the log: publish a fresh one, then --promote it, then --retire the old one
    Rotate(RotateArgs),
    /// Wrap the data keys of an organization anew and destroy the old epoch, so that no older backup opens
    RotateEpoch(Box<epochs::RotateEpochArgs>),
}

#[derive(clap::Args)]
struct RotateArgs {
    /// File with the keys of tokens, or with those of the log
    #[arg(long, env = "PALMARES_JWT_KEY_FILE")]
    key_file: PathBuf,
    /// Let the key that was published sign; those before it only verify
    #[arg(long)]
    promote: bool,
    /// Promote a key that was published a moment ago, though some server may not know it yet
    #[arg(long, requires = "promote")]
    at_once: bool,
    /// Drop the keys that only verify
    #[arg(long, conflicts_with = "promote")]
    retire: bool,
    /// Which of them: those that have only verified for this long, in seconds or with s, m, h or d. No
    /// token, session or invitation is good for longer than the 30 days that count unless told otherwise
    #[arg(long, requires = "retire", default_value = "30d", value_parser = parse_age)]
    older_than: TimeDelta,
}

fn parse_age(text: &str) -> Result<TimeDelta, String> {
    let age = token::seconds(text).and_then(|seconds| TimeDelta::try_seconds(seconds.try_into().ok()?));
    age.ok_or_else(|| "a number with s, m, h or d".to_owned())
}

/// Where the keys of a system are.
pub struct KeyFiles {
    pub master: PathBuf,
    pub epochs: PathBuf,
    pub jwt: PathBuf,
    /// Signs the log.
    pub log: PathBuf,
}

impl KeyFiles {
    /// Finds the keys, and makes those of a new system.
    pub fn ensure(folder: &Path) -> anyhow::Result<Self> {
        let files = Self {
            master: folder.join("master.key"),
            epochs: folder.join("epochs"),
            jwt: folder.join("jwt.pem"),
            log: folder.join("log.pem"),
        };
        if !files.master.exists() {
            // A new master key would open nothing of what is sealed, and look like the loss of every key.
            if fs::read_dir(&files.epochs).is_ok_and(|mut entries| entries.next().is_some()) {
                bail!(
                    "{} is missing while {} has keys that it sealed: restore it from a copy",
                    files.master.display(),
                    files.epochs.display()
                );
            }
            MasterKey::create(&files.master).context("making the master key")?;
        }
        make_private_folder(&files.epochs).context("making the folder of the key store")?;
        crate::pipeline::keys::load_or_create_pem(&files.jwt).context("making the key that signs tokens")?;
        crate::pipeline::keys::load_or_create_pem(&files.log).context("making the key that signs the log")?;
        Ok(files)
    }
}

pub async fn run(args: &KeysArgs, system: &dyn System, reporter: &Reporter) -> anyhow::Result<()> {
    match (&args.command, &args.folder) {
        (Some(KeysCommand::RotateEpoch(args)), _) => epochs::rotate(args, system, reporter).await,
        (Some(KeysCommand::Rotate(args)), _) => rotate(args, reporter),
        (None, Some(folder)) => make(folder, reporter),
        (None, None) => bail!("name the folder of the keys"),
    }
}

/// Takes one step of a rotation. Servers see it within seconds.
fn rotate(args: &RotateArgs, reporter: &Reporter) -> anyhow::Result<()> {
    let mut file = KeyFile::read(&args.key_file)?;
    let now = Utc::now();
    let (step, sentence) = match (args.promote, args.retire) {
        (true, _) => ("promoted", format!("{} signs from now on.", file.promote(now, args.at_once)?)),
        (_, true) => ("retired", format!("{} verifies nothing any more.", file.retire(now, args.older_than)?.join(", "))),
        _ => ("published", format!("{} is published; in a minute, let it sign with --promote.", file.publish(now)?)),
    };
    file.write()?;
    reporter.say(&sentence, || json!({ "event": "key_rotation", "step": step, "key_file": args.key_file, "keys": file.ids() }));
    Ok(())
}

fn make(folder: &Path, reporter: &Reporter) -> anyhow::Result<()> {
    let files = KeyFiles::ensure(folder)?;
    let (master, epochs, jwt, log) = (files.master.display(), files.epochs.display(), files.jwt.display(), files.log.display());
    let sentence =
        format!("PALMARES_MASTER_KEY_FILE={master}\nPALMARES_KEY_DIR={epochs}\nPALMARES_JWT_KEY_FILE={jwt}\nPALMARES_LOG_KEY_FILE={log}");
    reporter
        .say(&sentence, || json!({ "event": "keys", "master_key_file": files.master, "key_dir": files.epochs, "jwt_key_file": files.jwt, "log_key_file": files.log }));
    Ok(())
}

fn make_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_a_lost_master_key_is_not_replaced() {
        let folder = std::env::temp_dir().join(format!("palmares-keys-{}", std::process::id()));
        let files = KeyFiles::ensure(&folder).expect("new keys");
        let before = [&files.master, &files.jwt].map(|path| fs::read(path).expect("a key"));
        KeyFiles::ensure(&folder).expect("the same keys");
        assert_eq!(before, [&files.master, &files.jwt].map(|path| fs::read(path).expect("a key")));

        fs::write(files.epochs.join("sealed"), "x").expect("a file of the key store");
        fs::remove_file(&files.master).expect("remove");
        let error = KeyFiles::ensure(&folder).err().expect("refused").to_string();
        assert!(error.contains("restore"), "{error}");
        fs::remove_dir_all(&folder).expect("remove");
    }
}
