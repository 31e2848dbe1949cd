//! Opening what the rows of an import say.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::{
        RoleRef,
        user_import::{ImportRowRead, UserImport, UserImportEvent},
    },
    kernel::{Aggregate, Event, EventId, ImportId, Place, Purpose},
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The log itself, so that whoever runs an import waits for no read model.
pub(super) const READ_ROWS: &str = "
    SELECT e.position, e.event_id, e.schema_version, e.payload
    FROM streams s JOIN events e ON e.stream_key = s.key
    WHERE s.organization_id = $1 AND s.type = 'user_import' AND s.id = $2 AND e.event_type = 'identity.import_row_read'
    ORDER BY e.version";

pub(super) const SEALED: &str = "
    SELECT position, field, ciphertext
    FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = ANY($3)";

const DISPLAY_NAME: &str = "display_name";
const EMAIL: &str = "email";

/// Somebody of a table.
pub struct Person {
    pub row: u32,
    /// Missing once the person was erased.
    pub email: Option<String>,
    pub display_name: Option<String>,
    pub role: RoleRef,
}

/// Where what a row says stands.
pub(super) struct Read {
    pub position: i64,
    pub event: Uuid,
    pub user: Uuid,
}

/// What a row says, as far as it can still be read.
#[derive(Default)]
pub(super) struct Said {
    pub email: Option<String>,
    pub display_name: Option<String>,
}

/// The people of an import, as the log has them now, in the order of their rows.
pub async fn people_of_import(reader: &mut TenantReader<'_>, import: ImportId) -> Result<Vec<Person>, ReadError> {
    let query = sqlx::query_as(READ_ROWS).bind(reader.organization().0).bind(import.0);
    let events: Vec<(i64, Uuid, i16, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let mut rows = Vec::with_capacity(events.len());
    for (position, event, version, payload) in &events {
        let row = row_read(*version, payload)?;
        rows.push((Read { position: *position, event: *event, user: row.user_id.0 }, row));
    }
    let mut said = open(reader, import, rows.iter().map(|(read, _)| read)).await?;
    let people = rows.into_iter().map(|(read, row)| {
        let Said { email, display_name } = said.remove(&read.position).unwrap_or_default();
        Person { row: row.row, email, display_name, role: row.role }
    });
    Ok(people.collect())
}

fn row_read(version: i16, payload: &[u8]) -> Result<ImportRowRead, ReadError> {
    let version = u16::try_from(version).map_err(|error| ReadError::Unavailable(error.into()))?;
    match UserImportEvent::from_payload("identity.import_row_read", version, payload) {
        Ok(UserImportEvent::ImportRowRead(row)) => Ok(row),
        Ok(other) => Err(ReadError::Unavailable(anyhow::anyhow!("{} is no row", other.event_type()))),
        Err(error) => Err(ReadError::Unavailable(error.into())),
    }
}

/// What rows say, by the positions of their events.
pub(super) async fn open(
    reader: &mut TenantReader<'_>,
    import: ImportId,
    rows: impl Iterator<Item = &Read>,
) -> Result<BTreeMap<i64, Said>, ReadError> {
    let organization = reader.organization();
    let rows: BTreeMap<i64, &Read> = rows.map(|read| (read.position, read)).collect();
    let positions: Vec<i64> = rows.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0).bind([EMAIL, DISPLAY_NAME].as_slice());
    let sealed: Vec<(i64, String, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let mut items = Vec::with_capacity(sealed.len());
    let mut whose = Vec::with_capacity(sealed.len());
    for (position, field, ciphertext) in &sealed {
        if let Some(read) = rows.get(position) {
            let stream = (UserImport::TYPE, import.0);
            let place = Place::in_event(organization, stream, EventId(read.event), field, read.user, Purpose::Profile);
            items.push((place, ciphertext.as_slice()));
            whose.push((*position, field.as_str()));
        }
    }
    let opened = reader.keys().open_many(&items).await?;
    let mut said: BTreeMap<i64, Said> = BTreeMap::new();
    for ((position, field), clear) in whose.into_iter().zip(opened) {
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the name.
        let malformed = |_| ReadError::Unavailable(anyhow::anyhow!("`{field}` at {position} is not a text"));
        let text = Some(serde_json::from_slice(&clear).map_err(malformed)?);
        let row = said.entry(position).or_default();
        match field {
            EMAIL => row.email = text,
            _ => row.display_name = text,
        }
    }
    Ok(said)
}
