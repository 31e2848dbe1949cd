//! `GET access-reviews/changes`.

use super::changes::{Direction, net};
use crate::{
    compliance::audit_trail,
    engine::{Query, ReadError, TenantReader},
    identity::elevations,
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{RoleRef, role_catalogue::RoleCatalogueEvent, user::UserEvent},
    kernel::{DataClass, ElevationId, Event, EventId, RoleId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const EVENTS: &str = "
    SELECT e.event_id, e.event_type, e.schema_version, e.recorded_at, e.actor_id, e.payload
    FROM compliance_audit_log p JOIN events e ON e.position = p.position
    WHERE p.organization_id = $1 AND p.event_type = ANY($2) AND p.recorded_at >= $3 AND p.recorded_at < $4
    ORDER BY p.position LIMIT $5";

pub(super) const ELEVATIONS: &str = "
    SELECT l.elevation_id, l.requested_by, l.role, l.act_as, l.status, l.decided_by, p.recorded_at AS started_at
    FROM compliance_audit_log p
    JOIN identity_elevations l ON l.organization_id = p.organization_id AND l.elevation_id = p.stream_id
    WHERE p.organization_id = $1 AND p.event_type = 'identity.elevation_started' AND p.recorded_at >= $2 AND p.recorded_at < $3
    ORDER BY p.position LIMIT $4";

/// Events that change who may what.
const OF_USERS: &[&str] = &["identity.user_created", "identity.user_invited", "identity.role_assigned", "identity.role_unassigned"];
const OF_ROLES: &[&str] =
    &["identity.role_composed", "identity.permissions_granted", "identity.permissions_revoked", "identity.role_retired"];

/// More events than this are left out.
const EVENTS_MAX: i64 = 20_000;

/// Who gained and who lost what between two moments.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessChanges {
    /// From this time on.
    pub from: DateTime<Utc>,
    /// Before this time.
    pub to: DateTime<Utc>,
}

/// A role that a user has and did not have, or the other way round.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleChange {
    pub user_id: UserId,
    /// The name of a built-in role, or the id of one of the organization's own.
    pub role: String,
    pub change: Direction,
    pub at: DateTime<Utc>,
    pub by: Uuid,
    /// The entry of the audit log that tells so.
    pub event_id: EventId,
}

/// A permission that a role of the organization grants and did not grant, or the other way round.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionChange {
    pub role_id: RoleId,
    /// A permission, or a group of them; none where the role was retired, and with it everything went.
    pub permission: Option<String>,
    pub change: Direction,
    pub at: DateTime<Utc>,
    pub by: Uuid,
    pub event_id: EventId,
}

/// Rights that somebody had for a while.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct TemporaryAccess {
    #[sqlx(try_from = "Uuid")]
    pub elevation_id: ElevationId,
    #[sqlx(rename = "requested_by", try_from = "Uuid")]
    pub user_id: UserId,
    /// The role, where it was one.
    pub role: Option<String>,
    /// The user as whom they acted, where it was that.
    pub act_as: Option<Uuid>,
    /// Where it stands now.
    pub status: String,
    /// Who approved it.
    pub decided_by: Option<Uuid>,
    pub started_at: DateTime<Utc>,
}

/// What changed; what came and went again is left out, but for rights that were for a while only.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessChanges {
    pub roles: Vec<RoleChange>,
    pub permissions: Vec<PermissionChange>,
    pub for_a_while: Vec<TemporaryAccess>,
    /// Whether there was more than is shown: then ask for a shorter time.
    pub truncated: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    event_id: Uuid,
    event_type: String,
    schema_version: i16,
    recorded_at: DateTime<Utc>,
    actor_id: Uuid,
    payload: Vec<u8>,
}

impl Row {
    fn event<E: Event>(&self) -> Result<E, ReadError> {
        let version = u16::try_from(self.schema_version).unwrap_or_default();
        E::from_payload(&self.event_type, version, &self.payload).map_err(|error| ReadError::Unavailable(error.into()))
    }
}

