//! Organizations: their life cycle, their settings, their set-up and their domains.

use crate::{
    pipeline::{Route, Services, command::Prepare, route::Verb},
    problem::Problem,
};
use palmares_commands::organizations::{
    ActivateOrganization, ChangeSettings, ClaimDomain, CompleteSetupStep, CreateOrganization, ReleaseDomain, RenameOrganization,
    ResumeOrganization, RetryProvisioning, SetAutoJoin, SuspendOrganization, VerifyDomain,
};
use palmares_domain::{
    kernel::Tenant,
    organizations::domain::{Challenge, Domain, domain_id},
};
use palmares_projections::organizations::{
    directory::{GetOnboarding, GetOrganization, GetSettings, ListOrganizations},
    domains::ListDomains,
    provisioning::GetProvisioning,
};

const ORGANIZATIONS: &str = "/organizations";

pub const ROUTES: &[Route] = &[
    Route::post::<CreateOrganization>("/organizations").creating(ORGANIZATIONS, "id"),
    Route::patch::<RenameOrganization>("/organizations/{organization_id}"),
    Route::post::<SuspendOrganization>("/organizations/{organization_id}/suspend"),
    Route::post::<ResumeOrganization>("/organizations/{organization_id}/resume"),
    Route::get::<ListOrganizations>("/organizations", "organizations.organization.read"),
    Route::get::<GetOrganization>("/organizations/{organization_id}", "organizations.organization.read"),
    Route::get::<GetSettings>("/organizations/{organization_id}/settings", "organizations.settings.read"),
    Route::patch::<ChangeSettings>("/organizations/{organization_id}/settings"),
    Route::get::<GetOnboarding>("/organizations/{organization_id}/onboarding", "organizations.setup.read"),
    Route::post::<CompleteSetupStep>("/organizations/{organization_id}/onboarding/{step}/complete"),
    Route::get::<GetProvisioning>("/organizations/{organization_id}/provisioning", "organizations.provisioning.read"),
    Route::post::<RetryProvisioning>("/organizations/{organization_id}/provisioning/retry"),
    Route::post::<ActivateOrganization>("/organizations/{organization_id}/activate"),
    Route::get::<ListDomains>("/organizations/{organization_id}/domains", "organizations.domain.read"),
    Route::post::<ClaimDomain>("/organizations/{organization_id}/domains"),
    Route::prepared::<VerifyDomain, ChallengeLookedUp>(Verb::Post, "/organizations/{organization_id}/domains/{domain}/verify"),
    Route::put::<SetAutoJoin>("/organizations/{organization_id}/domains/{domain}/auto-join"),
    Route::delete::<ReleaseDomain>("/organizations/{organization_id}/domains/{domain}"),
];

/// Looks up what is published under the name of the challenge, because a decision asks nobody.
struct ChallengeLookedUp;

impl Prepare<VerifyDomain> for ChallengeLookedUp {
    type Shown = ();

    async fn prepare(mut operation: VerifyDomain, tenant: Tenant, services: &Services) -> Result<(VerifyDomain, ()), Problem> {
        let organization = tenant.organization();
        let awaits = |found: &Domain| found.claimed().is_some() && !found.is_verified();
        // Only for what is claimed and not proven: the DNS is not asked for whatever name comes along.
        if services.engine.look(organization, domain_id(organization, &operation.domain), awaits).await? {
            let challenge = Challenge::of(organization, &operation.domain);
            operation.records = services.dns.txt(&challenge.name).await.map_err(Problem::unavailable)?;
        }
        Ok((operation, ()))
    }
}
