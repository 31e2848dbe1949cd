//! `palmares keys FOLDER`: the keys of a new system. Made once, never replaced.

use super::output::Reporter;
use anyhow::{Context, bail};
use palmares_commands::privacy::MasterKey;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
pub struct KeysArgs {
    /// Folder for the keys; keep a copy of it, apart from the copies of the database
    folder: PathBuf,
}

/// Where the keys of a system are.
pub struct KeyFiles {
    pub master: PathBuf,
    pub epochs: PathBuf,
    pub jwt: PathBuf,
}

impl KeyFiles {
    /// Finds the keys, and makes those of a new system.
    pub fn ensure(folder: &Path) -> anyhow::Result<Self> {
        let files = Self { master: folder.join("master.key"), epochs: folder.join("epochs"), jwt: folder.join("jwt.pem") };
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
        Ok(files)
    }
}

pub fn run(args: &KeysArgs, reporter: &Reporter) -> anyhow::Result<()> {
    let files = KeyFiles::ensure(&args.folder)?;
    let (master, epochs, jwt) = (files.master.display(), files.epochs.display(), files.jwt.display());
    let sentence = format!("PALMARES_MASTER_KEY_FILE={master}\nPALMARES_KEY_DIR={epochs}\nPALMARES_JWT_KEY_FILE={jwt}");
    reporter
        .say(&sentence, || json!({ "event": "keys", "master_key_file": files.master, "key_dir": files.epochs, "jwt_key_file": files.jwt }));
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
