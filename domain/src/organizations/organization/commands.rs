//! What may be asked of an organization.

use super::{SettingsChange, SetupStep};
use crate::{kernel::OrganizationId, organizations::Locale};

#[derive(Clone, Debug)]
pub enum OrganizationCommand {
    Create(CreateOrganization),
    /// Calls it something else.
    Rename(String),
    ChangeSettings(Box<SettingsChange>),
    Suspend(SuspendOrganization),
    Resume,
    /// A step of the set-up is done.
    CompleteSetupStep(SetupStep),
    Activate,
    /// The set-up was left lying.
    Expire,
    MarkPaymentDue,
    MarkPaid,
    RequestDeletion,
    CancelDeletion,
    Purge,
}

/// Creates an organization, active at once or to be set up first (E-24, E-123).
#[derive(Clone, Debug)]
pub struct CreateOrganization {
    pub organization_id: OrganizationId,
    pub name: String,
    pub slug: String,
    pub default_locale: Locale,
    /// Whether its people complete a set-up before it is active.
    pub with_setup: bool,
}

/// Stops the organization's people from acting (E-25).
#[derive(Clone, Debug)]
pub struct SuspendOrganization {
    pub reason: Option<String>,
}
