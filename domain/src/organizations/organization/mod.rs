//! One client organization: its name, its slug and whether its people may act.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{Organization, OrganizationStatus, Profile, SLUG_MAX_CHARS, SLUG_MIN_CHARS};
pub use commands::{CreateOrganization, OrganizationCommand, ResumeOrganization, SuspendOrganization};
pub use errors::OrganizationError;
pub use events::{OrganizationCreated, OrganizationEvent, OrganizationResumed, OrganizationSuspended};
