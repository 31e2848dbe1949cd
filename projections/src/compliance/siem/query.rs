//! `GET siem-streams`.

use super::PROJECTION;
use crate::{
    compliance::audit_trail,
    engine::{Page, Query, ReadError, TenantReader},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT s.stream_id, s.url, s.format, s.secret_ref, s.topics, s.from_beginning, s.status, s.failure, s.opened_by, s.created_at,
           COALESCE(c.position, 0) AS position, COALESCE(c.records, 0) AS records, COALESCE(c.attempts, 0) AS attempts, c.error,
           NULLIF(c.try_at, '-infinity') AS try_at, c.sent_at, CASE WHEN s.status = 'CLOSED' THEN 0 ELSE GREATEST(0, COALESCE((SELECT max(l.number) FROM compliance_audit_log l
               WHERE l.organization_id = $1), 0) - COALESCE(c.number, 0)) END AS lag_entries
    FROM compliance_siem_streams s LEFT JOIN compliance_siem_cursors c USING (organization_id, stream_id)
    WHERE s.organization_id = $1 ORDER BY s.created_position";

/// A stream, and how far it came.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = SiemStream)]
pub struct SiemStreamRow {
    #[serde(rename = "id")]
    pub stream_id: Uuid,
    pub url: String,
    /// `json_lines`, `cloudevents` or `ocsf`.
    pub format: String,
    pub secret_ref: Option<String>,
    /// Everything, where there are none.
    pub topics: Vec<String>,
    pub from_beginning: bool,
    /// `ACTIVE`, `PAUSED`, `FAILED` or `CLOSED`.
    pub status: String,
    /// Why it failed: `REFUSED_BY_SINK` or `ADDRESS_FORBIDDEN`.
    pub failure: Option<String>,
    pub opened_by: Uuid,
    pub created_at: DateTime<Utc>,
    /// Everything up to this position of the log was taken by the sink, or is of no topic.
    pub position: i64,
    /// How many records the sink took: the number of the last one.
    pub records: i64,
    /// How many entries of the audit log are to be looked at still.
    pub lag_entries: i64,
    /// How often the next ones were tried in vain.
    pub attempts: i32,
    /// Why the last attempt was in vain: `unreachable`, `timed out`, `tls`, `secret missing`, `log unreadable`,
    /// or what the sink answered, such as `answered 503`.
    pub error: Option<String>,
    /// When they are tried again, where they were tried in vain.
    pub try_at: Option<DateTime<Utc>>,
    /// When the sink last took something.
    pub sent_at: Option<DateTime<Utc>>,
}

/// Where the audit log of the organization is sent, and how far that came.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSiemStreams {}

impl Query for ListSiemStreams {
    type Output = Page<SiemStreamRow>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, audit_trail::PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<SiemStreamRow>, ReadError> {
        let organization = reader.organization().0;
        let items = sqlx::query_as(LIST).bind(organization).fetch_all(reader.connection()).await?;
        Ok(Page { items, next_cursor: None })
    }
}
