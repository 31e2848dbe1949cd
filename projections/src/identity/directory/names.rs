//! Opening what names a user, from beside the events that said so.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::user::User,
    kernel::{Aggregate, EventId, Place, Purpose, UserId},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const NAMED: &str = "
    SELECT user_id, $3 AS field, created_position AS position, created_event_id AS event_id
    FROM identity_users WHERE organization_id = $1 AND user_id = ANY($2)";

pub(super) const SEALED: &str = "
    SELECT f.position, f.field, f.ciphertext
    FROM unnest($1::bigint[], $2::text[]) AS n (position, field)
    JOIN event_sealed f ON f.position = n.position AND f.field = n.field
    WHERE f.organization_id = $3";

/// Where the names of users stand that they have now.
pub(super) const NAMES: &str = "
    SELECT user_id, field, position, event_id FROM identity_user_names WHERE organization_id = $1 AND user_id = ANY($2)";

pub(super) const EXTERNAL_REF: &str = "external_ref";
pub(super) const EMAIL: &str = "email";

/// Where something stands that names a user.
#[derive(Clone, sqlx::FromRow)]
pub(super) struct Named {
    #[sqlx(rename = "user_id")]
    pub user: Uuid,
    pub field: String,
    pub position: i64,
    #[sqlx(rename = "event_id")]
    pub event: Uuid,
}

/// What names a user, by field, as far as it can still be read.
pub(super) type Names = BTreeMap<String, String>;

/// The external references of `users`; whoever is not there, or was erased, is left out.
pub async fn external_refs(reader: &mut TenantReader<'_>, users: &[UserId]) -> Result<BTreeMap<UserId, String>, ReadError> {
    let organization = reader.organization().0;
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let query = sqlx::query_as(NAMED).bind(organization).bind(ids).bind(EXTERNAL_REF);
    let named: Vec<Named> = query.fetch_all(reader.connection()).await?;
    let names = open(reader, &named).await?;
    Ok(names.into_iter().filter_map(|(user, mut names)| Some((UserId(user), names.remove(EXTERNAL_REF)?))).collect())
}

/// What stands at each of these places, by user.
pub(super) async fn open(reader: &mut TenantReader<'_>, named: &[Named]) -> Result<BTreeMap<Uuid, Names>, ReadError> {
    let organization = reader.organization();
    let positions: Vec<i64> = named.iter().map(|named| named.position).collect();
    let fields: Vec<&str> = named.iter().map(|named| named.field.as_str()).collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(fields).bind(organization.0);
    let sealed: Vec<(i64, String, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let by_place: BTreeMap<(i64, &str), &Named> = named.iter().map(|named| ((named.position, named.field.as_str()), named)).collect();
    let mut items = Vec::with_capacity(sealed.len());
    let mut whose = Vec::with_capacity(sealed.len());
    for (position, field, ciphertext) in &sealed {
        if let Some(named) = by_place.get(&(*position, field.as_str())) {
            items.push((place(reader, named), ciphertext.as_slice()));
            whose.push(*named);
        }
    }
    let opened = reader.keys().open_many(&items).await?;
    let mut names: BTreeMap<Uuid, Names> = BTreeMap::new();
    for (named, clear) in whose.into_iter().zip(opened) {
        let Some(clear) = clear else { continue };
        names.entry(named.user).or_default().insert(named.field.clone(), text(named, &clear)?);
    }
    Ok(names)
}

fn place(reader: &TenantReader<'_>, named: &Named) -> Place {
    let stream = (User::TYPE, named.user);
    Place::in_event(reader.organization(), stream, EventId(named.event), &named.field, named.user, Purpose::Profile)
}

fn text(named: &Named, clear: &[u8]) -> Result<String, ReadError> {
    let Named { field, user, .. } = named;
    // The cause is left out: it would quote the name.
    serde_json::from_slice(clear).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("`{field}` of {user} is not a text")))
}
