//! What happens to an organization.

use crate::{events, kernel::OrganizationId, organizations::Locale};

events! {
    /// What happens to an organization. Its name and slug name a company, not a person.
    pub enum OrganizationEvent {
        /// In this version a created organization is active; with the onboarding of E-123 a later
        /// version will start in another state.
        OrganizationCreated = "organizations.organization_created" v 1 {
            organization_id: OrganizationId = internal,
            name: String = internal,
            slug: String = internal,
            default_locale: Locale = internal,
        },
        OrganizationSuspended = "organizations.organization_suspended" v 1 {
            organization_id: OrganizationId = internal,
            /// Why the platform acted: a text about the organization, not about a person.
            reason: Option<String> = internal,
        },
        OrganizationResumed = "organizations.organization_resumed" v 1 {
            organization_id: OrganizationId = internal,
        }
    }
}
