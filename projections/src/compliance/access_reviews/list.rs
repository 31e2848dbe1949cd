//! `GET access-reviews`, and whose roles a new one is about.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, Readers, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_review::{ITEMS_MAX, ReviewItem},
    identity::RoleRef,
    kernel::{Tenant, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT review_id, status, items, attested, revoked, due_at, opened_by, opened_at, opened_position, closed_at,
           status = 'OPEN' AND due_at < now() AND attested + revoked < items AS overdue
    FROM compliance_access_reviews
    WHERE organization_id = $1 AND opened_position < $2 ORDER BY opened_position DESC LIMIT $3";

/// Who is gone has no role that could be taken.
pub(super) const HOLDERS: &str = "
    SELECT u.user_id, r.role FROM identity_users u, unnest(u.roles) r(role)
    WHERE u.organization_id = $1 AND ($2::text IS NULL OR r.role = $2) AND u.status NOT IN ('SOFT_DELETED', 'PURGED')
    ORDER BY u.created_position LIMIT $3";

/// A review, and how far it is.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct AccessReviewRow {
    #[serde(rename = "id")]
    pub review_id: Uuid,
    /// `OPEN` or `CLOSED`.
    pub status: String,
    /// How many roles of users it is about.
    pub items: i64,
    pub attested: i64,
    pub revoked: i64,
    pub due_at: DateTime<Utc>,
    /// Whether it should be done, and is not.
    pub overdue: bool,
    pub opened_by: Uuid,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    opened_position: i64,
}

/// The reviews of the organization, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessReviews {
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListAccessReviews {
    type Output = Page<AccessReviewRow>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<AccessReviewRow>, ReadError> {
        let list = reader.list(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).bind(reader.organization().0).bind(list.before()).bind(list.rows());
        list.page(reader, query, |last: &AccessReviewRow| last.opened_position).await
    }
}

/// Who has a role now, or any; at most one more than a review may be about.
pub async fn role_holders(readers: &Readers, tenant: Tenant, role: Option<RoleRef>) -> Result<BTreeSet<ReviewItem>, ReadError> {
    let mut reader = readers.open(tenant, None).await?;
    let most = i64::try_from(ITEMS_MAX).unwrap_or(i64::MAX).saturating_add(1);
    let query = sqlx::query_as(HOLDERS).persistent(false).bind(tenant.organization().0).bind(role.map(|role| role.to_string())).bind(most);
    let rows: Vec<(Uuid, String)> = query.fetch_all(reader.connection()).await?;
    let item = |(user, role): (Uuid, String)| Some(ReviewItem { user_id: UserId(user), role: role.parse().ok()? });
    Ok(rows.into_iter().filter_map(item).collect())
}
