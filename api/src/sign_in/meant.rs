//! Who is meant by an organization's short name and an e-mail address.

use crate::{pipeline::Services, problem::Problem};
use palmares_commands::organizations::slug_claim;
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP,
        credential::Credential,
        email_key,
        user::{User, UserStatus},
    },
    kernel::{OrganizationId, UserId, derive_uuid},
    organizations::organization::Organization,
};

/// Somebody who may be there or not. Those who are not have ids as well, under which nothing is
/// found, so that looking them up takes the same steps.
#[derive(Clone, Debug)]
pub struct Meant {
    pub organization: OrganizationId,
    pub user: UserId,
}

/// What stands about them, as far as signing in needs it.
#[derive(Clone, Default)]
pub struct Found {
    pub status: Option<UserStatus>,
    pub organization_active: bool,
    pub credential: Credential,
}

impl Found {
    /// Whether the user may act.
    pub fn may_act(&self) -> bool {
        self.organization_active && self.status == Some(UserStatus::Active)
    }
}

/// Finds out who is meant.
pub async fn meant(services: &Services, organization: &str, email: &str) -> Result<Meant, Problem> {
    let engine = &services.engine;
    let email = email_key(email);
    let known = engine.owner(slug_claim(organization)).await?.map(OrganizationId);
    // Every organization has keys of its own, and a stranger's guess is no reason to make some. So
    // the address at an unknown one is hashed under the platform's, together with the guess.
    let (keys_of, value) = known.map_or((OrganizationId::PLATFORM, format!("{organization}\n{email}")), |known| (known, email.clone()));
    let holder = engine.holder(keys_of, EMAIL_LOOKUP, &value).await?;
    let organization = known.unwrap_or_else(|| OrganizationId(derive_uuid("nobodys-organization", &[organization.as_bytes()])));
    let user = UserId(holder.unwrap_or_else(|| derive_uuid("nobody", &[organization.0.as_bytes(), email.as_bytes()])));
    Ok(Meant { organization, user })
}

/// Looks up what stands about them.
pub async fn found(services: &Services, meant: &Meant) -> Result<Found, Problem> {
    let engine = &services.engine;
    let Meant { organization, user } = *meant;
    let status = engine.look(organization, user, |user: &User| user.profile().map(|profile| profile.status)).await?;
    let organization_active = engine.look(organization, organization, Organization::is_active).await?;
    let credential = engine.state::<Credential>(organization, user).await?;
    Ok(Found { status, organization_active, credential })
}
