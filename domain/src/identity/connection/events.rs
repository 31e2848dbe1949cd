//! What happens to a connection.

use super::{ConnectionKind, Issuer};
use crate::{events, kernel::OrganizationId};

events! {
    /// What happens to the connection of an organization. A client's secret is no part of it.
    pub enum ConnectionEvent {
        ConnectionConfigured = "identity.connection_configured" v 1 {
            organization_id: OrganizationId = internal,
            kind: ConnectionKind = internal,
            issuer: Issuer = internal,
            client_id: String = internal,
            /// The name under which the operator keeps the client's secret.
            secret_ref: Option<String> = internal,
            scopes: Vec<String> = internal,
        },
        ConnectionEnabled = "identity.connection_enabled" v 1 {
            organization_id: OrganizationId = internal,
        },
        ConnectionDisabled = "identity.connection_disabled" v 1 {
            organization_id: OrganizationId = internal,
        }
    }
}
