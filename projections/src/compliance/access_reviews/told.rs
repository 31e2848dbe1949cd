//! What is told of each kind of change between two moments, but of people.

use super::{
    changes::{Direction, Held, Moment, held},
    over::ExpiredKey,
};
use crate::engine::ReadError;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{api_key::ApiKeyEvent, policy_store::PolicyStoreEvent, role_catalogue::RoleCatalogueEvent},
    kernel::{ApiKeyId, Event, EventId, RoleId},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

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

/// What became of a key for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyStep {
    Created,
    /// It has another secret.
    Rotated,
    Revoked,
    /// Its time is over.
    Expired,
}

/// A key that was made, or changed its secret, or ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyChange {
    pub key_id: ApiKeyId,
    pub change: KeyStep,
    /// What it grants, where it was made.
    pub grants: Vec<String>,
    pub at: DateTime<Utc>,
    /// Who did it; of a key whose time is over who made it, and said until when.
    pub by: Uuid,
    /// The entry of the audit log that tells so; of a key whose time is over the one of its making.
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

    pub(super) fn moment(&self) -> Moment {
        let (at, by, event_id) = self.told();
        Moment { at, by, event_id }
    }

    pub(super) fn event<E: Event>(&self) -> Result<E, ReadError> {
        let version = u16::try_from(self.schema_version).unwrap_or_default();
        E::from_payload(&self.event_type, version, &self.payload).map_err(|error| ReadError::Unavailable(error.into()))
    }
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

/// A key that ended by its time is told of by nothing that happened then, so that those are put among the others.
pub(super) fn key_changes(rows: &[Row], over: &[ExpiredKey]) -> Result<Vec<KeyChange>, ReadError> {
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
    let mut changes: Vec<_> = rows.iter().filter_map(|row| told(row).transpose()).collect::<Result<_, ReadError>>()?;
    changes.extend(over.iter().map(ExpiredKey::told));
    changes.sort_by_key(|change| change.at);
    Ok(changes)
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

/// Events as rows, one second after the other.
#[cfg(test)]
pub(super) fn rows<E: Event>(events: &[E]) -> Vec<Row> {
    let row = |(event, second): (&E, i64)| Row {
        event_id: Uuid::nil(),
        event_type: event.event_type().to_owned(),
        schema_version: i16::try_from(event.schema_version()).unwrap(),
        recorded_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(second),
        actor_id: Uuid::nil(),
        payload: event.to_payload().unwrap(),
    };
    events.iter().zip(0..).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use palmares_domain::{
        identity::{
            api_key::ApiKeyRevoked,
            policy_store::PolicyVersionActivated,
            role_catalogue::{PermissionsGranted, RoleComposed, RoleRetired},
        },
        kernel::Digest,
    };

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
    fn keys_whose_time_is_over_are_told_where_that_was() {
        let (key, other) = (ApiKeyId(Uuid::from_u128(1)), ApiKeyId(Uuid::from_u128(2)));
        let revoked = |key_id| ApiKeyEvent::from(ApiKeyRevoked { key_id });
        let mut rows = rows(&[revoked(key), revoked(other)]);
        rows[1].recorded_at += TimeDelta::hours(2);
        let over = ExpiredKey::made(key, Uuid::from_u128(9), DateTime::UNIX_EPOCH + TimeDelta::hours(1));
        let told: Vec<_> = key_changes(&rows, &[over]).unwrap().iter().map(|told| (told.key_id, told.change, told.by.as_u128())).collect();
        assert_eq!(told, [(key, KeyStep::Revoked, 0), (key, KeyStep::Expired, 9), (other, KeyStep::Revoked, 0)]);
    }

    #[test]
    fn every_version_of_policies_that_began_to_hold_is_told() {
        let activated = |version| PolicyStoreEvent::from(PolicyVersionActivated { version, digest: Digest([0; 32]) });
        let told = policy_changes(&rows(&[activated(2), activated(1)])).unwrap();
        assert_eq!(told.iter().map(|told| told.version).collect::<Vec<_>>(), [2, 1]);
    }
}
