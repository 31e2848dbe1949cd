//! From the events of users to rows.

use super::{
    PROJECTION, factors,
    naming::{self, NameOf},
};
use crate::{
    compliance::{ERASED, Records, but_erased, forget, is_of_deletion, write_deletions},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, EXTERNAL_REF_LOOKUP, RoleRef, email_key,
        user::{UserEvent, UserStatus},
    },
    kernel::{Event, EventId, OrganizationId, Purpose, UserId},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.directory.insert", INSERT),
    ("identity.directory.set_status", SET_STATUS),
    ("identity.directory.set_email", SET_EMAIL),
    ("identity.directory.assign", ASSIGN),
    ("identity.directory.unassign", UNASSIGN),
    ("identity.directory.name", naming::NAME),
    ("identity.directory.unname", naming::UNNAME),
    ("identity.directory.forget_names", naming::FORGET),
    ("identity.directory.forget", FORGET),
    ("identity.directory.delete", DELETE),
    ("identity.directory.add_factor", factors::ADD),
    ("identity.directory.drop_factor", factors::DROP),
    ("identity.directory.forget_factors", factors::FORGET),
];

const INSERT: &str = "
    INSERT INTO {identity_users}
        (organization_id, user_id, roles, status, external_ref_hash, email_hash, created_at, created_position, created_event_id,
         email_position, email_event_id)
    SELECT organization_id, user_id, ARRAY[role], status, external_ref_hash, email_hash, created_at, created_position, created_event_id,
           CASE WHEN email_hash IS NOT NULL THEN created_position END, CASE WHEN email_hash IS NOT NULL THEN created_event_id END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::timestamptz[], $8::bigint[], $9::uuid[])
        AS n (organization_id, user_id, role, status, external_ref_hash, email_hash, created_at, created_position, created_event_id)";

const SET_STATUS: &str = "
    UPDATE {identity_users} u SET status = n.status
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS n (organization_id, user_id, status)
    WHERE u.organization_id = n.organization_id AND u.user_id = n.user_id";

const SET_EMAIL: &str = "
    UPDATE {identity_users} SET email_hash = $3, email_position = $4, email_event_id = $5
    WHERE organization_id = $1 AND user_id = $2";

const ASSIGN: &str = "
    UPDATE {identity_users} SET roles = array_append(roles, $3)
    WHERE organization_id = $1 AND user_id = $2 AND NOT roles @> ARRAY[$3]";

const UNASSIGN: &str = "UPDATE {identity_users} SET roles = array_remove(roles, $3) WHERE organization_id = $1 AND user_id = $2";

/// By what a person can be found. Where it stands is told by nothing any more, as after a rebuild.
const FORGET: &str = "
    UPDATE {identity_users} SET external_ref_hash = NULL, email_hash = NULL, email_position = NULL, email_event_id = NULL
    WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// An event that does not name the user names the request, which is theirs alone.
const DELETE: &str = "
    UPDATE {identity_users}
    SET deletion_request_id = $3,
        deletion_kind = coalesce($5, CASE WHEN $4 THEN deletion_kind END),
        deletion_ground = coalesce($6, CASE WHEN $4 THEN deletion_ground END),
        deleted_at = coalesce($7, CASE WHEN $4 THEN deleted_at END),
        deleted_by = coalesce($8, CASE WHEN $4 THEN deleted_by END),
        retention_expiry = coalesce($9, CASE WHEN $4 THEN retention_expiry END)
    WHERE organization_id = $1 AND (user_id = $2 OR deletion_request_id = $3)";

const RECORDS: Records = Records { statement: DELETE, tenant: None, subject: |subject| subject.user().map(|user| user.0) };

/// The fold.
pub struct Users;

