//! What is told of each kind of change between two moments.

use super::changes::{Direction, net};
use crate::engine::ReadError;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{RoleRef, api_key::ApiKeyEvent, policy_store::PolicyStoreEvent, role_catalogue::RoleCatalogueEvent, user::UserEvent},
    kernel::{ApiKeyId, Event, EventId, RoleId, UserId},
};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

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

/// A user who was deleted and was not before, or is there again.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserChange {
    pub user_id: UserId,
    /// `LOST` with everything that their roles grant, or `GAINED` again.
    pub change: Direction,
    pub at: DateTime<Utc>,
    pub by: Uuid,
    pub event_id: EventId,
}

/// What became of a key for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyStep {
    Created,
    /// It has another secret.
    Rotated,
    Revoked,
}

/// A key that was made, or changed its secret, or ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyChange {
    pub key_id: ApiKeyId,
    pub change: KeyStep,
    /// What it grants, where it was made.
    pub grants: Vec<String>,
    pub at: DateTime<Utc>,
    pub by: Uuid,
    pub event_id: EventId,
}

/// A version of the organization's own policies that began to hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyChange {
    pub version: u32,
    pub at: DateTime<Utc>,
    pub by: Uuid,
    pub event_id: EventId,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    event_id: Uuid,
    event_type: String,
    schema_version: i16,
    recorded_at: DateTime<Utc>,
    actor_id: Uuid,
    payload: Vec<u8>,
}

impl Row {
    /// When it was, by whom, and which entry of the audit log it is.
    fn told(&self) -> (DateTime<Utc>, Uuid, EventId) {
        (self.recorded_at, self.actor_id, EventId(self.event_id))
    }

    fn event<E: Event>(&self) -> Result<E, ReadError> {
        let version = u16::try_from(self.schema_version).unwrap_or_default();
        E::from_payload(&self.event_type, version, &self.payload).map_err(|error| ReadError::Unavailable(error.into()))
    }
}

