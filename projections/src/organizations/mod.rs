//! Read models of the tenants: which organizations there are, how far their set-up is, and which domains are theirs.

pub mod directory;
pub mod domains;
pub mod provisioning;
pub mod setup_due;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![
        Arc::new(directory::Organizations),
        Arc::new(domains::Domains),
        Arc::new(setup_due::SetupDue),
        Arc::new(provisioning::ProvisioningProgress),
        Arc::new(provisioning::ProvisioningDue),
    ]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    directory::statements().chain(domains::STATEMENTS.iter().copied()).chain(provisioning::statements())
}
