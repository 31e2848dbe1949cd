//! How other servers are asked: clients with the habits of the house, of which a caller says only what is its own.
//!
//! None follows a redirect, which could lead where nobody looked whether we may go, or take a secret
//! elsewhere, and none waits for ever. TLS is that of the process, with the certificates of the machine.

mod public;

use public::PublicOnly;
use reqwest::{Client, ClientBuilder, Response, Url, redirect::Policy};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Whoever cannot be reached by then is away.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A client that is being made.
#[must_use]
pub struct Outbound(ClientBuilder);

/// Why an answer was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum AnswerFault {
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
}

impl Outbound {
    /// A client whose requests take this long at most, their answers included.
    pub fn within(patience: Duration) -> Self {
        Self(Client::builder().redirect(Policy::none()).timeout(patience).connect_timeout(CONNECT_PATIENCE.min(patience)))
    }

    /// Keeps no connection for another request: a server that closes one just as it is used again would fail a
    /// request that cannot be made twice.
    pub fn keeping_no_connection(self) -> Self {
        Self(self.0.pool_max_idle_per_host(0))
    }

    /// Connects to public addresses only, for whatever a name resolves to, where an organization says whom to
    /// ask; with `loopback` to this machine too, which is for development alone.
    ///
    /// An address that stands in the URL is not resolved: whoever takes URLs from organizations asks for names.
    /// No proxy of the environment is asked, which would resolve names by itself.
    pub fn to_public_addresses(self, loopback: bool) -> Self {
        Self(self.0.dns_resolver(Arc::new(PublicOnly { loopback })).no_proxy())
    }

    /// # Errors
    /// Certificates of the machine that cannot be read.
    pub fn build(self) -> reqwest::Result<Client> {
        self.0.build()
    }
}

/// An address over which a secret would go in clear, or none at all.
#[derive(Debug, thiserror::Error)]
#[error("a secret goes by https only")]
pub struct NotConfidential;

/// The address, if what is sent there cannot be read on the way: by https, or on this machine.
///
/// # Errors
/// Any other, and what is none.
pub fn confidential(address: &str) -> Result<Url, NotConfidential> {
    let url: Url = address.parse().map_err(|_| NotConfidential)?;
    let loopback = url.host_str().is_some_and(|host| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()));
    if url.scheme() == "https" || url.scheme() == "http" && loopback { Ok(url) } else { Err(NotConfidential) }
}

/// The body of an answer, unless it is longer than anybody needs.
///
/// # Errors
/// An answer that is too long or breaks off.
pub async fn body(mut answer: Response, max_bytes: usize) -> Result<Vec<u8>, AnswerFault> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            return Err(AnswerFault::TooLong(max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
