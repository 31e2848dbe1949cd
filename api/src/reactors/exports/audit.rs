//! A span of the audit log as one file: the entries, and a signed statement of what they are.

use crate::pipeline::TokenKeys;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_commands::digests::digest_of;
use palmares_domain::{
    compliance::{
        saved_searches::SearchFilters,
        subject_export::{AuditExportRequested, ExportFormat},
    },
    kernel::{Digest, ExportId, OrganizationId, ScheduleId},
};
use serde::{Deserialize, Serialize};

/// What the signature is good for, and nothing else.
pub const PURPOSE: &str = "audit-export";
const SCHEMA: &str = "palmares.audit_export.v1";
/// Longer than the audit log is kept.
const GOOD_FOR_DAYS: i64 = 100 * 366;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub organization_id: OrganizationId,
    pub schedule_id: ScheduleId,
    pub export_id: ExportId,
    pub format: ExportFormat,
    pub filters: SearchFilters,
    /// It holds every entry behind this position that the filters leave,
    pub after_position: i64,
    /// up to this one.
    pub until_position: i64,
    pub entries: i64,
    /// SHA-256 of the content.
    pub digest: Digest,
    pub issued_at: DateTime<Utc>,
}

/// The file, before it is sealed.
#[derive(Serialize, Deserialize)]
pub struct SignedExport {
    pub schema: String,
    /// Signed with the keys of `/.well-known/jwks.json`.
    pub statement: String,
    /// Newline-delimited JSON, or a table.
    pub content: String,
}

/// What is taken out.
pub(super) struct Span<'a> {
    pub organization: OrganizationId,
    pub requested: &'a AuditExportRequested,
    pub filters: SearchFilters,
    pub entries: i64,
    pub content: Vec<u8>,
}

/// The file of a span.
pub(super) fn file(tokens: &TokenKeys, span: Span<'_>, issued_at: DateTime<Utc>) -> anyhow::Result<Vec<u8>> {
    let Span { organization: organization_id, requested, filters, entries, content } = span;
    let AuditExportRequested { schedule_id, export_id, format, after_position, until_position, .. } = *requested;
    let digest = digest_of(&content);
    let statement =
        Statement { organization_id, schedule_id, export_id, format, filters, after_position, until_position, entries, digest, issued_at };
    let statement = tokens.seal(PURPOSE, &statement, issued_at + TimeDelta::days(GOOD_FOR_DAYS))?;
    let file = SignedExport { schema: SCHEMA.to_owned(), statement, content: String::from_utf8(content)? };
    Ok(serde_json::to_vec(&file)?)
}
