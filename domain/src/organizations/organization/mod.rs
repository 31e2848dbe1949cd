//! One client organization: its name, its slug, its settings, and whether its people may act.
//!
//! An organization may be set up before it is active (5A). Its people act meanwhile: the invitation of
//! the first administrator is a step of the set-up, and whoever accepts it configures the domain. What
//! ends the set-up, and what has to do with money, is the platform's. A set-up that was suspended goes
//! on where it was, and its organization does not become active by being resumed.

mod aggregate;
mod commands;
mod controller;
mod errors;
mod events;
mod settings;
#[cfg(test)]
mod settings_tests;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Organization, Profile, SLUG_MAX_CHARS, SLUG_MIN_CHARS};
pub use commands::{CreateOrganization, OrganizationCommand, SuspendOrganization};
pub use controller::Controller;
pub use errors::OrganizationError;
pub use events::{
    OrganizationActivated, OrganizationCreated, OrganizationDeletionCancelled, OrganizationDeletionRequested, OrganizationEvent,
    OrganizationPurged, OrganizationRenamed, OrganizationResumed, OrganizationSuspended, PaymentDueMarked, PaymentReceived,
    SettingsChanged, SetupBegun, SetupExpired, SetupStepCompleted,
};
pub(crate) use settings::is_https_url;
pub use settings::{
    FeatureFlag, IsolationMode, PASSWORD_MIN_LENGTH, Plan, SESSION_MAX_HOURS, Setting, Settings, SettingsChange, SuspiciousSignIn,
};
pub use status::{OrganizationStatus, SetupStep};
