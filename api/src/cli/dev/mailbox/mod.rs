//! Where the letters of a development system end up: a mail server that delivers nothing, and a page
//! that shows what it caught.
//!
//! Both listen on loopback only, and only `palmares dev` and tests start them: letters hold links that
//! sign people in.

mod caught;
mod page;
mod server;

pub use caught::{CAUGHT_MAX, Caught, Mail};

use anyhow::Context;
use std::{
    net::{Ipv4Addr, SocketAddr},
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
    _tasks: JoinSet<()>,
}

impl Mailbox {
    /// Starts it on free ports.
    pub async fn start() -> anyhow::Result<Self> {
        let caught = Arc::new(Caught::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("a port for the mailbox")?;
        let smtp = listener.local_addr()?;
        let (page, serving) = page::serve(caught.clone()).context("a port for the page of the mailbox")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(server::accept(listener, caught.clone()));
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::warn!(%error, "the page of the mailbox broke off");
            }
        });
        Ok(Self { smtp, page, caught, _tasks: tasks })
    }

    /// The address of its server, as a setting.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp)
    }

    pub fn page_url(&self) -> String {
        format!("http://{}", self.page)
    }
}

#[cfg(test)]
mod tests;