pub(super) fn role_changes(rows: &[Row]) -> Result<Vec<RoleChange>, ReadError> {
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

/// Of a role that was retired its end alone is told, and of one that was made and retired nothing: what it
/// was given in between nobody has.
pub(super) fn permission_changes(rows: &[Row]) -> Result<Vec<PermissionChange>, ReadError> {
    let (mut changes, mut composed, mut retired) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let (role, grants, direction) = match row.event::<RoleCatalogueEvent>()? {
            RoleCatalogueEvent::RoleComposed(event) => {
                composed.insert(event.role_id);
                (event.role_id, event.grants, Direction::Gained)
            }
            RoleCatalogueEvent::PermissionsGranted(event) => (event.role_id, event.grants, Direction::Gained),
            RoleCatalogueEvent::PermissionsRevoked(event) => (event.role_id, event.grants, Direction::Lost),
            RoleCatalogueEvent::RoleRetired(event) => {
                retired.insert(event.role_id);
                changes.push(((event.role_id, None), Direction::Lost, row));
                continue;
            }
            RoleCatalogueEvent::RoleRenamed(_) => continue,
        };
        changes.extend(grants.iter().map(|grant| ((role, Some(grant.to_string())), direction, row)));
    }
    changes.retain(|((role, permission), ..)| !retired.contains(role) || (permission.is_none() && !composed.contains(role)));
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

pub(super) fn user_changes(rows: &[Row]) -> Result<Vec<UserChange>, ReadError> {
    let mut changes = Vec::new();
    for row in rows {
        match row.event::<UserEvent>()? {
            UserEvent::UserSoftDeleted(event) => changes.push((event.user_id, Direction::Lost, row)),
            UserEvent::UserRestored(event) => changes.push((event.user_id, Direction::Gained, row)),
            _ => {}
        }
    }
    let told = |(user_id, change, row): (UserId, Direction, &Row)| {
        let (at, by, event_id) = row.told();
        UserChange { user_id, change, at, by, event_id }
    };
    Ok(net(changes).into_iter().map(told).collect())
}

pub(super) fn key_changes(rows: &[Row]) -> Result<Vec<KeyChange>, ReadError> {
    let told = |row: &Row| {
        let (key_id, change, grants) = match row.event::<ApiKeyEvent>()? {
            ApiKeyEvent::ApiKeyCreated(event) => (event.key_id, KeyStep::Created, event.grants),
            ApiKeyEvent::ApiKeyRotated(event) => (event.key_id, KeyStep::Rotated, Vec::new()),
            ApiKeyEvent::ApiKeyRevoked(event) => (event.key_id, KeyStep::Revoked, Vec::new()),
            ApiKeyEvent::ApiKeyQuotaSet(_) => return Ok(None),
        };
        let (at, by, event_id) = row.told();
        let grants = grants.iter().map(ToString::to_string).collect();
        Ok(Some(KeyChange { key_id, change, grants, at, by, event_id }))
    };
    rows.iter().filter_map(|row| told(row).transpose()).collect()
}

pub(super) fn policy_changes(rows: &[Row]) -> Result<Vec<PolicyChange>, ReadError> {
    let mut changes = Vec::new();
    for row in rows {
        if let PolicyStoreEvent::PolicyVersionActivated(event) = row.event()? {
            let (at, by, event_id) = row.told();
            changes.push(PolicyChange { version: event.version, at, by, event_id });
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::{
        identity::{
            policy_store::PolicyVersionActivated,
            role_catalogue::{PermissionsGranted, RoleComposed, RoleRetired},
            user::{UserRestored, UserSoftDeleted},
        },
        kernel::Digest,
    };

    fn rows<E: Event>(events: &[E]) -> Vec<Row> {
        let row = |event: &E| Row {
            event_id: Uuid::nil(),
            event_type: event.event_type().to_owned(),
            schema_version: i16::try_from(event.schema_version()).unwrap(),
            recorded_at: DateTime::UNIX_EPOCH,
            actor_id: Uuid::nil(),
            payload: event.to_payload().unwrap(),
        };
        events.iter().map(row).collect()
    }

    fn composed(role: u128) -> RoleCatalogueEvent {
        let (role_id, grants) = (RoleId(Uuid::from_u128(role)), vec!["identity.user.list".parse().unwrap()]);
        RoleComposed { role_id, name: "Desk".to_owned(), grants }.into()
    }

    fn granted(role: u128) -> RoleCatalogueEvent {
        PermissionsGranted { role_id: RoleId(Uuid::from_u128(role)), grants: vec!["identity.user.read".parse().unwrap()] }.into()
    }

    fn retired(role: u128) -> RoleCatalogueEvent {
        RoleRetired { role_id: RoleId(Uuid::from_u128(role)) }.into()
    }

    #[test]
    fn of_a_role_that_came_and_went_nothing_is_told_and_of_one_that_went_its_end() {
        let told = permission_changes(&rows(&[composed(1), granted(1), retired(1), granted(2), retired(2), composed(3)])).unwrap();
        let told: Vec<_> = told.iter().map(|told| (told.role_id.0.as_u128(), told.permission.as_deref(), told.change)).collect();
        assert_eq!(told, [(2, None, Direction::Lost), (3, Some("identity.user.list"), Direction::Gained)]);
    }

    #[test]
    fn who_was_deleted_and_restored_is_there_as_before() {
        let user = |user| UserId(Uuid::from_u128(user));
        let deleted = |of| UserEvent::from(UserSoftDeleted { user_id: user(of) });
        let told = user_changes(&rows(&[deleted(1), deleted(2), UserRestored { user_id: user(2) }.into()])).unwrap();
        assert_eq!(told.iter().map(|told| (told.user_id, told.change)).collect::<Vec<_>>(), [(user(1), Direction::Lost)]);
    }

    #[test]
    fn every_version_of_policies_that_began_to_hold_is_told() {
        let activated = |version| PolicyStoreEvent::from(PolicyVersionActivated { version, digest: Digest([0; 32]) });
        let told = policy_changes(&rows(&[activated(2), activated(1)])).unwrap();
        assert_eq!(told.iter().map(|told| told.version).collect::<Vec<_>>(), [2, 1]);
    }
}
