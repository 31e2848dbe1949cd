//! What an organization's policy store holds: its draft, its templates, its versions.

mod fold;
mod query;

pub use fold::PolicyStores;
pub use query::{ListPolicies, ListPolicyTemplates, ListPolicyVersions};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "policy_stores";

pub(super) const READS: &[(&str, &str)] = &[
    ("identity.policy_store.policies", query::POLICIES),
    ("identity.policy_store.templates", query::TEMPLATES),
    ("identity.policy_store.versions", query::VERSIONS),
];
