//! Where keys are: in files that the master key seals, or in Vault.

use super::{Missing, given};
use anyhow::Context;
use clap::Args;
use palmares_commands::{
    privacy::{KeyStore, MasterKey, VaultKeyStore, VaultSettings, key_store::SealedFileKeyStore},
    store::postgres::VoucherKey,
};
use std::{path::PathBuf, sync::Arc};

/// The key store, as it was given.
#[derive(Args, Clone, Default)]
pub struct KeyStoreArgs {
    /// File with the master key
    #[arg(long, env = "PALMARES_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Folder of the key store
    #[arg(long, env = "PALMARES_KEY_DIR")]
    pub key_dir: Option<PathBuf>,
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// The key store.
#[derive(Clone, Debug)]
pub enum KeyStoreSettings {
    Files { master_key: PathBuf, folder: PathBuf },
    Vault(VaultSettings),
}

impl KeyStoreArgs {
    /// The key store, for a command that needs nothing else of the server.
    ///
    /// # Errors
    /// What is missing, and a store that cannot be opened.
    pub fn open(&self) -> anyhow::Result<Arc<dyn KeyStore>> {
        let mut missing = Missing::default();
        let settings = self.complete(&mut missing);
        missing.none()?;
        settings.open()
    }

    /// The key store, where one was named.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_if_given(&self) -> anyhow::Result<Option<Arc<dyn KeyStore>>> {
        let is_given = self.master_key_file.is_some() || self.key_dir.is_some() || given(&self.vault.address).is_some();
        is_given.then(|| self.open()).transpose()
    }

    /// The key that vouches for events, for a command that writes or judges them.
    ///
    /// # Errors
    /// As [`open`](Self::open), and a store that does not answer.
    pub async fn voucher_key(&self) -> anyhow::Result<VoucherKey> {
        VoucherKey::of(self.open()?.as_ref()).await.context("reading the key that vouches for events")
    }

    pub(super) fn complete(&self, missing: &mut Missing) -> KeyStoreSettings {
        match self.vault.settings(missing) {
            Some(vault) => KeyStoreSettings::Vault(vault),
            // An address that is none is missing already.
            None if given(&self.vault.address).is_some() => KeyStoreSettings::Files { master_key: PathBuf::new(), folder: PathBuf::new() },
            None => KeyStoreSettings::Files {
                master_key: missing.take(&self.master_key_file, "PALMARES_MASTER_KEY_FILE"),
                folder: missing.take(&self.key_dir, "PALMARES_KEY_DIR"),
            },
        }
    }
}

impl KeyStoreSettings {
    /// # Errors
    /// Files that are not there or not of this master key, and an address of Vault that cannot be used.
    pub fn open(&self) -> anyhow::Result<Arc<dyn KeyStore>> {
        Ok(match self {
            KeyStoreSettings::Vault(vault) => Arc::new(VaultKeyStore::new(vault.clone())?),
            KeyStoreSettings::Files { master_key, folder } => Arc::new(SealedFileKeyStore::open(folder, &MasterKey::read(master_key)?)?),
        })
    }
}

/// Where Vault is. Nothing of it is needed where keys stand in files.
#[derive(Args, Clone, Default)]
pub struct VaultArgs {
    /// HashiCorp Vault, or what speaks as it does, in place of the master key and its folder
    #[arg(long = "vault-addr", env = "PALMARES_VAULT_ADDR")]
    pub address: Option<String>,
    /// File with its token, read again for each request
    #[arg(long = "vault-token-file", env = "PALMARES_VAULT_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Where its transit engine is mounted
    #[arg(long = "vault-mount", env = "PALMARES_VAULT_MOUNT", default_value = "transit")]
    pub mount: String,
    /// What the names of its keys begin with
    #[arg(long = "vault-prefix", env = "PALMARES_VAULT_PREFIX", default_value = "palmares")]
    pub prefix: String,
}

impl VaultArgs {
    /// An address needs a token, and has to be one.
    pub(super) fn settings(&self, missing: &mut Missing) -> Option<VaultSettings> {
        let address = given(&self.address)?;
        let token_file = missing.take(&self.token_file, "PALMARES_VAULT_TOKEN_FILE");
        match address.parse() {
            Ok(address) => Some(VaultSettings { address, token_file, mount: self.mount.clone(), prefix: self.prefix.clone() }),
            Err(_) => {
                missing.take::<String>(&None, "PALMARES_VAULT_ADDR (an address such as https://vault:8200)");
                None
            }
        }
    }
}
