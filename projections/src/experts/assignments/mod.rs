//! Which experts look or looked after this person, and why not any more?

mod fold;
mod query;

pub use fold::Assignments;
pub use query::{ExpertAssignment, UserExperts, looked_after};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "expert_assignments";

pub(super) const READS: &[(&str, &str)] =
    &[("experts.assignments.list", query::LIST), ("experts.assignments.open_of_expert", query::OPEN_OF_EXPERT)];
