//! The keys by which programs act for an organization: what each may, how often, and until when.

mod fold;
mod query;

pub use fold::ApiKeys;
pub use query::{ApiKey, ListApiKeys};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "api_keys";

pub(super) const READS: &[(&str, &str)] = &[("identity.api_keys.list", query::LIST)];
