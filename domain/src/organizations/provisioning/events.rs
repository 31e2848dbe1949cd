//! What happens while an organization is provisioned.

use super::{ProvisioningFault, ProvisioningStep};
use crate::{events, kernel::OrganizationId};
use chrono::{DateTime, Utc};

events! {
    /// What happens while an organization is provisioned.
    pub enum ProvisioningEvent {
        ProvisioningBegun = "organizations.provisioning_begun" v 1 {
            organization_id: OrganizationId = internal,
        },
        ProvisioningStepCompleted = "organizations.provisioning_step_completed" v 1 {
            organization_id: OrganizationId = internal,
            step: ProvisioningStep = internal,
        },
        ProvisioningStepFailed = "organizations.provisioning_step_failed" v 1 {
            organization_id: OrganizationId = internal,
            step: ProvisioningStep = internal,
            fault: ProvisioningFault = internal,
            /// From 1, in this round.
            attempt: u32 = internal,
            /// When it is tried again; nothing where it is not.
            retry_at: Option<DateTime<Utc>> = internal,
        },
        /// The last attempt failed: somebody has to look.
        ProvisioningGivenUp = "organizations.provisioning_given_up" v 1 {
            organization_id: OrganizationId = internal,
            step: ProvisioningStep = internal,
        },
        ProvisioningRetried = "organizations.provisioning_retried" v 1 {
            organization_id: OrganizationId = internal,
        },
        ProvisioningCompleted = "organizations.provisioning_completed" v 1 {
            organization_id: OrganizationId = internal,
        }
    }
}
