//! `GET invitations` and `GET organizations/{organization_id}/invitations/{invitation_id}`.

use super::{
    PROJECTION,
    address::{self, Sent},
};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{RoleRef, invitation::InvitationStatus},
    kernel::{DataClass, InvitationId, OrganizationId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT invitation_id, user_id, role, status, generation, expires_at, invited_by, created_at,
           created_position, issued_position, issued_event_id
    FROM identity_invitations
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND created_position > $3
    ORDER BY created_position LIMIT $4";

pub(super) const GET: &str = "
    SELECT invitation_id, user_id, role, status, generation, expires_at, invited_by, created_at,
           created_position, issued_position, issued_event_id
    FROM identity_invitations WHERE organization_id = $1 AND invitation_id = $2";

pub(super) const OF_USER: &str = "
    SELECT invitation_id FROM identity_invitations WHERE organization_id = $1 AND user_id = $2
    ORDER BY created_position DESC LIMIT 1";

/// The invitation by which a user came, where one was.
pub async fn invitation_of(reader: &mut TenantReader<'_>, user: UserId) -> Result<Option<InvitationId>, ReadError> {
    let query = sqlx::query_scalar(OF_USER).bind(reader.organization().0).bind(user.0);
    let found: Option<Uuid> = query.fetch_optional(reader.connection()).await?;
    Ok(found.map(InvitationId))
}

/// An invitation as those see it who may invite.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    pub id: InvitationId,
    pub user_id: UserId,
    /// Missing once the person was erased.
    pub email: Option<String>,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[schema(value_type = String)]
    pub role: RoleRef,
    /// `PENDING`, `ACCEPTED`, `ACTIVE`, `EXPIRED` or `REVOKED`.
    pub status: String,
    /// How often it was sent.
    pub generation: i32,
    pub expires_at: DateTime<Utc>,
    /// Who sent it last.
    pub invited_by: UserId,
    pub created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    invitation_id: Uuid,
    user_id: Uuid,
    role: String,
    status: String,
    generation: i32,
    expires_at: DateTime<Utc>,
    invited_by: Uuid,
    created_at: DateTime<Utc>,
    created_position: i64,
    issued_position: i64,
    issued_event_id: Uuid,
}

impl Row {
    fn sent(&self) -> Sent {
        Sent { invitation: self.invitation_id, user: self.user_id, position: self.issued_position, event: self.issued_event_id }
    }

    fn invitation(self, email: Option<String>) -> Result<Invitation, ReadError> {
        let role = self.role.parse().map_err(|_| ReadError::Unavailable(anyhow::anyhow!("no role is named `{}`", self.role)))?;
        Ok(Invitation {
            id: InvitationId(self.invitation_id),
            user_id: UserId(self.user_id),
            email,
            role,
            status: self.status,
            generation: self.generation,
            expires_at: self.expires_at,
            invited_by: UserId(self.invited_by),
            created_at: self.created_at,
        })
    }
}

async fn invitations(reader: &mut TenantReader<'_>, rows: Vec<Row>) -> Result<Vec<Invitation>, ReadError> {
    let sent: Vec<Sent> = rows.iter().map(Row::sent).collect();
    let mut addresses = address::open(reader, &sent).await?;
    rows.into_iter()
        .map(|row| {
            let email = addresses.remove(&row.invitation_id);
            row.invitation(email)
        })
        .collect()
}

/// The invitations of the organization, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInvitations {
    /// All where it is missing.
    #[serde(default)]
    pub status: Option<InvitationStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListInvitations {
    type Output = Page<Invitation>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Invitation>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).bind(reader.organization().0).bind(self.status.map(InvitationStatus::name));
        let query = query.bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.invitation_id);
        Ok(Page { items: invitations(reader, page.items).await?, next_cursor: page.next_cursor })
    }
}

/// One invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInvitation {
    /// The gate lets the request read in this organization, or not at all.
    pub organization_id: OrganizationId,
    pub invitation_id: InvitationId,
}

impl Query for GetInvitation {
    type Output = Invitation;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Invitation, ReadError> {
        reader.touches(self.invitation_id.0);
        let query = sqlx::query_as(GET).bind(reader.organization().0).bind(self.invitation_id.0);
        let row: Option<Row> = query.fetch_optional(reader.connection()).await?;
        let mut found = invitations(reader, row.into_iter().collect()).await?;
        found.pop().ok_or(ReadError::NotFound)
    }
}
