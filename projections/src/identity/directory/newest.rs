//! What names a user as the log has it now, rather than a read model, which may be behind.

use super::names::{self, EMAIL, Named};
use crate::engine::{ReadError, TenantReader};
use palmares_domain::{identity::user::PersonName, kernel::UserId};
use std::collections::BTreeMap;

pub(super) const NEWEST: &str = "
    SELECT DISTINCT ON (f.field) s.id AS user_id, f.field, e.position, e.event_id
    FROM streams s
    JOIN events e ON e.stream_key = s.key
    JOIN event_sealed f ON f.position = e.position AND f.field = ANY($3)
    WHERE s.organization_id = $1 AND s.type = 'user' AND s.id = $2
    ORDER BY f.field, e.version DESC";

/// The address of a user, to which a letter goes, or nobody gets it; none where there is none, and once
/// the person was erased.
pub async fn address_of(reader: &mut TenantReader<'_>, user: UserId) -> Result<Option<String>, ReadError> {
    Ok(newest(reader, user, &[EMAIL]).await?.remove(EMAIL))
}

/// What users see of themselves.
#[derive(Default)]
pub struct OwnNames {
    pub email: Option<String>,
    /// The last that was said of each; whether the user still has it, the user's state knows.
    pub names: BTreeMap<PersonName, String>,
}

/// The names and the address of a user.
pub async fn own_names(reader: &mut TenantReader<'_>, user: UserId) -> Result<OwnNames, ReadError> {
    let fields: Vec<&str> = PersonName::ALL.into_iter().map(PersonName::field).chain([EMAIL]).collect();
    let mut found = newest(reader, user, &fields).await?;
    let email = found.remove(EMAIL);
    let names = PersonName::ALL.into_iter().filter_map(|name| Some((name, found.remove(name.field())?))).collect();
    Ok(OwnNames { email, names })
}

async fn newest(reader: &mut TenantReader<'_>, user: UserId, fields: &[&str]) -> Result<names::Names, ReadError> {
    let query = sqlx::query_as(NEWEST).bind(reader.organization().0).bind(user.0).bind(fields);
    let named: Vec<Named> = query.fetch_all(reader.connection()).await?;
    Ok(names::open(reader, &named).await?.remove(&user.0).unwrap_or_default())
}
