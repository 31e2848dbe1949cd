//! Read models of recognition: teams, and who is what in them.

pub mod teams;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![Arc::new(teams::Teams)]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [teams::STATEMENTS, teams::READS].into_iter().flatten().copied()
}
