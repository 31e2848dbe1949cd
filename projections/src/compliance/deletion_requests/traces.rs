//! What is recorded of somebody, as the log has it: over which time, and how much of which purpose.

use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::legal_holds::Span,
    kernel::{DeletionRequestId, Purpose, UserId},
};
use std::collections::BTreeMap;

/// The type of the events that tell of exports that left nothing out.
const WHOLE_EXPORT: &str = "compliance.whole_log_exported";

/// Of every event that names somebody or has something of theirs, when it was recorded and when it was said to have been;
/// of activities the whole of their days, wherever on Earth those were.
pub(super) const FOOTPRINT: &str = "
    SELECT min(since), max(until) FROM (
        SELECT least(e.recorded_at, e.effective_at) AS since, greatest(e.recorded_at, e.effective_at) AS until
        FROM compliance_subject_index i JOIN events e ON e.position = i.position
        WHERE i.organization_id = $1 AND i.subject_id = $2
        UNION ALL
        SELECT e.recorded_at, e.recorded_at FROM event_sealed f JOIN events e ON e.position = f.position
        WHERE f.organization_id = $1 AND f.subject_id = $2
        UNION ALL
        SELECT created_at, created_at FROM client_contexts WHERE organization_id = $1 AND subject_id = $2
        UNION ALL
        SELECT local_day::timestamp AT TIME ZONE 'UTC' - interval '14 hours', local_day::timestamp AT TIME ZONE 'UTC' + interval '36 hours'
        FROM challenges_activities WHERE organization_id = $1 AND user_id = $2) t";

pub(super) const SEALED_BY_PURPOSE: &str = "
    SELECT purpose, count(*) FROM event_sealed
    WHERE organization_id = $1 AND ($2::uuid IS NULL OR subject_id = $2) GROUP BY purpose";

/// The request's row says when it was asked for the last time; an export that began before does not have it.
pub(super) const TAKEN_OUT_SINCE: &str = "
    SELECT EXISTS (
        SELECT FROM compliance_deletion_requests r
        JOIN compliance_audit_log l ON l.organization_id = r.organization_id AND l.event_type = $3 AND l.position > r.created_position
        JOIN events e ON e.position = l.position
        WHERE r.organization_id = $1 AND r.request_id = $2
          AND (convert_from(e.payload, 'UTF8')::jsonb->>'exported_position')::bigint > r.created_position)";

/// What of one person is sealed, field by field. Of everybody this is far too much to look at.
pub(super) const SEALED_BY_FIELD: &str = "
    SELECT f.purpose, e.event_type, f.field, count(*)
    FROM event_sealed f JOIN events e ON e.position = f.position
    WHERE f.organization_id = $1 AND f.subject_id = $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";

/// Entries of the audit log that name somebody, or have something of theirs in them.
pub(super) const NAMING: &str = "SELECT count(*) FROM compliance_subject_index WHERE organization_id = $1 AND subject_id = $2";

/// Entries have numbers without gaps.
pub(super) const ENTRIES: &str = "SELECT coalesce(max(number), 0) FROM compliance_audit_log WHERE organization_id = $1";

/// Whether everything that is recorded was handed over to somebody since the deletion was asked for: begun after it, and
/// whole to its end.
pub async fn taken_out_since(reader: &mut TenantReader<'_>, request: DeletionRequestId) -> Result<bool, ReadError> {
    let query = sqlx::query_scalar(TAKEN_OUT_SINCE).persistent(false).bind(reader.organization().0).bind(request.0);
    Ok(query.bind(WHOLE_EXPORT).fetch_one(reader.connection()).await?)
}

/// Over which time something of a user is recorded, or happened; open where nobody is named.
pub async fn footprint(reader: &mut TenantReader<'_>, user: Option<UserId>) -> Result<Span, ReadError> {
    let Some(user) = user else { return Ok(Span::default()) };
    let query = sqlx::query_as(FOOTPRINT).persistent(false).bind(reader.organization().0).bind(user.0);
    let (from, until): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = query.fetch_one(reader.connection()).await?;
    Ok(Span { from, until })
}

/// How many personal values of a user are kept, by purpose; of everybody where none is named.
pub async fn sealed_by_purpose(reader: &mut TenantReader<'_>, user: Option<UserId>) -> Result<BTreeMap<Purpose, i64>, ReadError> {
    let query = sqlx::query_as(SEALED_BY_PURPOSE).persistent(false).bind(reader.organization().0).bind(user.map(|user| user.0));
    let rows: Vec<(String, i64)> = query.fetch_all(reader.connection()).await?;
    Ok(rows.into_iter().filter_map(|(purpose, count)| Some((Purpose::parse(&purpose)?, count))).collect())
}

/// What of one person is kept for a purpose.
#[derive(Debug, Default)]
pub struct SealedFields {
    /// The fields of events that hold it.
    pub fields: Vec<String>,
    pub values: i64,
}

/// Which fields hold personal values of a user, by purpose, and how many of them.
pub async fn sealed_by_field(reader: &mut TenantReader<'_>, user: UserId) -> Result<BTreeMap<Purpose, SealedFields>, ReadError> {
    let query = sqlx::query_as(SEALED_BY_FIELD).persistent(false).bind(reader.organization().0).bind(user.0);
    let rows: Vec<(String, String, String, i64)> = query.fetch_all(reader.connection()).await?;
    let mut found: BTreeMap<Purpose, SealedFields> = BTreeMap::new();
    for (purpose, event_type, field, values) in rows {
        let Some(purpose) = Purpose::parse(&purpose) else { continue };
        let sealed = found.entry(purpose).or_default();
        sealed.fields.push(format!("{event_type}.{field}"));
        sealed.values += values;
    }
    Ok(found)
}

/// How many entries of the audit log are about a user, what is theirs included; all there are where none is named.
pub async fn audited(reader: &mut TenantReader<'_>, user: Option<UserId>) -> Result<i64, ReadError> {
    let organization = reader.organization().0;
    let query = match user {
        Some(user) => sqlx::query_scalar(NAMING).persistent(false).bind(organization).bind(user.0),
        None => sqlx::query_scalar(ENTRIES).persistent(false).bind(organization),
    };
    Ok(query.fetch_one(reader.connection()).await?)
}
