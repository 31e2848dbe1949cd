//! What the platform does for an organization, step by step.

use crate::kernel::OrganizationId;
use serde::{Deserialize, Serialize};

/// Something asked of the provisioning of an organization.
#[derive(Clone, Copy, Debug)]
pub enum ProvisioningCommand {
    Begin(OrganizationId),
    CompleteStep(ProvisioningStep),
    /// The attempt is the number that it had, so that one failure is not recorded twice.
    FailStep {
        step: ProvisioningStep,
        attempt: u32,
        fault: ProvisioningFault,
    },
    /// Another round, once it was given up.
    Retry,
}

/// A step, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProvisioningStep {
    /// The keys under which its personal data is sealed and looked up.
    Keys,
    /// Version 1 of its policy store, with nothing in it.
    PolicyStore,
    /// A points program to begin with.
    PointsProgram,
}

impl ProvisioningStep {
    pub const ALL: [ProvisioningStep; 3] = [ProvisioningStep::Keys, ProvisioningStep::PolicyStore, ProvisioningStep::PointsProgram];

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::PolicyStore => "policy_store",
            Self::PointsProgram => "points_program",
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProvisioningFault {
    /// The key store cannot be reached, or has other keys than the database.
    KeyStore,
    /// The database cannot be reached.
    Database,
    /// A rule was against it.
    Refused,
    /// Something that the log of the server tells about.
    Internal,
}
