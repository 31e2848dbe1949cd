//! Identity connections: by which provider the people of an organization sign in.

use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
};
use palmares_commands::identity::{ConfigureConnection, DisableConnection, EnableConnection};
use palmares_domain::{
    identity::connection::{Connection, ConnectionKind, Provider},
    kernel::{Admitted, Code, OrganizationId, Tenant},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::prepared::<ConfigureConnection, AsSet>(Verb::Put, "/organizations/{organization_id}/identity-connection"),
    Route::post::<EnableConnection>("/organizations/{organization_id}/identity-connection/enable"),
    Route::post::<DisableConnection>("/organizations/{organization_id}/identity-connection/disable"),
    Route::action::<GetConnection>(Verb::Get, "/organizations/{organization_id}/identity-connection", "identity.connection.read"),
];

/// Says whether providers on this machine may do without TLS.
struct AsSet;

impl Prepare<ConfigureConnection> for AsSet {
    type Shown = ();

    async fn prepare(operation: ConfigureConnection, _: Tenant, services: &Services) -> Result<(ConfigureConnection, ()), Problem> {
        let insecure_loopback = services.desk.federation.insecure_loopback();
        Ok((ConfigureConnection { insecure_loopback, ..operation }, ()))
    }
}

/// The connection of an organization to its identity provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetConnection {
    #[schema(value_type = Uuid)]
    pub organization_id: OrganizationId,
}

/// By which provider people sign in. The client's secret is told to nobody.
#[derive(Serialize, ToSchema)]
pub struct ConnectionShown {
    #[schema(value_type = Uuid)]
    pub organization_id: OrganizationId,
    pub kind: ConnectionKind,
    pub issuer: String,
    pub client_id: String,
    /// The name under which the operator keeps the client's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<String>,
    pub scopes: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub status: &'static str,
}

impl From<Provider> for ConnectionShown {
    fn from(provider: Provider) -> Self {
        let Provider { organization_id, kind, issuer, client_id, secret_ref, scopes, enabled } = provider;
        let status = if enabled { "ENABLED" } else { "DISABLED" };
        Self { organization_id, kind, issuer: issuer.to_string(), client_id, secret_ref, scopes, status }
    }
}

impl Action for GetConnection {
    type Output = ConnectionShown;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<ConnectionShown, Problem> {
        // The gate lets nobody name another organization than the one in which they act.
        let organization = admitted.admission().organization;
        let connection = services.engine.state::<Connection>(organization, organization).await?;
        let provider = connection.provider().cloned();
        provider.map(Into::into).ok_or_else(|| Problem::new(Code::ResourceNotFound, "identity.connection_not_found"))
    }
}
