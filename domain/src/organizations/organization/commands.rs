//! What may be asked of an organization.

use crate::{kernel::OrganizationId, organizations::Locale};

#[derive(Clone, Debug)]
pub enum OrganizationCommand {
    Create(CreateOrganization),
    Suspend(SuspendOrganization),
    Resume(ResumeOrganization),
}

/// Creates an organization, active at once (E-24).
#[derive(Clone, Debug)]
pub struct CreateOrganization {
    pub organization_id: OrganizationId,
    pub name: String,
    pub slug: String,
    pub default_locale: Locale,
}

/// Stops the organization's people from acting (E-25).
#[derive(Clone, Debug)]
pub struct SuspendOrganization {
    pub reason: Option<String>,
}

/// Lets them act again.
#[derive(Clone, Debug)]
pub struct ResumeOrganization;
