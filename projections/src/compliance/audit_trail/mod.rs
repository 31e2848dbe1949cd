//! Who did what, when, from where, and what it changed?
//!
//! Rows are the searchable part of every event's metadata. What was done, where from, and the state
//! before and after are read from the log when an entry is shown: an audit trail that copied them
//! could differ from what happened.

mod differences;
mod fold;
mod origins;
mod query;
mod states;

pub use differences::Difference;
pub use fold::AuditLog;
pub(crate) use fold::{Metadata, REFUSAL};
pub use origins::Origin;
pub(crate) use origins::open as origins;
pub use query::{AuditEntry, ListAuditLogs, Outcome, Target};

/// The projection's public name.
pub const PROJECTION: &str = "audit_log";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.audit_trail.insert", fold::INSERT),
    ("compliance.audit_trail.list", query::LIST),
    ("compliance.audit_trail.origins", origins::ORIGINS),
    ("compliance.audit_trail.stream", states::STREAM),
];
