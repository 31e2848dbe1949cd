//! Sealed fields of events that a list shows: read together, opened where their keys still are.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::kernel::{EventId, Place, Purpose};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const SEALED: &str = "
    SELECT position, field, ciphertext FROM event_sealed WHERE position = ANY($1) AND organization_id = $2";

/// An event beside which something is sealed.
#[derive(Clone, Copy)]
pub(crate) struct SealedEvent {
    pub position: i64,
    pub event_id: Uuid,
    pub stream: (&'static str, Uuid),
    pub subject: Uuid,
    pub purpose: Purpose,
}

/// The texts that can still be read, by position and field.
pub(crate) type Opened = BTreeMap<(i64, String), String>;

/// Opens the texts that are sealed beside some events.
pub(crate) async fn open(reader: &mut TenantReader<'_>, events: &[SealedEvent]) -> Result<Opened, ReadError> {
    if events.is_empty() {
        return Ok(Opened::new());
    }
    let organization = reader.organization();
    let by_position: BTreeMap<i64, &SealedEvent> = events.iter().map(|event| (event.position, event)).collect();
    let positions: Vec<i64> = by_position.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0);
    let sealed: Vec<(i64, String, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let places: Vec<_> = sealed
        .iter()
        .filter_map(|(position, field, ciphertext)| {
            let event = by_position.get(position)?;
            let place = Place::in_event(organization, event.stream, EventId(event.event_id), field, event.subject, event.purpose);
            Some((place, ciphertext.as_slice()))
        })
        .collect();
    let opened = reader.keys().open_many(&places).await?;
    let mut texts = Opened::new();
    for ((position, field, _), clear) in sealed.iter().zip(opened) {
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the value.
        let malformed = || ReadError::Unavailable(anyhow::anyhow!("the sealed field {field} at {position} is no text"));
        texts.insert((*position, field.clone()), serde_json::from_slice(&clear).map_err(|_| malformed())?);
    }
    Ok(texts)
}
