//! `GET me/exports`, and one of them.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{ExportId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT export_id, format, requested_at, events, size_bytes, digest, fault, expires_at, downloads, requested_position,
           CASE WHEN status IN ('READY', 'DOWNLOADED') AND expires_at <= $5::timestamptz THEN 'EXPIRED' ELSE status END AS status
    FROM compliance_subject_exports
    WHERE organization_id = $1 AND user_id = $2 AND requested_position < $3
    ORDER BY requested_position DESC LIMIT $4";

pub(super) const GET: &str = "
    SELECT export_id, format, requested_at, events, size_bytes, digest, fault, expires_at, downloads, requested_position,
           CASE WHEN status IN ('READY', 'DOWNLOADED') AND expires_at <= $4::timestamptz THEN 'EXPIRED' ELSE status END AS status
    FROM compliance_subject_exports
    WHERE organization_id = $1 AND user_id = $2 AND export_id = $3";

/// What somebody takes out of what is recorded of them.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct SubjectExport {
    #[serde(rename = "id")]
    pub export_id: Uuid,
    /// `json`, `csv` or `pdf`.
    pub format: String,
    /// `REQUESTED`, `BUILDING`, `READY`, `DOWNLOADED`, `EXPIRED` or `FAILED`.
    pub status: String,
    pub requested_at: DateTime<Utc>,
    /// How many events it holds, once it is built.
    pub events: Option<i64>,
    pub size_bytes: Option<i64>,
    /// SHA-256 of the sealed file.
    pub digest: Option<String>,
    /// Why it could not be built.
    pub fault: Option<String>,
    /// When it is deleted.
    pub expires_at: Option<DateTime<Utc>>,
    pub downloads: i64,
    #[serde(skip)]
    requested_position: i64,
}

/// One's own exports, the newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListExports {
    pub user_id: UserId,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListExports {
    type Output = Page<SubjectExport>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<SubjectExport>, ReadError> {
        let limit = self.limit.rows()?;
        let before: i64 = reader.behind::<Self, _>(self.cursor.as_ref())?.unwrap_or(i64::MAX);
        let rows = exports_of(reader, self.user_id, before, limit + 1).await?;
        Page::of(rows, limit, |last: &SubjectExport| reader.cursor::<Self, _>(&last.requested_position))
    }
}

/// One's own export, and where it stands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetExport {
    pub user_id: UserId,
    pub export_id: ExportId,
}

impl Query for GetExport {
    type Output = SubjectExport;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<SubjectExport, ReadError> {
        reader.touches(self.export_id.0);
        let query = sqlx::query_as(GET).persistent(false).bind(reader.organization().0).bind(self.user_id.0).bind(self.export_id.0);
        let query = query.bind(reader.now());
        query.fetch_optional(reader.connection()).await?.ok_or(ReadError::NotFound)
    }
}

/// The exports of somebody that were asked for before a position.
pub(in crate::compliance) async fn exports_of(
    reader: &mut TenantReader<'_>,
    user: UserId,
    before: i64,
    rows: i64,
) -> Result<Vec<SubjectExport>, ReadError> {
    let query =
        sqlx::query_as(LIST).persistent(false).bind(reader.organization().0).bind(user.0).bind(before).bind(rows).bind(reader.now());
    let rows: Vec<SubjectExport> = query.fetch_all(reader.connection()).await?;
    rows.iter().for_each(|row| reader.touches(row.export_id));
    Ok(rows)
}
