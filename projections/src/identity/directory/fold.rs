//! From the events of users to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        EXTERNAL_REF_LOOKUP, Role,
        user::{UserEvent, UserStatus},
    },
    kernel::{Event, EventId, OrganizationId, UserId},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] =
    &[("identity.directory.insert", INSERT), ("identity.directory.set_status", SET_STATUS)];

const INSERT: &str = "
    INSERT INTO {identity_users}
        (organization_id, user_id, role, status, external_ref_hash, created_at, created_position, created_event_id)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[], $7::bigint[], $8::uuid[])";

const SET_STATUS: &str = "
    UPDATE {identity_users} u SET status = n.status
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS n (organization_id, user_id, status)
    WHERE u.organization_id = n.organization_id AND u.user_id = n.user_id";

/// The fold.
pub struct Users;

#[async_trait]
impl Projector for Users {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_users"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["identity.user_created", "identity.user_suspended", "identity.user_resumed"]
    }

    /// For the hash of the external reference.
    fn opens_personal(&self) -> bool {
        true
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let changes = changes(batch)?;
        if !changes.created.is_empty() {
            insert(context, &changes.created).await?;
        }
        if !changes.statuses.is_empty() {
            let statuses = &changes.statuses;
            let sql = context.slot.sql(SET_STATUS);
            sqlx::query(&sql)
                .bind(statuses.keys().map(|(organization, _)| organization.0).collect::<Vec<_>>())
                .bind(statuses.keys().map(|(_, user)| user.0).collect::<Vec<_>>())
                .bind(statuses.values().copied().map(status_name).collect::<Vec<_>>())
                .execute(&mut *context.tx)
                .await?;
        }
        Ok(())
    }
}

/// What a batch changes: the new users, and the last status of those that got another.
#[derive(Default)]
struct Changes {
    created: Vec<Created>,
    statuses: BTreeMap<(OrganizationId, UserId), UserStatus>,
}

struct Created {
    organization: OrganizationId,
    user: UserId,
    role: Role,
    /// None once the person was erased.
    external_ref: Option<String>,
    at: DateTime<Utc>,
    position: i64,
    event: EventId,
}

fn changes(batch: &[Delivered]) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    for delivered in batch {
        let event = &delivered.event;
        let organization = event.organization_id;
        match UserEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
            UserEvent::UserCreated(created) => changes.created.push(Created {
                organization,
                user: created.user_id,
                role: created.role,
                external_ref: delivered.opened("external_ref")?,
                at: event.recorded_at,
                position: event.position,
                event: event.id,
            }),
            UserEvent::UserSuspended(suspended) => {
                changes.statuses.insert((organization, suspended.user_id), UserStatus::Suspended);
            }
            UserEvent::UserResumed(resumed) => {
                changes.statuses.insert((organization, resumed.user_id), UserStatus::Active);
            }
        }
    }
    Ok(changes)
}

async fn insert(context: &mut ApplyContext<'_>, created: &[Created]) -> Result<(), ApplyError> {
    let mut hashes: Vec<Option<Vec<u8>>> = Vec::with_capacity(created.len());
    for row in created {
        hashes.push(match &row.external_ref {
            Some(external_ref) => Some(context.keys.lookup_hash(row.organization, EXTERNAL_REF_LOOKUP, external_ref).await?.to_vec()),
            None => None,
        });
    }
    let sql = context.slot.sql(INSERT);
    sqlx::query(&sql)
        .bind(created.iter().map(|row| row.organization.0).collect::<Vec<Uuid>>())
        .bind(created.iter().map(|row| row.user.0).collect::<Vec<Uuid>>())
        .bind(created.iter().map(|row| row.role.name()).collect::<Vec<_>>())
        .bind(created.iter().map(|_| status_name(UserStatus::Active)).collect::<Vec<_>>())
        .bind(hashes)
        .bind(created.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(created.iter().map(|row| row.position).collect::<Vec<_>>())
        .bind(created.iter().map(|row| row.event.0).collect::<Vec<Uuid>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

/// The name of a status in rows, events and answers.
pub(super) fn status_name(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "ACTIVE",
        UserStatus::Suspended => "SUSPENDED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        identity::user::{UserCreated, UserResumed, UserSuspended},
        kernel::{Digest, Personal},
    };

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const ALICE: UserId = UserId(Uuid::from_u128(2));

    fn created() -> UserEvent {
        let external_ref = Personal::Opened("e-17".to_owned(), Digest([7; 32]));
        UserCreated { user_id: ALICE, external_ref, display_name: None, role: Role::Member }.into()
    }

    #[test]
    fn a_created_user_is_found_where_the_event_named_it() {
        let mut event = recorded(ACME, ("user", ALICE.0, 1), 9, &created());
        event.opened.insert("external_ref".to_owned(), b"\"e-17\"".to_vec());
        let row = changes(&[event.clone()]).unwrap().created.remove(0);
        assert_eq!((row.organization, row.user, row.role, row.position, row.event), (ACME, ALICE, Role::Member, 9, event.event.id));
        assert_eq!(row.external_ref.as_deref(), Some("e-17"));
    }

    #[test]
    fn an_erased_user_has_no_external_reference() {
        let row = changes(&[recorded(ACME, ("user", ALICE.0, 1), 9, &created())]).unwrap().created.remove(0);
        assert_eq!(row.external_ref, None);
    }

    #[test]
    fn the_last_status_of_a_batch_wins() {
        let suspended: UserEvent = UserSuspended { user_id: ALICE, reason: None }.into();
        let resumed: UserEvent = UserResumed { user_id: ALICE }.into();
        let events = [created(), suspended, resumed];
        let batch: Vec<_> =
            events.iter().zip(1..).map(|(event, version)| recorded(ACME, ("user", ALICE.0, version), version, event)).collect();
        assert_eq!(changes(&batch).unwrap().statuses, [((ACME, ALICE), UserStatus::Active)].into());
        assert_eq!(changes(&batch[..2]).unwrap().statuses, [((ACME, ALICE), UserStatus::Suspended)].into());
    }
}
