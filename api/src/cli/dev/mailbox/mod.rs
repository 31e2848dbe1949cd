//! Where the letters of a development system end up: a mail server and a gateway of text messages that
//! deliver nothing, and a page that shows what they caught.
//!
//! Both listen on loopback only, and only `palmares dev` and tests start them: letters hold links that
//! sign people in.

mod caught;
mod page;
mod server;

pub use caught::{CAUGHT_MAX, Caught, Mail};

use crate::sms::SECRET_FILE;
use anyhow::{Context, anyhow};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{net::TcpListener, task::JoinSet};

/// Addresses of this domain are refused for good (550).
pub const REJECTED_DOMAIN: &str = "reject.test";
/// An address of this domain is put off the first time (451), and accepted after that.
pub const DEFERRED_DOMAIN: &str = "later.test";

/// A mailbox that catches everything; it ends when it is dropped.
pub struct Mailbox {
    /// Where letters are handed in.
    pub smtp: SocketAddr,
    /// Where they are read.
    pub page: SocketAddr,
    pub caught: Arc<Caught>,
    /// By which whoever sends texts is known.
    secret: Arc<str>,
    _tasks: JoinSet<()>,
}

impl Mailbox {
    /// Starts it on free ports.
    pub async fn start() -> anyhow::Result<Self> {
        let caught = Arc::new(Caught::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("a port for the mailbox")?;
        let smtp = listener.local_addr()?;
        let secret: Arc<str> = fresh_secret()?.into();
        let (page, serving) = page::serve(caught.clone(), secret.clone()).context("a port for the page of the mailbox")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(server::accept(listener, caught.clone()));
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::warn!(%error, "the page of the mailbox broke off");
            }
        });
        Ok(Self { smtp, page, caught, secret, _tasks: tasks })
    }

    /// The address of its server, as a setting.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp)
    }

    /// Where texts are handed in.
    pub fn texts_url(&self) -> String {
        format!("http://{}{}", self.page, page::TEXTS)
    }

    /// Writes the secret of the gateway into the folder of secrets.
    pub fn secret_file(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join(SECRET_FILE);
        fs::create_dir_all(folder).context("making the folder of secrets")?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(self.secret.as_bytes()).context("writing the secret of the gateway")?;
        Ok(path)
    }

    pub fn page_url(&self) -> String {
        format!("http://{}", self.page)
    }
}

fn fresh_secret() -> anyhow::Result<String> {
    let mut secret = [0; 16];
    SystemRandom::new().fill(&mut secret).map_err(|_| anyhow!("no randomness"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(secret)))
}

#[cfg(test)]
mod tests;
