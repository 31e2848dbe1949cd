//! The roles that an organization composed, and what they grant.

mod fold;
mod query;

pub use fold::Roles;
pub use query::{ListRoles, Role};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "roles";

pub(super) const READS: &[(&str, &str)] = &[("identity.roles.list", query::LIST)];
