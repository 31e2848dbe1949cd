//! What the command line needs of the running system; `wiring` provides it.

use super::settings::ServerSettings;
use async_trait::async_trait;
use palmares_commands::privacy::Rotated;
use palmares_domain::kernel::{OrganizationId, UserId};
use std::net::SocketAddr;
use tokio::sync::{oneshot, watch};

/// The system behind the commands. A port, so that starting and stopping can be tested without one.
#[async_trait]
pub trait System: Send + Sync {
    /// Makes the platform's own organization and its first administrator, who has this external
    /// reference, and says who that is. Repeating it changes nothing and gives the same answer.
    /// Everyone else is created through the API by this administrator.
    async fn bootstrap(&self, settings: &ServerSettings, external_ref: &str) -> anyhow::Result<UserId>;

    /// Wraps the data keys of an organization under a new epoch key and destroys the old ones.
    async fn rotate_epoch(&self, settings: &ServerSettings, organization: OrganizationId) -> anyhow::Result<Rotated>;

    /// Runs the parts that `settings.role` names until `stop` turns true, then ends in order:
    /// requests in flight are answered, the committer's queue is drained.
    /// `ready` is told the address once requests are answered.
    async fn serve(&self, settings: ServerSettings, ready: oneshot::Sender<SocketAddr>, stop: watch::Receiver<bool>) -> anyhow::Result<()>;
}
