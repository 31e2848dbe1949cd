//! `GET api-keys`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{ApiKeyId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// That a key is expired is no event, so the statement is told the time.
pub(super) const LIST: &str = "
    SELECT * FROM (
        SELECT key_id, name, grants, quota_requests, quota_per, created_by, created_at, created_position, expires_at, rotated_at,
               CASE WHEN former_until > $5::timestamptz THEN former_until END AS former_until, revoked_at, revoked_by,
               CASE WHEN status = 'ACTIVE' AND expires_at <= $5::timestamptz THEN 'EXPIRED' ELSE status END AS status
        FROM identity_api_keys
        WHERE organization_id = $1 AND created_position > $3) AS keys
    WHERE $2::text IS NULL OR status = $2
    ORDER BY created_position LIMIT $4";

/// How often a key may be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyQuota {
    pub requests: i64,
    /// `minute`, `hour` or `day`.
    pub per: String,
}

/// A key by which a program acts for the organization. Its secret is shown when it is made, and never again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    /// Permissions, and groups of them with whatever joins them later.
    pub grants: Vec<String>,
    pub quota: ApiKeyQuota,
    /// `ACTIVE`, `EXPIRED` or `REVOKED`.
    pub status: String,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub rotated_at: Option<DateTime<Utc>>,
    /// Until when the secret before the present one is good; missing where it is not.
    pub former_secret_until: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_by: Option<UserId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    key_id: Uuid,
    name: String,
    grants: Vec<String>,
    quota_requests: i64,
    quota_per: String,
    status: String,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    created_position: i64,
    expires_at: Option<DateTime<Utc>>,
    rotated_at: Option<DateTime<Utc>>,
    former_until: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    revoked_by: Option<Uuid>,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: ApiKeyId(row.key_id),
            name: row.name,
            grants: row.grants,
            quota: ApiKeyQuota { requests: row.quota_requests, per: row.quota_per },
            status: row.status,
            created_by: UserId(row.created_by),
            created_at: row.created_at,
            expires_at: row.expires_at,
            rotated_at: row.rotated_at,
            former_secret_until: row.former_until,
            revoked_at: row.revoked_at,
            revoked_by: row.revoked_by.map(UserId),
        }
    }
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApiKeyStatus {
    Active,
    Expired,
    Revoked,
}

/// The keys of the organization, oldest first, whoever made them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListApiKeys {
    #[serde(default)]
    pub status: Option<ApiKeyStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListApiKeys {
    type Output = Page<ApiKey>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<ApiKey>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        let status = self.status.map(|status| match status {
            ApiKeyStatus::Active => "ACTIVE",
            ApiKeyStatus::Expired => "EXPIRED",
            ApiKeyStatus::Revoked => "REVOKED",
        });
        let query = sqlx::query_as(LIST).bind(organization).bind(status).bind(list.after()).bind(list.rows()).bind(reader.now());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.items.iter().for_each(|row| reader.touches(row.key_id));
        Ok(page.map(ApiKey::from))
    }
}
