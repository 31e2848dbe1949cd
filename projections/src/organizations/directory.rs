//! Which organizations are there? Answered to the platform for all of them, and to each
//! organization for itself.
//!
//! Every organization has two rows, one in the platform's tenant and one in its own, so that row
//! security holds here without an exception.

use crate::engine::{ApplyContext, ApplyError, Cursor, Delivered, Limit, Page, Projector, Query, ReadError, TenantReader};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{Event, OrganizationId},
    organizations::{
        Locale,
        organization::{OrganizationCreated, OrganizationEvent, OrganizationStatus},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// The projection's public name.
pub const PROJECTION: &str = "organizations";

/// Every statement, by name: a test prepares each one against the migrated schema.
pub const STATEMENTS: &[(&str, &str)] = &[
    ("organizations.directory.insert", INSERT),
    ("organizations.directory.set_status", SET_STATUS),
    ("organizations.directory.list", LIST),
    ("organizations.directory.get", GET),
];

const INSERT: &str = "
    INSERT INTO {organizations_directory}
        (organization_id, id, name, slug, status, default_locale, created_at, created_position)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[])";

const SET_STATUS: &str = "
    UPDATE {organizations_directory} d SET status = n.status
    FROM unnest($1::uuid[], $2::text[]) AS n (id, status)
    WHERE d.organization_id IN (n.id, $3) AND d.id = n.id";

const LIST: &str = "
    SELECT id, name, slug, status, default_locale, created_at, created_position
    FROM organizations_directory
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND created_position > $3
    ORDER BY created_position LIMIT $4";

const GET: &str = "
    SELECT id, name, slug, status, default_locale, created_at, created_position
    FROM organizations_directory WHERE organization_id = $1 AND id = $2";

/// The fold.
pub struct Organizations;

#[async_trait]
impl Projector for Organizations {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["organizations_directory"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let changes = changes(batch)?;
        if !changes.created.is_empty() {
            insert(context, &changes.created).await?;
        }
        if !changes.statuses.is_empty() {
            let (ids, statuses): (Vec<Uuid>, Vec<&str>) = changes.statuses.into_iter().map(|(id, status)| (id.0, status.name())).unzip();
            let sql = context.slot.sql(SET_STATUS);
            sqlx::query(&sql).bind(ids).bind(statuses).bind(OrganizationId::PLATFORM.0).execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}

/// Every event that brings an organization to a state.
const INTERESTS: &[&str] = &[
    "organizations.organization_created",
    "organizations.organization_suspended",
    "organizations.organization_resumed",
    "organizations.setup_begun",
    "organizations.setup_expired",
    "organizations.organization_activated",
    "organizations.payment_due_marked",
    "organizations.payment_received",
    "organizations.organization_deletion_requested",
    "organizations.organization_deletion_cancelled",
    "organizations.organization_purged",
];

/// What a batch changes: the new organizations, and the last status of those that got another.
#[derive(Default)]
struct Changes {
    created: Vec<Created>,
    statuses: BTreeMap<OrganizationId, OrganizationStatus>,
}

struct Created {
    organization: OrganizationCreated,
    at: DateTime<Utc>,
    position: i64,
}

fn changes(batch: &[Delivered]) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    for Delivered { event, .. } in batch {
        match OrganizationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
            OrganizationEvent::OrganizationCreated(organization) => {
                changes.created.push(Created { organization, at: event.recorded_at, position: event.position });
            }
            change => {
                changes.statuses.extend(change.status().map(|status| (change.organization_id(), status)));
            }
        }
    }
    Ok(changes)
}

async fn insert(context: &mut ApplyContext<'_>, created: &[Created]) -> Result<(), ApplyError> {
    // The platform's own organization has one row: both of its tenants are the same.
    let rows: Vec<(OrganizationId, &Created)> = created
        .iter()
        .flat_map(|row| {
            BTreeSet::from([OrganizationId::PLATFORM, row.organization.organization_id]).into_iter().map(move |tenant| (tenant, row))
        })
        .collect();
    let sql = context.slot.sql(INSERT);
    sqlx::query(&sql)
        .bind(rows.iter().map(|(tenant, _)| tenant.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.organization_id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.name.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.slug.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|_| OrganizationStatus::Active.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.default_locale.tag()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.position).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

/// One organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub slug: String,
    /// `ACTIVE` or `SUSPENDED`.
    pub status: String,
    pub default_locale: Locale,
    pub created_at: DateTime<Utc>,
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
}

impl Row {
    fn organization(self) -> Organization {
        Organization {
            id: OrganizationId(self.id),
            name: self.name,
            slug: self.slug,
            status: self.status,
            default_locale: Locale::parse(&self.default_locale).unwrap_or_default(),
            created_at: self.created_at,
        }
    }
}

/// The organizations that the tenant may see, oldest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOrganizations {
    /// `ACTIVE` or `SUSPENDED`; both where it is missing.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub status: Option<OrganizationStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListOrganizations {
    type Output = Page<Organization>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Organization>, ReadError> {
        let limit = self.limit.rows()?;
        let behind: i64 = reader.behind(self.cursor.as_ref())?.unwrap_or(0);
        let organization = reader.organization().0;
        let rows: Vec<Row> = sqlx::query_as(LIST)
            .persistent(false)
            .bind(organization)
            .bind(self.status.map(OrganizationStatus::name))
            .bind(behind)
            .bind(limit + 1)
            .fetch_all(reader.connection())
            .await?;
        rows.iter().for_each(|row| reader.touches(row.id));
        let page = Page::of(rows, limit, |last| reader.cursor(&last.created_position))?;
        Ok(Page { items: page.items.into_iter().map(Row::organization).collect(), next_cursor: page.next_cursor })
    }
}

/// One organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOrganization {
    pub organization_id: OrganizationId,
}

impl Query for GetOrganization {
    type Output = Organization;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Organization, ReadError> {
        let tenant = reader.organization().0;
        reader.touches(self.organization_id.0);
        let query = sqlx::query_as(GET).bind(tenant).bind(self.organization_id.0);
        let row: Option<Row> = query.fetch_optional(reader.connection()).await?;
        row.map(Row::organization).ok_or(ReadError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::projector::Delivered;
    use crate::testing::recorded;
    use palmares_domain::organizations::organization::{OrganizationResumed, OrganizationSuspended};

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

    fn batch(events: Vec<OrganizationEvent>) -> Vec<Delivered> {
        events.into_iter().zip(1..).map(|(event, version)| recorded(ACME, ("organization", ACME.0, version), version, &event)).collect()
    }

    #[test]
    fn the_last_status_of_a_batch_wins() {
        let created = OrganizationCreated { organization_id: ACME, name: "Acme".into(), slug: "acme".into(), default_locale: Locale::Fr };
        let suspended = OrganizationSuspended { organization_id: ACME, reason: None };
        let resumed = OrganizationResumed { organization_id: ACME };
        let changes = changes(&batch(vec![created.into(), suspended.clone().into(), resumed.into(), suspended.into()])).unwrap();
        assert_eq!(changes.created.len(), 1);
        assert_eq!(changes.created[0].position, 1);
        assert_eq!(changes.statuses, [(ACME, OrganizationStatus::Suspended)].into());
    }
}
