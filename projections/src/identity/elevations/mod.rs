//! Who asked for rights for a while, who decided it, and what became of it.

mod fold;
mod query;

pub use fold::Elevations;
pub use query::{Elevation, ListElevations};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "elevations";

pub(super) const READS: &[(&str, &str)] = &[("identity.elevations.list", query::LIST), ("identity.elevations.sealed", query::SEALED)];
