//! Vault as key store, in place of the master key and its folder.

use super::{Missing, given};
use clap::Args;
use palmares_commands::privacy::VaultSettings;
use std::path::PathBuf;

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
