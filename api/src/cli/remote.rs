//! Which Palmares a command talks to: named by flags or the environment, else the one that
//! `palmares dev` runs on this machine.

use super::{
    client::ApiClient,
    dev::{self, Descriptor, Tokens},
};
use anyhow::Context;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct RemoteArgs {
    /// Address of Palmares; without it, that of `palmares dev` on this machine
    #[arg(long, env = "PALMARES_URL")]
    url: Option<String>,
    /// Token; without it, that of `palmares dev` on this machine
    #[arg(long, env = "PALMARES_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data folder of `palmares dev`
    #[arg(long, env = "PALMARES_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

impl RemoteArgs {
    /// A client; `role` chooses among the tokens of the development system.
    pub fn client(&self, role: fn(&Tokens) -> &String) -> anyhow::Result<ApiClient> {
        if let (Some(url), Some(token)) = (&self.url, &self.token) {
            return Ok(ApiClient::new(url, token)?);
        }
        let folder = self.data_dir.clone().unwrap_or_else(dev::default_data_dir);
        let found = Descriptor::read(&folder).with_context(|| {
            format!("give --url and --token: no `palmares dev` has left its {} in {}", dev::DESCRIPTOR, folder.display())
        })?;
        let url = self.url.as_ref().unwrap_or(&found.base_url);
        Ok(ApiClient::new(url, self.token.as_ref().unwrap_or_else(|| role(&found.tokens)))?)
    }
}
