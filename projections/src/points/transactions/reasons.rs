//! Reasons, opened from the log as they are read, where their key still exists.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::kernel::{EventId, Place, Purpose};
use std::collections::HashMap;
use uuid::Uuid;

const SEALED: &str = "
    SELECT s.position, l.event_id, l.stream_type, l.stream_id, s.subject_id, s.purpose, s.ciphertext
    FROM event_sealed s JOIN log l USING (position)
    WHERE s.organization_id = $1 AND s.position = ANY($2) AND s.field = 'reason'";

pub(super) const READS: &[(&str, &str)] = &[("points.reasons.sealed", SEALED)];

type Row = (i64, Uuid, String, Uuid, Uuid, String, Vec<u8>);

/// The reasons of the events at `positions` that can still be read.
pub(super) async fn open_reasons(reader: &mut TenantReader<'_>, positions: &[i64]) -> Result<HashMap<i64, String>, ReadError> {
    let organization = reader.organization();
    // Planned for these very positions, of which there is a page at most.
    let query = sqlx::query_as::<_, Row>(SEALED).persistent(false).bind(organization.0).bind(positions);
    let rows = query.fetch_all(reader.connection()).await?;
    let mut sealed = Vec::with_capacity(rows.len());
    for (position, event, stream_type, stream, subject, purpose, ciphertext) in &rows {
        let Some(purpose) = Purpose::parse(purpose) else {
            return Err(ReadError::Unavailable(anyhow::anyhow!("position {position} has the unknown purpose `{purpose}`")));
        };
        let place = Place::in_event(organization, (stream_type, *stream), EventId(*event), "reason", *subject, purpose);
        sealed.push((place, ciphertext.as_slice()));
    }
    let opened = reader.keys().open_many(&sealed).await?;
    let mut reasons = HashMap::with_capacity(rows.len());
    for ((position, ..), clear) in rows.iter().zip(opened) {
        if let Some(clear) = clear {
            let reason = serde_json::from_slice(&clear).map_err(|error| ReadError::Unavailable(error.into()))?;
            reasons.insert(*position, reason);
        }
    }
    Ok(reasons)
}
