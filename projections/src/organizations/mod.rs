//! Read models of the tenants: which organizations there are.

pub mod directory;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![Arc::new(directory::Organizations)]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    directory::STATEMENTS.iter().copied()
}
