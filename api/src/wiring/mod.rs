//! Puts the house together: the one place that knows the write side and the read side at once.
//!
//! `write_side` makes the engine, `read_side` the pools and what fills the read models, `server`
//! the process that [`Palmares`] runs. The other files are adapters of ports, each over one of them.

mod access_log;
mod bootstrap;
mod internal;
mod keys;
pub(crate) mod log_keys;
mod read_side;
mod server;
mod standing;
mod token_keys;
mod upkeep;
pub mod witnesses;
mod write_side;

pub use read_side::projectors;

use crate::cli::{ServerSettings, System};
use async_trait::async_trait;
use palmares_commands::privacy::{KeyRing, PrivacyError, Rotated};
use palmares_domain::kernel::{OrganizationId, UserId};
use palmares_projections::engine::sealing::Beside;
use std::net::SocketAddr;
use tokio::sync::{oneshot, watch};

/// Keys that do not open, as findings beside the log.
pub async fn altered_keys(ring: &KeyRing) -> Result<Vec<Beside>, PrivacyError> {
    let found = ring.unopenable().await?;
    Ok(found.into_iter().map(|key| Beside::altered_key(key.organization.0, key.subject)).collect())
}

/// Palmares as it runs.
pub struct Palmares;

#[async_trait]
impl System for Palmares {
    async fn bootstrap(&self, settings: &ServerSettings, external_ref: &str) -> anyhow::Result<UserId> {
        bootstrap::bootstrap(settings, external_ref).await
    }

    async fn rotate_epoch(&self, settings: &ServerSettings, organization: OrganizationId) -> anyhow::Result<Rotated> {
        let write_side = write_side::WriteSide::open(settings).await?;
        Ok(write_side.custody.rotate_epoch(organization).await?)
    }

    async fn serve(&self, settings: ServerSettings, ready: oneshot::Sender<SocketAddr>, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        server::serve(settings, ready, stop).await
    }
}
