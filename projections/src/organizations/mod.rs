//! Read models of the tenants: which organizations there are, how far their set-up is, and which domains are theirs.

pub mod directory;
pub mod domains;
pub mod due;
pub mod provisioning;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![
        Arc::new(directory::Organizations),
        Arc::new(domains::Domains),
        Arc::new(due::SETUPS),
        Arc::new(provisioning::ProvisioningProgress),
        Arc::new(due::PROVISIONING),
    ]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    directory::statements().chain(domains::STATEMENTS.iter().copied()).chain(provisioning::statements())
}
