//! Organizations: create them, set them up, move them through their life cycle (B.2), and prove their domains.

mod domains;
mod provisioning;
mod settings;
mod setup;

pub use domains::{ClaimDomain, ReleaseDomain, SetAutoJoin, VerifyDomain, domain_claim, domain_stream, proven_domain};
pub use provisioning::{RecordProvisioning, RetryProvisioning};
pub use settings::{BrandingPatch, CHANGE_PLATFORM_SETTINGS, ChangeSettings, RenameOrganization};
pub use setup::{ActivateOrganization, CompleteSetupStep, ExpireSetup, ObserveSetupStep};

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use crate::store::ClaimKey;
use palmares_domain::{
    kernel::{Admission, Code, FieldError, OrganizationId, derive_uuid},
    organizations::{
        Locale,
        organization::{self, Organization, OrganizationCommand},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    CreateOrganization => permit "organizations.organization.create", throttle Write;
    SuspendOrganization => permit "organizations.organization.suspend", throttle Write;
    ResumeOrganization => permit "organizations.organization.resume", throttle Write;
}

/// An organization's stream lives in its own tenant, whoever creates it.
fn own_stream(organization: OrganizationId) -> StreamRef {
    StreamRef::of::<Organization>(organization, organization)
}

/// Creates an organization: active at once, or to be set up first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganization {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The short name in addresses, unique over the platform.
    #[schema(min_length = 2, max_length = 63)]
    pub slug: String,
    #[serde(default)]
    pub default_locale: Locale,
    /// Whether it is to be set up before it is active (E-123).
    #[serde(default)]
    pub setup: bool,
}

impl CreateOrganization {
    fn id(admission: &Admission) -> OrganizationId {
        OrganizationId(new_id(admission, "organization"))
    }
}

/// The platform's own tenant holds the slugs, since they are unique over all of them.
pub fn slug_claim(slug: &str) -> ClaimKey {
    ClaimKey { organization: OrganizationId::PLATFORM, key: derive_uuid("organization-slug", &[slug.as_bytes()]) }
}

impl Operation for CreateOrganization {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![own_stream(Self::id(admission))]
    }

    fn claims(&self, _: &Admission) -> Vec<ClaimKey> {
        vec![slug_claim(&self.slug)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let organization_id = Self::id(unit.admission());
        let command = OrganizationCommand::Create(organization::CreateOrganization {
            organization_id,
            name: self.name.clone(),
            slug: self.slug.clone(),
            default_locale: self.default_locale,
            with_setup: self.setup,
        });
        unit.run::<Organization>(organization_id, &command)?;
        let claim = slug_claim(&self.slug);
        if unit.holder(claim).is_some() {
            let taken = Refused::new(Code::Conflict, "organizations.slug_taken", "another organization has this slug");
            return Err(Refused { errors: vec![FieldError::new("slug", "organizations.slug_taken")], ..taken });
        }
        unit.claim(claim, organization_id);
        Ok(Answer::new("id", organization_id, status(unit.state::<Organization>(organization_id)?)))
    }
}

/// The name of the state it is in.
fn status(organization: &Organization) -> &'static str {
    organization.profile().map_or("", |profile| profile.status.name())
}

crate::life_cycle::steps! { Organization, organization_id: OrganizationId, |_, organization| own_stream(organization);
    /// Suspends an organization: its people may no longer act.
    SuspendOrganization { #[schema(max_length = 500)] reason: Option<String> }
        => |step| OrganizationCommand::Suspend(organization::SuspendOrganization { reason: step.reason.clone() }), status;

    /// Resumes a suspended organization.
    ResumeOrganization => |_| OrganizationCommand::Resume, status;
}
