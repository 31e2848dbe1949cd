//! Which organizations are there? Answered to the platform for all of them, and to each
//! organization for itself, with its settings and how far its set-up is.
//!
//! Every organization has two rows, one in the platform's tenant and one in its own, so that row
//! security holds here without an exception.

mod fold;
mod onboarding;
mod query;
mod settings;

pub use fold::Organizations;
pub use onboarding::{GetOnboarding, Onboarding};
pub use query::{GetOrganization, ListOrganizations, Organization};
pub(crate) use settings::controller;
pub use settings::{GetSettings, OrganizationSettings};

/// The projection's public name.
pub const PROJECTION: &str = "organizations";

/// Every statement, by name: a test prepares each one against the migrated schema.
pub(super) fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [fold::STATEMENTS, query::STATEMENTS, settings::STATEMENTS, onboarding::STATEMENTS].into_iter().flatten().copied()
}
