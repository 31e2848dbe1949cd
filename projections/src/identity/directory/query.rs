//! `GET users` and `GET users/{user_id}`.

use super::{
    PROJECTION,
    names::{self, EMAIL, EXTERNAL_REF, Named, Names},
};
use crate::{
    compliance::{Deleted, DeletionReason, deletion_requests},
    engine::{Cursor, Limit, Page, Query, ReadError, TenantReader},
    recognition::teams,
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        EXTERNAL_REF_LOOKUP, RoleRef,
        user::{PersonName, UserStatus},
    },
    kernel::{DataClass, OrganizationId, TeamId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT user_id, roles, status, second_factors <> '{}' AS mfa_enabled, created_at, created_position, created_event_id, email_position, email_event_id,
           deleted_at, deleted_by, deletion_request_id, deletion_kind, deletion_ground, retention_expiry,
           (SELECT d.status FROM compliance_deletion_requests d
            WHERE d.organization_id = $1 AND d.request_id = deletion_request_id AND deleted_at IS NOT NULL) AS deletion_status
    FROM identity_users
    WHERE organization_id = $1 AND ($2::bytea IS NULL OR external_ref_hash = $2) AND ($3::text IS NULL OR roles @> ARRAY[$3])
      AND ($4::text IS NULL OR status = $4) AND ($8 OR deleted_at IS NULL) AND created_position > $5
      AND ($6::uuid IS NULL OR user_id IN (
          SELECT m.user_id FROM recognition_team_members m WHERE m.organization_id = $1 AND m.team_id = $6))
    ORDER BY created_position LIMIT $7";

pub(super) const GET: &str = "
    SELECT user_id, roles, status, second_factors <> '{}' AS mfa_enabled, created_at, created_position, created_event_id, email_position, email_event_id,
           deleted_at, deleted_by, deletion_request_id, deletion_kind, deletion_ground, retention_expiry,
           (SELECT d.status FROM compliance_deletion_requests d
            WHERE d.organization_id = $1 AND d.request_id = deletion_request_id AND deleted_at IS NOT NULL) AS deletion_status
    FROM identity_users WHERE organization_id = $1 AND user_id = $2 AND ($3 OR deleted_at IS NULL)";

/// One user.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    pub id: UserId,
    pub organization_id: OrganizationId,
    /// How the organization's own systems call the person; missing once erased.
    pub external_ref: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub display_name: Option<String>,
    /// Where the user is reached; missing where there is no address, and once erased.
    pub email: Option<String>,
    /// The first of `roles`.
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleRef>,
    /// Names of built-in roles, and ids of the organization's own.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<RoleRef>,
    /// A state of the life cycle, such as `ACTIVE` or `SUSPENDED`. Who is erased stays `SOFT_DELETED` until nothing
    /// of them is kept any more; `deletion_status` says how far that is.
    pub status: String,
    /// Whether they have a second factor of their own, beside codes by mail.
    pub mfa_enabled: bool,
    pub created_at: DateTime<Utc>,
    /// Since when they are deleted; whoever is has to be asked for by `include_deleted` or by their status.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Where their deletion stands: `SOFT_DELETED` as long as they can be restored, `RETENTION_COUNTDOWN` once they
    /// are erased and the law keeps something of them, `PURGED` once nothing is left, or `HELD` where a legal hold stops it.
    pub deletion_status: Option<String>,
    /// Who asked for it; as `deletion_reason` for whoever is cleared for what is confidential.
    pub deleted_by: Option<UserId>,
    pub deletion_reason: Option<DeletionReason>,
    /// Until then they can be restored; once erased, until then something of them is kept.
    pub retention_expiry: Option<DateTime<Utc>>,
    /// What is there and cannot be read, because somebody wrote to the database past the application; what was
    /// erased is missing without a word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Uuid,
    roles: Vec<String>,
    status: String,
    mfa_enabled: bool,
    created_at: DateTime<Utc>,
    created_position: i64,
    created_event_id: Uuid,
    email_position: Option<i64>,
    email_event_id: Option<Uuid>,
    deletion_status: Option<String>,
    #[sqlx(flatten)]
    deleted: Deleted,
}

impl Row {
    fn referred_to(&self) -> Named {
        Named { user: self.user_id, field: EXTERNAL_REF.to_owned(), position: self.created_position, event: self.created_event_id }
    }

