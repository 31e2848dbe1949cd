//! What may be asked of a connection.

use super::ConnectionKind;
use crate::kernel::OrganizationId;

#[derive(Clone, Debug)]
pub enum ConnectionCommand {
    Configure(ConfigureConnection),
    /// People may sign in by it from now on.
    Enable,
    Disable,
}

/// Puts this connection in place of the one there is.
#[derive(Clone, Debug)]
pub struct ConfigureConnection {
    pub organization_id: OrganizationId,
    pub kind: ConnectionKind,
    /// The provider's name for itself, an address as it writes it.
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// The name of the client's secret, where it has one: never the secret itself.
    pub secret_ref: Option<String>,
    /// Asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Whether a provider on this machine may do without TLS: in development alone.
    pub insecure_loopback: bool,
}
