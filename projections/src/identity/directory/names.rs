//! Opening what names a user, from beside the event that created it.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::user::User,
    kernel::{Aggregate, EventId, Place, Purpose, UserId},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const NAMED: &str = "
    SELECT user_id, created_position, created_event_id
    FROM identity_users WHERE organization_id = $1 AND user_id = ANY($2)";

pub(super) const SEALED: &str = "
    SELECT position, field, ciphertext
    FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = ANY($3)";

pub(super) const EXTERNAL_REF: &str = "external_ref";
pub(super) const DISPLAY_NAME: &str = "display_name";
pub(super) const EMAIL: &str = "email";

/// Where the names of a user stand.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub user: Uuid,
    pub position: i64,
    pub event: Uuid,
}

/// What a user is called, as far as it can still be read.
#[derive(Default)]
pub(super) struct Names {
    pub external_ref: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
}

/// The external references of `users`; whoever is not there, or was erased, is left out.
pub async fn external_refs(reader: &mut TenantReader<'_>, users: &[UserId]) -> Result<BTreeMap<UserId, String>, ReadError> {
    let organization = reader.organization().0;
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let rows: Vec<(Uuid, i64, Uuid)> = sqlx::query_as(NAMED).bind(organization).bind(ids).fetch_all(reader.connection()).await?;
    let named: Vec<Named> = rows.into_iter().map(|(user, position, event)| Named { user, position, event }).collect();
    let names = open(reader, &named, &[EXTERNAL_REF]).await?;
    Ok(names.into_iter().filter_map(|(user, names)| Some((UserId(user), names.external_ref?))).collect())
}

/// The names of `users`, restricted to `fields`.
pub(super) async fn open(reader: &mut TenantReader<'_>, users: &[Named], fields: &[&str]) -> Result<BTreeMap<Uuid, Names>, ReadError> {
    let organization = reader.organization();
    let positions: Vec<i64> = users.iter().map(|user| user.position).collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0).bind(fields);
    let sealed: Vec<(i64, String, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let by_position: BTreeMap<i64, &Named> = users.iter().map(|user| (user.position, user)).collect();
    let mut items = Vec::with_capacity(sealed.len());
    let mut whose = Vec::with_capacity(sealed.len());
    for (position, field, ciphertext) in &sealed {
        if let Some(user) = by_position.get(position) {
            let stream = (User::TYPE, user.user);
            let place = Place::in_event(organization, stream, EventId(user.event), field, user.user, Purpose::Profile);
            items.push((place, ciphertext.as_slice()));
            whose.push((user.user, field.as_str()));
        }
    }
    let opened = reader.keys().open_many(&items).await?;
    let mut names: BTreeMap<Uuid, Names> = BTreeMap::new();
    for ((user, field), clear) in whose.into_iter().zip(opened) {
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the name.
        let name =
            serde_json::from_slice(&clear).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("`{field}` of {user} is not a text")))?;
        let names = names.entry(user).or_default();
        match field {
            DISPLAY_NAME => names.display_name = Some(name),
            EMAIL => names.email = Some(name),
            _ => names.external_ref = Some(name),
        }
    }
    Ok(names)
}
