//! How the people of one organization sign in elsewhere: its connection to an identity provider (A9).
//!
//! There is one connection per organization, in a stream under the organization's id. It names the
//! provider and the client that the provider knows us as; the client's secret stands in no event, only
//! the name under which the operator keeps it. A connection that was changed has to be enabled anew.

mod aggregate;
mod commands;
mod errors;
mod events;
mod issuer;
#[cfg(test)]
mod tests;

pub use aggregate::{Connection, Provider};
pub use commands::{ConfigureConnection, ConnectionCommand};
pub use errors::ConnectionError;
pub use events::{ConnectionConfigured, ConnectionDisabled, ConnectionEnabled, ConnectionEvent};
pub use issuer::{Issuer, MalformedIssuer};

use serde::{Deserialize, Serialize};

/// By which protocol the provider vouches for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// OpenID Connect.
    #[default]
    Oidc,
    /// Known by name and not enabled: configuring it is refused (E-94).
    Saml,
}
