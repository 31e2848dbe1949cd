//! From the events that name users to rows of where the names stand.

use crate::engine::{ApplyContext, ApplyError};
use palmares_domain::{
    identity::user::{PersonName, UserCreated, UserEvent, UserInvited},
    kernel::{EventId, OrganizationId, RecordedEvent, UserId},
};
use std::collections::BTreeMap;

pub(super) const NAME: &str = "
    INSERT INTO {identity_user_names} (organization_id, user_id, field, position, event_id)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[])
    ON CONFLICT (organization_id, user_id, field) DO UPDATE SET position = excluded.position, event_id = excluded.event_id";

pub(super) const UNNAME: &str = "DELETE FROM {identity_user_names} WHERE organization_id = $1 AND user_id = $2 AND field = $3";

/// Of one user, or of the whole organization.
pub(super) const FORGET: &str = "DELETE FROM {identity_user_names} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// A name that was set or taken away.
pub(super) struct NameOf {
    pub organization: OrganizationId,
    pub user: UserId,
    pub name: PersonName,
    /// The event that set it.
    pub stands: Option<(i64, EventId)>,
}

/// The names that an event sets, and those that it takes away.
pub(super) fn names_of(change: &UserEvent, event: &RecordedEvent) -> Vec<NameOf> {
    let (set, cleared): (Vec<PersonName>, &[PersonName]) = match change {
        UserEvent::UserCreated(UserCreated { display_name: Some(_), .. })
        | UserEvent::UserInvited(UserInvited { display_name: Some(_), .. }) => (vec![PersonName::DisplayName], &[]),
        UserEvent::ProfileChanged(changed) => (changed.named().collect(), &changed.cleared),
        _ => return Vec::new(),
    };
    let (organization, user) = (event.organization_id, change.user_id());
    let stands = Some((event.position, event.id));
    let set = set.into_iter().map(|name| NameOf { organization, user, name, stands });
    set.chain(cleared.iter().map(|name| NameOf { organization, user, name: *name, stands: None })).collect()
}

/// Writes names down in their order; runs of names that are set in one statement each.
pub(super) async fn write(context: &mut ApplyContext<'_>, names: &[NameOf]) -> Result<(), ApplyError> {
    let (name_sql, unname_sql) = (context.slot.sql(NAME), context.slot.sql(UNNAME));
    for run in names.chunk_by(|one, next| one.stands.is_some() && next.stands.is_some()) {
        if let [NameOf { organization, user, name, stands: None }] = run {
            let unname = sqlx::query(&unname_sql).bind(organization.0).bind(user.0).bind(name.field());
            unname.execute(&mut *context.tx).await?;
            continue;
        }
        // Of one name twice in a run, the last counts.
        let last: BTreeMap<_, _> =
            run.iter().filter_map(|of| Some(((of.organization.0, of.user.0, of.name.field()), of.stands?))).collect();
        sqlx::query(&name_sql)
            .bind(last.keys().map(|(organization, ..)| *organization).collect::<Vec<_>>())
            .bind(last.keys().map(|(_, user, _)| *user).collect::<Vec<_>>())
            .bind(last.keys().map(|(.., field)| *field).collect::<Vec<_>>())
            .bind(last.values().map(|(position, _)| *position).collect::<Vec<_>>())
            .bind(last.values().map(|(_, event)| event.0).collect::<Vec<_>>())
            .execute(&mut *context.tx)
            .await?;
    }
    Ok(())
}
