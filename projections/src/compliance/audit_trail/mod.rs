//! Who did what, when, from where, and what it changed?
//!
//! Rows are the searchable part of every event's metadata. What was done, where from, and the state
//! before and after are read from the log when an entry is shown: an audit trail that copied them
//! could differ from what happened.

mod aimed;
mod behind;
mod differences;
mod entry;
mod explain;
mod export;
mod fold;
mod names;
mod naming;
mod origins;
mod query;
mod recorded;
mod search;
mod sought;
mod statements;
mod states;
mod texts;

pub use aimed::target_type;
pub(super) use behind::rows_behind;
#[cfg(test)]
pub(super) use entry::testing;
pub use entry::{AuditEntry, DeviceMetadata};
pub use explain::{AuditExplanation, ExplainAuditEntry};
pub use export::{collect_audit, export_audit_csv, export_audit_ndjson};
pub use fold::AuditLog;
pub(crate) use fold::{EXPORT, Metadata, READ, REFUSAL};
pub use names::AuditName;
pub use naming::streams_naming;
pub(crate) use origins::open as origins;
pub use origins::{Origin, OwnOrigin, own_origins};
pub use query::{ListAuditLogs, Outcome};
pub use recorded::{action_recorded, event_type_recorded, target_type_recorded};
pub(super) use search::positions_of;

/// The projection's public name.
pub const PROJECTION: &str = "audit_log";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.audit_trail.insert", fold::INSERT),
    ("compliance.audit_trail.insert_texts", fold::INSERT_TEXTS),
    ("compliance.audit_trail.counted", fold::COUNTED),
    ("compliance.audit_trail.list", statements::LIST),
    ("compliance.audit_trail.export", statements::EXPORT),
    ("compliance.audit_trail.by_action", statements::BY_ACTION),
    ("compliance.audit_trail.by_text", statements::BY_TEXT),
    ("compliance.audit_trail.by_context", statements::BY_CONTEXT),
    ("compliance.audit_trail.by_target", statements::BY_TARGET),
    ("compliance.audit_trail.export_by_target", statements::EXPORT_BY_TARGET),
    ("compliance.audit_trail.by_target_type", statements::BY_TARGET_TYPE),
    ("compliance.audit_trail.newest", statements::NEWEST),
    ("compliance.audit_trail.first_since", statements::FIRST_SINCE),
    ("compliance.audit_trail.last_before", statements::LAST_BEFORE),
    ("compliance.audit_trail.actions", statements::ACTIONS),
    ("compliance.audit_trail.known", statements::KNOWN),
    ("compliance.audit_trail.contexts", statements::CONTEXTS),
    ("compliance.audit_trail.type_recorded", recorded::TYPE_RECORDED),
    ("compliance.audit_trail.target_recorded", recorded::TARGET_RECORDED),
    ("compliance.audit_trail.texts", texts::MATCHING),
    ("compliance.audit_trail.naming", naming::NAMING),
    ("compliance.audit_trail.behind", behind::BEHIND),
    ("compliance.audit_trail.by_id", explain::BY_ID),
    ("compliance.audit_trail.caused", explain::CAUSED),
    ("compliance.audit_trail.of_request", explain::OF_REQUEST),
    ("compliance.audit_trail.origins", origins::ORIGINS),
    ("compliance.audit_trail.origins_of", origins::OF_SUBJECT),
    ("compliance.audit_trail.streams", states::STREAMS),
];
