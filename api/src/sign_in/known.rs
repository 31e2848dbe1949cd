//! What others know of somebody: their address and names, and what their organization is called.

use crate::{pipeline::Services, problem::Problem};
use palmares_domain::{
    identity::user::{PersonName, User},
    kernel::{OrganizationId, Tenant, UserId},
    organizations::organization::Organization,
};
use palmares_projections::identity::directory::own_names;

/// What an organization is called.
pub struct OrganizationNames {
    pub name: String,
    pub slug: String,
}

impl OrganizationNames {
    pub async fn of(services: &Services, organization: OrganizationId) -> Result<Self, Problem> {
        let names = |found: &Organization| found.profile().map(|profile| (profile.name.clone(), profile.slug.clone())).unwrap_or_default();
        let (name, slug) = services.engine.look(organization, organization, names).await?;
        Ok(Self { name, slug })
    }
}

/// What is known of a user of an organization.
pub struct Known {
    pub organization: OrganizationNames,
    user: UserId,
    email: Option<String>,
    names: Vec<String>,
}

impl Known {
    /// Looks it up; of somebody who is not there, or was erased, it is what the organization is called.
    pub async fn of(services: &Services, tenant: Tenant, user: UserId) -> Result<Self, Problem> {
        let organization = tenant.organization();
        let has = |user: &User| user.profile().map(|profile| profile.names.clone()).unwrap_or_default();
        let has = services.engine.look(organization, user, has).await?;
        let mut reader = services.readers.open(tenant, None).await?;
        let mut own = own_names(&mut reader, user).await?;
        drop(reader);
        own.names.retain(|name, _| has.contains(name));
        let display_name = own.names.remove(&PersonName::DisplayName);
        let names = display_name.into_iter().chain(own.names.into_values()).collect();
        Ok(Self { organization: OrganizationNames::of(services, organization).await?, user, email: own.email, names })
    }

    /// What nobody has to guess.
    pub fn words(&self) -> Vec<&str> {
        let OrganizationNames { name, slug } = &self.organization;
        self.email.iter().chain(&self.names).chain([name, slug]).map(String::as_str).collect()
    }

    /// What the user's account is called among those of an authenticator.
    pub fn account(&self) -> String {
        self.email.clone().or_else(|| self.names.first().cloned()).unwrap_or_else(|| self.user.to_string())
    }
}
