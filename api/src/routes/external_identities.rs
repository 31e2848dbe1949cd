//! Accounts elsewhere by which one signs in, as one sees them oneself.

use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
};
use palmares_commands::identity::{AllowExternalIdentities, UnlinkExternalIdentity, external_identity_id, provider_digest};
use palmares_domain::{
    identity::{connection::Connection, credential::Credential},
    kernel::{Admitted, Tenant, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub const ROUTES: &[Route] = &[
    Route::action::<ListExternalIdentities>(Verb::Get, "/me/identities", "identity.self.read_identities"),
    Route::prepared::<UnlinkExternalIdentity, LookedUp>(Verb::Delete, "/me/identities/{identity_id}"),
    Route::post::<AllowExternalIdentities>("/users/{user_id}/identities/allow"),
    Route::post::<AllowExternalIdentities>("/me/identities/allow").alias(),
];

/// Looks up which account it is.
struct LookedUp;

impl Prepare<UnlinkExternalIdentity> for LookedUp {
    type Shown = ();

    async fn prepare(
        operation: UnlinkExternalIdentity,
        tenant: Tenant,
        services: &Services,
    ) -> Result<(UnlinkExternalIdentity, ()), Problem> {
        let user = operation.user_id;
        let found = services.engine.look(tenant.organization(), user, |credential: &Credential| operation.found_in(credential)).await?;
        Ok((found, ()))
    }
}

/// The accounts, at identity providers, that sign one in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListExternalIdentities {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
}

#[derive(Serialize, ToSchema)]
pub struct ExternalIdentityList {
    pub items: Vec<ExternalIdentityShown>,
}

/// An account at an identity provider.
#[derive(Serialize, ToSchema)]
pub struct ExternalIdentityShown {
    pub id: Uuid,
    /// What the provider calls one.
    pub subject: String,
    /// The provider's name for itself; missing where the organization has gone to another since then.
    pub issuer: Option<String>,
    /// Whether one can sign in by it at present.
    pub enabled: bool,
}

impl Action for ListExternalIdentities {
    type Output = ExternalIdentityList;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<ExternalIdentityList, Problem> {
        let (organization, user) = (admitted.admission().organization, admitted.admission().actor);
        let connection: Connection = services.engine.state(organization, organization).await?;
        let current = connection.provider().map(|provider| (provider_digest(&provider.issuer, &provider.client_id), provider));
        let shown = |credential: &Credential| {
            let shown = credential.external_identities().map(|(digest, subject)| {
                let provider = current.filter(|(current, _)| *current == digest).map(|(_, provider)| provider);
                ExternalIdentityShown {
                    id: external_identity_id(digest),
                    subject: subject.to_owned(),
                    issuer: provider.map(|provider| provider.issuer.to_string()),
                    enabled: provider.is_some_and(|provider| provider.enabled),
                }
            });
            shown.collect()
        };
        Ok(ExternalIdentityList { items: services.engine.look(organization, user, shown).await? })
    }
}
