//! What is told of each kind of change between two moments.

use super::changes::{Direction, Held, Moment, held};
use crate::engine::ReadError;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{RoleRef, api_key::ApiKeyEvent, policy_store::PolicyStoreEvent, role_catalogue::RoleCatalogueEvent, user::UserEvent},
    kernel::{ApiKeyId, Event, EventId, RoleId, UserId},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// A role that a user was given, lost, or both.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleChange {
    pub user_id: UserId,
    /// The name of a built-in role, or the id of one of the organization's own.
    pub role: String,
    #[serde(flatten)]
    pub held: Held,
}

/// A permission that a role of the organization was given, lost, or both.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionChange {
    pub role_id: RoleId,
    /// A permission, or a group of them; none where the role was retired, and with it everything went that it
    /// granted before.
    pub permission: Option<String>,
    #[serde(flatten)]
    pub held: Held,
}

/// A user who was deleted, and with it lost everything that their roles grant, or who is there again.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserChange {
    pub user_id: UserId,
    #[serde(flatten)]
    pub held: Held,
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

    fn moment(&self) -> Moment {
        let (at, by, event_id) = self.told();
        Moment { at, by, event_id }
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
        changes.push(((user, role), direction, row.moment()));
    }
    Ok(held(changes).into_iter().map(|((user_id, role), held)| RoleChange { user_id, role: role.to_string(), held }).collect())
}

/// What a role was given ends with the role. What it granted before all of this nobody here knows, so that of a
/// role that was there before its end is told as well.
pub(super) fn permission_changes(rows: &[Row]) -> Result<Vec<PermissionChange>, ReadError> {
    let mut changes = Vec::new();
    // What each role was given by now, and whether it was made among these.
    let (mut given, mut composed): (BTreeMap<RoleId, BTreeSet<String>>, BTreeSet<RoleId>) = Default::default();
    for row in rows {
        let (role, grants, direction) = match row.event::<RoleCatalogueEvent>()? {
            RoleCatalogueEvent::RoleComposed(event) => {
                composed.insert(event.role_id);
                (event.role_id, event.grants, Direction::Gained)
            }
            RoleCatalogueEvent::PermissionsGranted(event) => (event.role_id, event.grants, Direction::Gained),
            RoleCatalogueEvent::PermissionsRevoked(event) => (event.role_id, event.grants, Direction::Lost),
            RoleCatalogueEvent::RoleRetired(event) => {
                let role = event.role_id;
                let gone = given.remove(&role).unwrap_or_default().into_iter().map(Some);
                let before = (!composed.contains(&role)).then_some(None);
                changes.extend(gone.chain(before).map(|permission| ((role, permission), Direction::Lost, row.moment())));
                continue;
            }
            RoleCatalogueEvent::RoleRenamed(_) => continue,
        };
        let has = given.entry(role).or_default();
        for grant in grants.iter().map(ToString::to_string) {
            if direction == Direction::Gained {
                has.insert(grant.clone())
            } else {
                has.remove(&grant)
            };
            changes.push(((role, Some(grant)), direction, row.moment()));
        }
    }
    let told = |((role_id, permission), held)| PermissionChange { role_id, permission, held };
    Ok(held(changes).into_iter().map(told).collect())
}

pub(super) fn user_changes(rows: &[Row]) -> Result<Vec<UserChange>, ReadError> {
    let mut changes = Vec::new();
    for row in rows {
        match row.event::<UserEvent>()? {
            UserEvent::UserSoftDeleted(event) => changes.push((event.user_id, Direction::Lost, row.moment())),
            UserEvent::UserRestored(event) => changes.push((event.user_id, Direction::Gained, row.moment())),
            _ => {}
        }
    }
    Ok(held(changes).into_iter().map(|(user_id, held)| UserChange { user_id, held }).collect())
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

    // covers: E-195
    #[test]
    fn what_a_role_was_given_ends_with_the_role() {
        let told = permission_changes(&rows(&[composed(1), granted(1), retired(1), granted(2), retired(2), composed(3)])).unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|told| (told.role_id.0.as_u128(), told.permission.as_deref(), told.held.gained.is_some(), told.held.lost.is_some()))
            .collect();
        let (list, read) = (Some("identity.user.list"), Some("identity.user.read"));
        assert_eq!(
            told,
            [(1, list, true, true), (1, read, true, true), (2, None, false, true), (2, read, true, true), (3, list, true, false)]
        );
    }

    #[test]
    fn who_was_deleted_and_restored_was_gone_in_between() {
        let user = |user| UserId(Uuid::from_u128(user));
        let deleted = |of| UserEvent::from(UserSoftDeleted { user_id: user(of) });
        let told = user_changes(&rows(&[deleted(1), deleted(2), UserRestored { user_id: user(2) }.into()])).unwrap();
        let told: Vec<_> = told.iter().map(|told| (told.user_id, told.held.gained.is_some(), told.held.lost.is_some())).collect();
        assert_eq!(told, [(user(1), false, true), (user(2), false, true), (user(2), true, false)]);
    }

    #[test]
    fn every_version_of_policies_that_began_to_hold_is_told() {
        let activated = |version| PolicyStoreEvent::from(PolicyVersionActivated { version, digest: Digest([0; 32]) });
        let told = policy_changes(&rows(&[activated(2), activated(1)])).unwrap();
        assert_eq!(told.iter().map(|told| told.version).collect::<Vec<_>>(), [2, 1]);
    }
}
