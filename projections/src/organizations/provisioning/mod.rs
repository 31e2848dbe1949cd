//! What the platform prepared for an organization, step by step, and when it tries again.
//!
//! Every organization that is provisioned has two rows, one in the platform's tenant and one in its own.

mod fold;
mod query;

pub use fold::ProvisioningProgress;
pub use query::{GetProvisioning, ProvisioningChecklist, ProvisioningStepShown, StepProgress, StepState};

const PROJECTION: &str = "organizations_provisioning";

/// Every statement, by name.
pub(super) fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    fold::STATEMENTS.iter().chain(query::STATEMENTS).copied()
}
