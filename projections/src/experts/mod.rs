//! Read models of experts: who looks after whom.

pub mod assignments;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![Arc::new(assignments::Assignments)]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [assignments::STATEMENTS, assignments::READS].into_iter().flatten().copied()
}
