//! Read models of operations: history for analysts, and figures for administrators.
//!
//! [`history`] has no table of its own: it reads the log through the index that the audit log keeps
//! of it. Where every projection stands is the engine's to say, since its rows know no tenant.

pub mod analytics;
pub mod history;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![Arc::new(analytics::Analytics)]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    history::STATEMENTS.iter().copied().chain(analytics::statements())
}