#[async_trait]
impl Projector for Users {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        5
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_users", "identity_user_names"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    /// For the hashes of the external reference and of the e-mail address.
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
                .bind(statuses.values().map(|status| status.name()).collect::<Vec<_>>())
                .execute(&mut *context.tx)
                .await?;
        }
        for set in &changes.emails {
            let key = set.email.as_deref().map(email_key);
            let hash = lookup_hash(context, set.organization, EMAIL_LOOKUP, key.as_deref()).await?;
            let sql = context.slot.sql(SET_EMAIL);
            let update = sqlx::query(&sql).bind(set.organization.0).bind(set.user.0).bind(hash).bind(set.position).bind(set.event.0);
            update.execute(&mut *context.tx).await?;
        }
        for (organization, user, role, assigned) in changes.roles {
            let sql = context.slot.sql(if assigned { ASSIGN } else { UNASSIGN });
            let update = sqlx::query(&sql).bind(organization.0).bind(user.0).bind(role.to_string());
            update.execute(&mut *context.tx).await?;
        }
        naming::write(context, &changes.names).await?;
        factors::write(context, batch).await?;
        write_deletions(context, batch, &RECORDS).await?;
        forget(context, batch, Purpose::Security, &[factors::FORGET]).await?;
        forget(context, batch, Purpose::Profile, &[FORGET, naming::FORGET]).await
    }
}

/// Every event of users that a row shows.
const INTERESTS: &[&str] = &[
    "identity.user_created",
    "identity.user_invited",
    "identity.user_activation_begun",
    "identity.user_activated",
    "identity.user_suspended",
    "identity.user_resumed",
    "identity.user_deactivated",
    "identity.user_reactivated",
    "identity.user_deletion_requested",
    "identity.user_deletion_cancelled",
    "identity.user_soft_deleted",
    "identity.user_restored",
    "identity.user_purged",
    "identity.role_assigned",
    "identity.role_unassigned",
    "identity.email_set",
    "identity.profile_changed",
    "identity.totp_enrolled",
    "identity.totp_disabled",
    "identity.phone_enrolled",
    "identity.phone_removed",
    "compliance.deletion_submitted",
    "compliance.subject_soft_deleted",
    "compliance.subject_restored",
    "compliance.retention_countdown_begun",
    "compliance.retention_rescheduled",
    ERASED,
];

/// What a batch changes: the new users, the last status of those that got another, addresses that
/// were set, and roles given and taken, in their order.
#[derive(Default)]
struct Changes {
    created: Vec<Created>,
    statuses: BTreeMap<(OrganizationId, UserId), UserStatus>,
    emails: Vec<EmailOf>,
    roles: Vec<(OrganizationId, UserId, RoleRef, bool)>,
    names: Vec<NameOf>,
}

/// An address that was set.
struct EmailOf {
    organization: OrganizationId,
    user: UserId,
    /// None once the person was erased.
    email: Option<String>,
    position: i64,
    event: EventId,
}

struct Created {
    organization: OrganizationId,
    user: UserId,
    role: RoleRef,
    status: UserStatus,
    /// None where there is none, and once the person was erased.
    external_ref: Option<String>,
    email: Option<String>,
    at: DateTime<Utc>,
    position: i64,
    event: EventId,
}

fn changes(batch: &[Delivered]) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    let of_users = but_erased(batch).filter(|delivered| !is_of_deletion(delivered) && !factors::is_of_factor(delivered));
    for delivered in of_users {
        let event = &delivered.event;
        let organization = event.organization_id;
        let change = UserEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
        let user = change.user_id();
        let joined = match &change {
            UserEvent::UserCreated(created) => Some(RoleRef::from(created.role)),
            UserEvent::UserInvited(invited) => Some(invited.role),
            _ => None,
        };
        changes.names.extend(naming::names_of(&change, event));
        match (joined, change.status()) {
            (Some(role), Some(status)) => changes.created.push(Created {
                organization,
                user,
                role,
                status,
                external_ref: delivered.opened("external_ref")?,
                email: delivered.opened("email")?,
                at: event.recorded_at,
                position: event.position,
                event: event.id,
            }),
            (_, Some(status)) => {
                changes.statuses.insert((organization, user), status);
            }
            (_, None) => {}
        }
        match change {
            UserEvent::RoleAssigned(assigned) => changes.roles.push((organization, user, assigned.role, true)),
            UserEvent::RoleUnassigned(unassigned) => changes.roles.push((organization, user, unassigned.role, false)),
            UserEvent::EmailSet(_) => changes.emails.push(EmailOf {
                organization,
                user,
                email: delivered.opened("email")?,
                position: event.position,
                event: event.id,
            }),
            _ => {}
        }
    }
    Ok(changes)
}

