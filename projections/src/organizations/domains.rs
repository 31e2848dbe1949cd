//! Which domains does the organization claim, which has it proven, and what is it to publish for the
//! others? (E-137, E-138)

use crate::engine::{ApplyContext, ApplyError, Cursor, Delivered, Limit, Page, Projector, Query, ReadError, TenantReader};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{Event, OrganizationId},
    organizations::domain::{AutoJoin, Challenge, DomainEvent, DomainName, MalformedDomain, domain_id},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The projection's public name.
pub const PROJECTION: &str = "organization_domains";

/// Every statement, by name: a test prepares each one against the migrated schema.
pub const STATEMENTS: &[(&str, &str)] = &[
    ("organizations.domains.insert", INSERT),
    ("organizations.domains.verify", VERIFY),
    ("organizations.domains.set_auto_join", SET_AUTO_JOIN),
    ("organizations.domains.delete", DELETE),
    ("organizations.domains.list", LIST),
];

const INSERT: &str = "
    INSERT INTO {organizations_domains} (organization_id, domain, status, auto_join, claimed_at, created_position)
    VALUES ($1, $2, 'CLAIMED', 'off', $3, $4)";

const VERIFY: &str = "
    UPDATE {organizations_domains} SET status = 'VERIFIED', verified_at = $3 WHERE organization_id = $1 AND domain = $2";

const SET_AUTO_JOIN: &str = "UPDATE {organizations_domains} SET auto_join = $3 WHERE organization_id = $1 AND domain = $2";

const DELETE: &str = "DELETE FROM {organizations_domains} WHERE organization_id = $1 AND domain = $2";

const LIST: &str = "
    SELECT domain, status, auto_join, claimed_at, verified_at, created_position
    FROM organizations_domains
    WHERE organization_id = $1 AND created_position > $2
    ORDER BY created_position LIMIT $3";

/// The fold. Domains change seldom, so each event is a statement of its own.
pub struct Domains;

#[async_trait]
impl Projector for Domains {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["organizations_domains"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["organizations.domain_claimed", "organizations.domain_verified", "organizations.auto_join_set", "organizations.domain_released"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for Delivered { event, .. } in batch {
            let (slot, organization) = (context.slot, event.organization_id.0);
            match DomainEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                DomainEvent::DomainClaimed(claimed) => {
                    let sql = slot.sql(INSERT);
                    let insert = sqlx::query(&sql).bind(organization).bind(claimed.domain.as_str());
                    insert.bind(event.recorded_at).bind(event.position).execute(&mut *context.tx).await?;
                }
                DomainEvent::DomainVerified(verified) => {
                    let sql = slot.sql(VERIFY);
                    let verify = sqlx::query(&sql).bind(organization).bind(verified.domain.as_str());
                    verify.bind(event.recorded_at).execute(&mut *context.tx).await?;
                }
                DomainEvent::AutoJoinSet(set) => {
                    let sql = slot.sql(SET_AUTO_JOIN);
                    let update = sqlx::query(&sql).bind(organization).bind(set.domain.as_str());
                    update.bind(set.mode.name()).execute(&mut *context.tx).await?;
                }
                DomainEvent::DomainReleased(released) => {
                    let sql = slot.sql(DELETE);
                    sqlx::query(&sql).bind(organization).bind(released.domain.as_str()).execute(&mut *context.tx).await?;
                }
            }
        }
        Ok(())
    }
}

/// A domain that the organization claims.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationDomain {
    pub domain: String,
    /// `CLAIMED`, or `VERIFIED` once it is proven.
    pub status: String,
    pub auto_join: AutoJoin,
    /// The name of the TXT record that proves it.
    pub record_name: String,
    pub record_value: String,
    pub claimed_at: DateTime<Utc>,
    pub verified_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    domain: String,
    status: String,
    auto_join: String,
    claimed_at: DateTime<Utc>,
    verified_at: Option<DateTime<Utc>>,
    created_position: i64,
}

/// The domains of an organization, in the order in which they were claimed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDomains {
    pub organization_id: OrganizationId,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListDomains {
    type Output = Page<OrganizationDomain>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<OrganizationDomain>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        // The gate lets nobody name another organization than the one in which they act.
        let organization = reader.organization();
        let query = sqlx::query_as(LIST).bind(organization.0).bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            let name: DomainName = row.domain.parse().map_err(|error: MalformedDomain| ReadError::Unavailable(error.into()))?;
            reader.touches(domain_id(organization, &name));
            let challenge = Challenge::of(organization, &name);
            items.push(OrganizationDomain {
                domain: row.domain,
                status: row.status,
                auto_join: AutoJoin::parse(&row.auto_join).unwrap_or_default(),
                record_name: challenge.name,
                record_value: challenge.value,
                claimed_at: row.claimed_at,
                verified_at: row.verified_at,
            });
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}
