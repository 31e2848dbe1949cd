//! `GET roles`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::RoleId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT role_id, name, grants, status, created_at, created_position
    FROM identity_roles
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND created_position > $3
    ORDER BY created_position LIMIT $4";

/// A role that the organization composed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Role {
    pub id: RoleId,
    pub name: String,
    /// Permissions, and groups of them with whatever joins them later.
    pub grants: Vec<String>,
    /// `ACTIVE` or `RETIRED`.
    pub status: String,
    pub created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    role_id: Uuid,
    name: String,
    grants: Vec<String>,
    status: String,
    created_at: DateTime<Utc>,
    created_position: i64,
}

/// Whether a role may be given.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RoleStatus {
    Active,
    Retired,
}

/// The organization's own roles, oldest first. The built-in ones are the same everywhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRoles {
    #[serde(default)]
    pub status: Option<RoleStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListRoles {
    type Output = Page<Role>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Role>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        let status = self.status.map(|status| match status {
            RoleStatus::Active => "ACTIVE",
            RoleStatus::Retired => "RETIRED",
        });
        // All roles of an organization are one stream.
        reader.touches(organization);
        let query = sqlx::query_as(LIST).bind(organization).bind(status).bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        Ok(page.map(|row| Role {
            id: RoleId(row.role_id),
            name: row.name,
            grants: row.grants,
            status: row.status,
            created_at: row.created_at,
        }))
    }
}
