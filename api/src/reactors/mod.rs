//! What follows from events.

use palmares_commands::engine::Engine;
use palmares_projections::engine::{Reactor, Readers};
use std::sync::Arc;

/// Every reactor.
pub fn all(_: Arc<Engine>, _: Readers) -> Vec<Arc<dyn Reactor>> {
    Vec::new()
}