async fn insert(context: &mut ApplyContext<'_>, created: &[Created]) -> Result<(), ApplyError> {
    let (mut external_refs, mut emails) = (Vec::with_capacity(created.len()), Vec::with_capacity(created.len()));
    for row in created {
        external_refs.push(lookup_hash(context, row.organization, EXTERNAL_REF_LOOKUP, row.external_ref.as_deref()).await?);
        let email = row.email.as_deref().map(email_key);
        emails.push(lookup_hash(context, row.organization, EMAIL_LOOKUP, email.as_deref()).await?);
    }
    let sql = context.slot.sql(INSERT);
    sqlx::query(&sql)
        .bind(created.iter().map(|row| row.organization.0).collect::<Vec<Uuid>>())
        .bind(created.iter().map(|row| row.user.0).collect::<Vec<Uuid>>())
        .bind(created.iter().map(|row| row.role.to_string()).collect::<Vec<_>>())
        .bind(created.iter().map(|row| row.status.name()).collect::<Vec<_>>())
        .bind(external_refs)
        .bind(emails)
        .bind(created.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(created.iter().map(|row| row.position).collect::<Vec<_>>())
        .bind(created.iter().map(|row| row.event.0).collect::<Vec<Uuid>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn lookup_hash(
    context: &ApplyContext<'_>,
    organization: OrganizationId,
    kind: &str,
    value: Option<&str>,
) -> Result<Option<Vec<u8>>, ApplyError> {
    match value {
        Some(value) => Ok(Some(context.keys.lookup_hash(organization, kind, value).await?.to_vec())),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compliance::OF_DELETIONS, testing::recorded};
    use palmares_domain::{
        identity::{
            Role,
            user::{PersonName, ProfileChanged, RoleAssigned, RoleUnassigned, UserCreated, UserResumed, UserSuspended},
        },
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
        assert_eq!((row.organization, row.user, row.role, row.position, row.event), (ACME, ALICE, Role::Member.into(), 9, event.event.id));
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

    #[test]
    fn roles_are_given_and_taken_in_their_order() {
        let role = RoleRef::from(Role::Analyst);
        let assigned: UserEvent = RoleAssigned { user_id: ALICE, role }.into();
        let unassigned: UserEvent = RoleUnassigned { user_id: ALICE, role }.into();
        let batch: Vec<_> = [assigned, unassigned]
            .iter()
            .zip(2..)
            .map(|(event, version)| recorded(ACME, ("user", ALICE.0, version), version, event))
            .collect();
        assert_eq!(changes(&batch).unwrap().roles, [(ACME, ALICE, role, true), (ACME, ALICE, role, false)]);
    }

    #[test]
    fn a_name_stands_where_it_was_set_last_until_it_is_taken_away() {
        let sealed = || Some(Personal::Sealed(Digest([9; 32])));
        let event = |display_name, cleared| -> UserEvent {
            ProfileChanged { user_id: ALICE, given_name: sealed(), family_name: None, display_name, cleared }.into()
        };
        let events = [created(), event(sealed(), Vec::new()), event(None, vec![PersonName::DisplayName])];
        let batch: Vec<_> =
            events.iter().zip(1..).map(|(event, version)| recorded(ACME, ("user", ALICE.0, version), version, event)).collect();
        let names = changes(&batch).unwrap().names;
        let told: Vec<_> = names.iter().map(|of| (of.name, of.stands.map(|(position, _)| position))).collect();
        let (given, display) = (PersonName::GivenName, PersonName::DisplayName);
        assert_eq!(told, [(given, Some(2)), (display, Some(2)), (given, Some(3)), (display, None)]);
    }

    #[test]
    fn every_event_that_a_row_shows_is_of_interest() {
        let hidden = ["identity.user_reactivation_approved", "identity.preferences_changed"];
        let all: Vec<_> = UserEvent::CATALOGUE.iter().map(|event| event.name).filter(|name| !hidden.contains(name)).collect();
        let of_others = factors::OF_FACTORS.into_iter().chain(OF_DELETIONS).chain([ERASED]);
        assert_eq!(INTERESTS, all.into_iter().chain(of_others).collect::<Vec<_>>());
    }
}
