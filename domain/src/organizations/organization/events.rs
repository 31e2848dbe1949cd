//! What happens to an organization.

use super::{OrganizationStatus, Setting, Settings, SetupStep, status};
use crate::{
    events,
    kernel::{OrganizationId, Personal},
    organizations::Locale,
};

events! {
    /// What happens to an organization. Its name and slug name a company, not a person.
    pub enum OrganizationEvent {
        /// An organization is active once created, unless a set-up begins with it.
        OrganizationCreated = "organizations.organization_created" v 1 {
            organization_id: OrganizationId = internal,
            name: String = internal,
            slug: String = internal,
            default_locale: Locale = internal,
        },
        OrganizationSuspended = "organizations.organization_suspended" v 1 {
            organization_id: OrganizationId = internal,
            /// Why the platform acted: a text about the organization.
            reason: Option<Personal<String>> = confidential of organization_id for Case,
        },
        OrganizationResumed = "organizations.organization_resumed" v 1 {
            organization_id: OrganizationId = internal,
        },
        SetupBegun = "organizations.setup_begun" v 1 {
            organization_id: OrganizationId = internal,
        },
        SetupStepCompleted = "organizations.setup_step_completed" v 1 {
            organization_id: OrganizationId = internal,
            step: SetupStep = internal,
        },
        SetupExpired = "organizations.setup_expired" v 1 {
            organization_id: OrganizationId = internal,
        },
        OrganizationActivated = "organizations.organization_activated" v 1 {
            organization_id: OrganizationId = internal,
        },
        PaymentDueMarked = "organizations.payment_due_marked" v 1 {
            organization_id: OrganizationId = internal,
        },
        PaymentReceived = "organizations.payment_received" v 1 {
            organization_id: OrganizationId = internal,
        },
        OrganizationDeletionRequested = "organizations.organization_deletion_requested" v 1 {
            organization_id: OrganizationId = internal,
        },
        /// The organization is what it was when its deletion was requested.
        OrganizationDeletionCancelled = "organizations.organization_deletion_cancelled" v 1 {
            organization_id: OrganizationId = internal,
            status: OrganizationStatus = internal,
        },
        OrganizationPurged = "organizations.organization_purged" v 1 {
            organization_id: OrganizationId = internal,
        },
        OrganizationRenamed = "organizations.organization_renamed" v 1 {
            organization_id: OrganizationId = internal,
            name: String = internal,
        },
        SettingsChanged = "organizations.settings_changed" v 1 {
            organization_id: OrganizationId = internal,
            /// The settings that have another value now.
            set: Box<Settings> = internal,
            /// Those that follow the platform again.
            reset: Vec<Setting> = internal,
        }
    }
}

impl OrganizationEvent {
    /// To which organization it happened.
    pub fn organization_id(&self) -> OrganizationId {
        match self {
            OrganizationEvent::OrganizationCreated(event) => event.organization_id,
            OrganizationEvent::OrganizationSuspended(event) => event.organization_id,
            OrganizationEvent::OrganizationResumed(event) => event.organization_id,
            OrganizationEvent::SetupBegun(event) => event.organization_id,
            OrganizationEvent::SetupStepCompleted(event) => event.organization_id,
            OrganizationEvent::SetupExpired(event) => event.organization_id,
            OrganizationEvent::OrganizationActivated(event) => event.organization_id,
            OrganizationEvent::PaymentDueMarked(event) => event.organization_id,
            OrganizationEvent::PaymentReceived(event) => event.organization_id,
            OrganizationEvent::OrganizationDeletionRequested(event) => event.organization_id,
            OrganizationEvent::OrganizationDeletionCancelled(event) => event.organization_id,
            OrganizationEvent::OrganizationPurged(event) => event.organization_id,
            OrganizationEvent::OrganizationRenamed(event) => event.organization_id,
            OrganizationEvent::SettingsChanged(event) => event.organization_id,
        }
    }

    /// The state it brings the organization to, where it changes it.
    pub fn status(&self) -> Option<OrganizationStatus> {
        Some(match self {
            OrganizationEvent::OrganizationCreated(_) => OrganizationStatus::Active,
            OrganizationEvent::SetupBegun(_) => OrganizationStatus::PendingSetup,
            OrganizationEvent::SetupExpired(_) => status::EXPIRE.to,
            OrganizationEvent::OrganizationActivated(_) => status::ACTIVATE.to,
            OrganizationEvent::OrganizationSuspended(_) => status::SUSPEND.to,
            OrganizationEvent::OrganizationResumed(_) => status::RESUME.to,
            OrganizationEvent::PaymentDueMarked(_) => status::MARK_PAYMENT_DUE.to,
            OrganizationEvent::PaymentReceived(_) => status::MARK_PAID.to,
            OrganizationEvent::OrganizationDeletionRequested(_) => status::REQUEST_DELETION.to,
            OrganizationEvent::OrganizationDeletionCancelled(cancelled) => cancelled.status,
            OrganizationEvent::OrganizationPurged(_) => status::PURGE.to,
            OrganizationEvent::SetupStepCompleted(_)
            | OrganizationEvent::OrganizationRenamed(_)
            | OrganizationEvent::SettingsChanged(_) => return None,
        })
    }
}
