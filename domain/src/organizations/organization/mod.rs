//! One client organization: its name, its slug and whether its people may act.

mod aggregate;
mod commands;
mod errors;
mod events;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Organization, Profile, SLUG_MAX_CHARS, SLUG_MIN_CHARS};
pub use commands::{CreateOrganization, OrganizationCommand, SuspendOrganization};
pub use errors::OrganizationError;
pub use events::{
    OrganizationActivated, OrganizationCreated, OrganizationDeletionCancelled, OrganizationDeletionRequested, OrganizationEvent,
    OrganizationPurged, OrganizationResumed, OrganizationSuspended, PaymentDueMarked, PaymentReceived, SetupBegun, SetupExpired,
    SetupStepCompleted,
};
pub use status::{OrganizationStatus, SetupStep};