    /// Where the address stands, which may be set long after the user was created.
    fn addressed(&self) -> Option<Named> {
        Some(Named { user: self.user_id, field: EMAIL.to_owned(), position: self.email_position?, event: self.email_event_id? })
    }

    fn user(self, mut names: Names, (organization, clearance): (OrganizationId, DataClass)) -> Result<User, ReadError> {
        let parse = |name: &String| name.parse().map_err(|_| ReadError::Unavailable(anyhow::anyhow!("no role is named `{name}`")));
        let roles: Vec<RoleRef> = self.roles.iter().map(parse).collect::<Result<_, _>>()?;
        let role = roles.first().copied();
        let (deleted_at, retention_expiry) = (self.deleted.deleted_at, self.deleted.retention_expiry);
        let (deleted_by, deletion_reason) = self.deleted.told_to(clearance);
        Ok(User {
            id: UserId(self.user_id),
            organization_id: organization,
            external_ref: names.remove(EXTERNAL_REF),
            given_name: names.remove(PersonName::GivenName.field()),
            family_name: names.remove(PersonName::FamilyName.field()),
            display_name: names.remove(PersonName::DisplayName.field()),
            email: names.remove(EMAIL),
            role,
            roles,
            status: self.status,
            mfa_enabled: self.mfa_enabled,
            created_at: self.created_at,
            deleted_at,
            deletion_status: self.deletion_status,
            deleted_by,
            deletion_reason,
            retention_expiry,
            unreadable: Vec::new(),
        })
    }
}

async fn users(reader: &mut TenantReader<'_>, rows: Vec<Row>) -> Result<Vec<User>, ReadError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let query = sqlx::query_as(names::NAMES).bind(reader.organization().0).bind(ids);
    let mut named: Vec<Named> = query.fetch_all(reader.connection()).await?;
    named.extend(rows.iter().map(Row::referred_to));
    named.extend(rows.iter().filter_map(Row::addressed));
    let mut names = names::open(reader, &named).await?;
    let told_to = (reader.organization(), reader.clearance());
    rows.into_iter()
        .map(|row| {
            let id = row.user_id;
            let named = named.iter().filter(|named| named.user == id && reader.unreadable(named.event).contains(&named.field));
            let unreadable = named.map(|named| named.field.clone()).collect();
            let user = row.user(names.remove(&id).unwrap_or_default(), told_to)?;
            Ok(User { unreadable, ..user })
        })
        .collect()
}

/// The users of the organization, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// Exactly this external reference.
    #[serde(default)]
    pub external_ref: Option<String>,
    /// Who has this role: the name of a built-in one, or the id of one of the organization's own.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub role: Option<RoleRef>,
    /// A state of the life cycle; all but who is deleted where it is missing.
    #[serde(default)]
    pub status: Option<UserStatus>,
    /// Whether who is deleted is listed too.
    #[serde(default)]
    pub include_deleted: bool,
    /// Who is in this team.
    #[schema(value_type = Option<Uuid>)]
    #[serde(default)]
    pub team: Option<TeamId>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListUsers {
    type Output = Page<User>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, teams::PROJECTION, deletion_requests::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<User>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization();
        let hash = match &self.external_ref {
            Some(external_ref) => Some(reader.keys().lookup_hash(organization, EXTERNAL_REF_LOOKUP, external_ref).await?.to_vec()),
            None => None,
        };
        let query = sqlx::query_as(LIST)
            .bind(organization.0)
            .bind(hash)
            .bind(self.role.map(|role| role.to_string()))
            .bind(self.status.map(UserStatus::name))
            .bind(list.after())
            .bind(self.team.map(Uuid::from))
            .bind(list.rows())
            .bind(self.include_deleted || self.status.is_some_and(UserStatus::is_deleted));
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.user_id);
        Ok(Page { items: users(reader, page.items).await?, next_cursor: page.next_cursor })
    }
}

/// One user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetUser {
    pub user_id: UserId,
    /// Whether somebody who is deleted is found.
    #[serde(default)]
    pub include_deleted: bool,
}

impl Query for GetUser {
    type Output = User;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, deletion_requests::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<User, ReadError> {
        let organization = reader.organization().0;
        reader.touches(self.user_id.0);
        let query = sqlx::query_as(GET).bind(organization).bind(self.user_id.0).bind(self.include_deleted);
        let row: Option<Row> = query.fetch_optional(reader.connection()).await?;
        let mut found = users(reader, row.into_iter().collect()).await?;
        found.pop().ok_or(ReadError::NotFound)
    }
}
