//! Who was let do what, who was not, and which policies decided?
//!
//! A decision leaves a trace where it permitted a command or a read that is remembered, and where
//! it refused a known caller. Reads that nobody remembers leave none. The rows are the searchable
//! part; policies and roles are read from the event, so the two cannot differ.

mod fold;
mod query;

pub use fold::Decisions;
pub use query::{Decision, ListDecisions, Outcome};

/// The projection's public name.
pub const PROJECTION: &str = "decisions";

pub(super) const STATEMENTS: &[(&str, &str)] = &[("identity.decisions.insert", fold::INSERT), ("identity.decisions.list", query::LIST)];
