//! `GET organizations` and `GET organizations/{organization_id}`.

use super::PROJECTION;
use crate::compliance::{
    Deleted, DeletionReason,
    sealed::{self, Opened, SealedEvent},
};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{Aggregate, DataClass, OrganizationId, Purpose, UserId},
    organizations::{
        Locale,
        organization::{self, OrganizationStatus},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const STATEMENTS: &[(&str, &str)] = &[("organizations.directory.list", LIST), ("organizations.directory.get", GET)];

const LIST: &str = "
    SELECT id, name, slug, status, default_locale, created_at, created_position, suspended_position, suspended_event_id,
           deleted_at, deleted_by, deletion_request_id, deletion_kind, deletion_ground, retention_expiry
    FROM organizations_directory
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND ($5 OR deleted_at IS NULL) AND created_position > $3
    ORDER BY created_position LIMIT $4";

const GET: &str = "
    SELECT id, name, slug, status, default_locale, created_at, created_position, suspended_position, suspended_event_id,
           deleted_at, deleted_by, deletion_request_id, deletion_kind, deletion_ground, retention_expiry
    FROM organizations_directory WHERE organization_id = $1 AND id = $2 AND ($3 OR deleted_at IS NULL)";

/// One organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub slug: String,
    /// Where it stands, such as `ACTIVE`.
    pub status: String,
    pub default_locale: Locale,
    pub created_at: DateTime<Utc>,
    /// Why it is suspended, for whoever asks in it and is cleared for what is confidential.
    pub suspension_reason: Option<String>,
    /// Since when it is deleted; one that is has to be asked for by `include_deleted`.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Who asked for it; as `deletion_reason` for whoever is cleared for what is confidential.
    pub deleted_by: Option<UserId>,
    pub deletion_reason: Option<DeletionReason>,
    /// Until then it can be restored; once its people are erased, until then something of it is kept.
    pub retention_expiry: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    slug: String,
    status: String,
    default_locale: String,
    created_at: DateTime<Utc>,
    created_position: i64,
    suspended_position: Option<i64>,
    suspended_event_id: Option<Uuid>,
    #[sqlx(flatten)]
    deleted: Deleted,
}

impl Row {
    /// The event beside which it stands why the organization is suspended, while it is.
    fn suspended(&self) -> Option<SealedEvent> {
        let (position, event_id) = self.suspended_position.zip(self.suspended_event_id)?;
        let stream = (organization::Organization::TYPE, self.id);
        let event = SealedEvent { position, event_id, stream, subject: self.id, purpose: Purpose::Case };
        (self.status == OrganizationStatus::Suspended.name()).then_some(event)
    }

    fn organization(self, clearance: DataClass, opened: &mut Opened) -> Organization {
        let suspension_reason = self.suspended_position.and_then(|position| opened.remove(&(position, "reason".to_owned())));
        let (deleted_at, retention_expiry) = (self.deleted.deleted_at, self.deleted.retention_expiry);
        let (deleted_by, deletion_reason) = self.deleted.told_to(clearance);
        Organization {
            id: OrganizationId(self.id),
            name: self.name,
            slug: self.slug,
            status: self.status,
            default_locale: Locale::parse(&self.default_locale).unwrap_or_default(),
            created_at: self.created_at,
            suspension_reason,
            deleted_at,
            deleted_by,
            deletion_reason,
            retention_expiry,
        }
    }
}

/// The organizations that the tenant may see, oldest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOrganizations {
    /// Such as `ACTIVE`; all that are not deleted where it is missing.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub status: Option<OrganizationStatus>,
    /// Whether deleted ones are listed too.
    #[serde(default)]
    pub include_deleted: bool,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListOrganizations {
    type Output = Page<Organization>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Organization>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        let query = sqlx::query_as(LIST)
            .bind(organization)
            .bind(self.status.map(OrganizationStatus::name))
            .bind(list.after())
            .bind(list.rows())
            .bind(self.include_deleted || self.status == Some(OrganizationStatus::Purged));
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.id);
        let (clearance, mut reasons) = (reader.clearance(), reasons(reader, &page.items).await?);
        Ok(page.map(|row| row.organization(clearance, &mut reasons)))
    }
}

/// One organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOrganization {
    pub organization_id: OrganizationId,
    /// Whether one that is deleted is found.
    #[serde(default)]
    pub include_deleted: bool,
}

impl Query for GetOrganization {
    type Output = Organization;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Organization, ReadError> {
        let tenant = reader.organization().0;
        reader.touches(self.organization_id.0);
        let query = sqlx::query_as(GET).bind(tenant).bind(self.organization_id.0).bind(self.include_deleted);
        let row: Row = query.fetch_optional(reader.connection()).await?.ok_or(ReadError::NotFound)?;
        let (clearance, mut reasons) = (reader.clearance(), reasons(reader, std::slice::from_ref(&row)).await?);
        Ok(row.organization(clearance, &mut reasons))
    }
}

/// Why organizations are suspended, as far as the reader may know.
async fn reasons(reader: &mut TenantReader<'_>, rows: &[Row]) -> Result<Opened, ReadError> {
    if reader.clearance() < DataClass::Confidential {
        return Ok(Opened::new());
    }
    let events: Vec<SealedEvent> = rows.iter().filter_map(Row::suspended).collect();
    sealed::open(reader, &events).await
}