impl Query for ListAccessChanges {
    type Output = AccessChanges;

    const PROJECTIONS: &'static [&'static str] = &[audit_trail::PROJECTION, elevations::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AccessChanges, ReadError> {
        if self.to <= self.from {
            return Err(ReadError::invalid("to", "out_of_range"));
        }
        let of_users = self.events(reader, OF_USERS).await?;
        let of_roles = self.events(reader, OF_ROLES).await?;
        let organization = reader.organization().0;
        let query = sqlx::query_as(ELEVATIONS).bind(organization).bind(self.from).bind(self.to).bind(EVENTS_MAX + 1);
        let mut for_a_while: Vec<TemporaryAccess> = query.fetch_all(reader.connection()).await?;
        let longest = [of_users.len(), of_roles.len(), for_a_while.len()].into_iter().max().unwrap_or_default();
        let most = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
        for_a_while.truncate(most);
        Ok(AccessChanges {
            roles: role_changes(&of_users)?,
            permissions: permission_changes(&of_roles)?,
            for_a_while,
            truncated: longest > most,
        })
    }
}

impl ListAccessChanges {
    async fn events(&self, reader: &mut TenantReader<'_>, types: &[&str]) -> Result<Vec<Row>, ReadError> {
        let organization = reader.organization().0;
        let types: Vec<String> = types.iter().map(|&name| name.to_owned()).collect();
        let query = sqlx::query_as(EVENTS).persistent(false).bind(organization).bind(types).bind(self.from).bind(self.to);
        Ok(query.bind(EVENTS_MAX + 1).fetch_all(reader.connection()).await?)
    }
}

fn role_changes(rows: &[Row]) -> Result<Vec<RoleChange>, ReadError> {
    let mut changes = Vec::new();
    for row in rows {
        let (user, role, direction) = match row.event::<UserEvent>()? {
            UserEvent::UserCreated(event) => (event.user_id, RoleRef::BuiltIn(event.role), Direction::Gained),
            UserEvent::UserInvited(event) => (event.user_id, event.role, Direction::Gained),
            UserEvent::RoleAssigned(event) => (event.user_id, event.role, Direction::Gained),
            UserEvent::RoleUnassigned(event) => (event.user_id, event.role, Direction::Lost),
            _ => continue,
        };
        changes.push(((user, role), direction, row));
    }
    let left = net(changes).into_iter().map(|((user_id, role), change, row)| RoleChange {
        user_id,
        role: role.to_string(),
        change,
        at: row.recorded_at,
        by: row.actor_id,
        event_id: EventId(row.event_id),
    });
    Ok(left.collect())
}

fn permission_changes(rows: &[Row]) -> Result<Vec<PermissionChange>, ReadError> {
    let mut changes = Vec::new();
    for row in rows {
        let (role, grants, direction) = match row.event::<RoleCatalogueEvent>()? {
            RoleCatalogueEvent::RoleComposed(event) => (event.role_id, event.grants, Direction::Gained),
            RoleCatalogueEvent::PermissionsGranted(event) => (event.role_id, event.grants, Direction::Gained),
            RoleCatalogueEvent::PermissionsRevoked(event) => (event.role_id, event.grants, Direction::Lost),
            RoleCatalogueEvent::RoleRetired(event) => {
                changes.push(((event.role_id, None), Direction::Lost, row));
                continue;
            }
            RoleCatalogueEvent::RoleRenamed(_) => continue,
        };
        changes.extend(grants.iter().map(|grant| ((role, Some(grant.to_string())), direction, row)));
    }
    let left = net(changes).into_iter().map(|((role_id, permission), change, row)| PermissionChange {
        role_id,
        permission,
        change,
        at: row.recorded_at,
        by: row.actor_id,
        event_id: EventId(row.event_id),
    });
    Ok(left.collect())
}
