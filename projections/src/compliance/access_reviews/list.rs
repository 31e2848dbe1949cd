//! `GET access-reviews`, and whose roles a new one is about.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, Readers, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_review::{ITEMS_MAX, ReviewItem},
    identity::RoleRef,
    kernel::{ApiKeyId, Tenant, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT review_id, status, items, attested, revoked, due_at, opened_by, opened_at, opened_position, closed_at,
           status = 'OPEN' AND due_at < $4::timestamptz AND attested + revoked < items AS overdue
    FROM compliance_access_reviews
    WHERE organization_id = $1 AND opened_position < $2 ORDER BY opened_position DESC LIMIT $3";

/// Who is gone has no role that could be taken, and whose invitation was taken back or ran out never gets one.
pub(super) const HOLDERS: &str = "
    SELECT u.user_id, r.role FROM identity_users u, unnest(u.roles) r(role)
    WHERE u.organization_id = $1 AND ($2::text IS NULL OR r.role = $2) AND u.status NOT IN ('SOFT_DELETED', 'PURGED')
      AND NOT (u.status = 'INVITED' AND EXISTS (SELECT FROM identity_invitations i
          WHERE i.organization_id = u.organization_id AND i.user_id = u.user_id AND i.status IN ('REVOKED', 'EXPIRED')))
      AND ($3::uuid IS NULL OR u.user_id > $3)
    ORDER BY u.user_id, r.role LIMIT $4";

/// A key that is over opens nothing any more.
pub(super) const KEYS: &str = "
    SELECT key_id, created_by FROM identity_api_keys
    WHERE organization_id = $1 AND status = 'ACTIVE' AND (expires_at IS NULL OR expires_at > $4::timestamptz) AND ($2::uuid IS NULL OR key_id > $2)
    ORDER BY key_id LIMIT $3";

/// A review, and how far it is.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct AccessReviewRow {
    #[serde(rename = "id")]
    pub review_id: Uuid,
    /// `OPEN` or `CLOSED`.
    pub status: String,
    /// How many roles of users, or keys, it is about.
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
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).bind(reader.organization().0).bind(list.before()).bind(list.rows()).bind(reader.now());
        list.page(reader, query, |last: &AccessReviewRow| last.opened_position).await
    }
}

/// Some of those who have a role, or of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    pub items: BTreeSet<ReviewItem>,
    /// The last of these users or keys, where there are more behind them.
    pub more_after: Option<Uuid>,
}

impl Holders {
    /// The first of what was found that fit, all roles of a user or none: the next part begins behind a user.
    fn first(mut found: Vec<ReviewItem>, most: usize) -> Self {
        let Some(beyond) = found.get(most).copied() else { return Self { items: found.into_iter().collect(), more_after: None } };
        found.truncate(most);
        found.retain(|item| part(item) != part(&beyond));
        Self { more_after: found.last().map(part), items: found.into_iter().collect() }
    }
}

/// What is in one review or the next, whole: everything of a user, or a key.
fn part(item: &ReviewItem) -> Uuid {
    match item {
        ReviewItem::Role { user_id, .. } => user_id.0,
        ReviewItem::Key { key_id, .. } => key_id.0,
    }
}

/// The keys that are good now, behind a key; at most as many as one review is about. What is waited
/// for before is the projection [`api_keys::PROJECTION`].
///
/// [`api_keys::PROJECTION`]: crate::identity::api_keys::PROJECTION
pub async fn keys_in_use(readers: &Readers, tenant: Tenant, after: Option<ApiKeyId>, most: Option<u16>) -> Result<Holders, ReadError> {
    let most = at_most(most);
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_as(KEYS).persistent(false).bind(tenant.organization().0).bind(after.map(|after| after.0));
    let rows: Vec<(Uuid, Uuid)> = query.bind(one_more(most)).bind(reader.now()).fetch_all(reader.connection()).await?;
    let item = |(key, made_by): (Uuid, Uuid)| ReviewItem::Key { key_id: ApiKeyId(key), made_by: UserId(made_by) };
    Ok(Holders::first(rows.into_iter().map(item).collect(), most))
}

fn at_most(most: Option<u16>) -> usize {
    most.map_or(ITEMS_MAX, |most| ITEMS_MAX.min(most.into()))
}

/// One more than fits shows that there are more.
fn one_more(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)
}

/// Who has a role now, or any, behind a user; at most as many roles of users as one review is about.
/// What is waited for before are the projections of users and of invitations.
pub async fn role_holders(
    readers: &Readers,
    tenant: Tenant,
    role: Option<RoleRef>,
    after: Option<UserId>,
    most: Option<u16>,
) -> Result<Holders, ReadError> {
    let most = at_most(most);
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_as(HOLDERS).persistent(false).bind(tenant.organization().0).bind(role.map(|role| role.to_string()));
    let query = query.bind(after.map(|after| after.0)).bind(one_more(most));
    let rows: Vec<(Uuid, String)> = query.fetch_all(reader.connection()).await?;
    let item = |(user, role): (Uuid, String)| Some(ReviewItem::Role { user_id: UserId(user), role: role.parse().ok()? });
    Ok(Holders::first(rows.into_iter().filter_map(item).collect(), most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::identity::Role;

    fn item(user: u128, role: Role) -> ReviewItem {
        ReviewItem::Role { user_id: UserId(Uuid::from_u128(user)), role: role.into() }
    }

    #[test]
    fn a_part_has_all_roles_of_a_user_or_none_and_names_where_the_next_begins() {
        let all = [item(1, Role::Member), item(2, Role::Analyst), item(2, Role::Member), item(3, Role::Member)];
        let first = |found: usize, most| Holders::first(all[..found].to_vec(), most);
        let of = |items: &[ReviewItem], more: Option<u128>| Holders {
            items: items.iter().copied().collect(),
            more_after: more.map(Uuid::from_u128),
        };
        assert_eq!(first(4, 4), of(&all, None));
        assert_eq!(first(4, 3), of(&all[..3], Some(2)));
        assert_eq!(first(3, 2), of(&all[..1], Some(1)));
        // More roles of one user than fit are no part: nothing is reviewed half.
        assert_eq!(Holders::first(all[1..3].to_vec(), 1), of(&[], None));
    }
}
