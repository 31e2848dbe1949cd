//! What is set aside, for whoever puts it right: across organizations, as role `palmares_relay`.

use super::{
    log::Log,
    page::{Cursor, Limit, Page},
    reader::ReadError,
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{EventId, OrganizationId};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

const LIST: &str = "
    SELECT p.position, p.organization_id, p.event_id, p.event_type, p.error, p.parked_at
    FROM parked_events p JOIN checkpoints c ON c.name = p.name AND c.slot = p.slot AND c.active
    WHERE p.name = $1 AND p.position > $2 ORDER BY p.position LIMIT $3";

const KNOWN: &str = "SELECT EXISTS (SELECT FROM checkpoints WHERE name = $1 AND active)";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.parked.list", LIST), ("engine.parked.known", KNOWN)];

/// An event that a projection or reactor could not take, or that depends on one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedEvent {
    pub position: i64,
    pub organization_id: OrganizationId,
    pub event_id: EventId,
    pub event_type: String,
    /// What went wrong, the last time it was tried.
    pub error: String,
    pub parked_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct Row {
    position: i64,
    organization_id: Uuid,
    event_id: Uuid,
    event_type: String,
    error: String,
    parked_at: DateTime<Utc>,
}

/// What a projection or reactor set aside, in the order of the log.
///
/// # Errors
/// `NotFound` for a name that is nobody's.
pub async fn parked(log: &Log, name: &str, cursor: Option<&Cursor>, limit: &Limit) -> Result<Page<ParkedEvent>, ReadError> {
    let limit = limit.rows()?;
    let (incarnation, list) = (log.head().await?.incarnation, format!("parked:{name}"));
    let behind: i64 = cursor.map(|cursor| cursor.decode(incarnation, &list)).transpose()?.unwrap_or(0);
    if !sqlx::query_scalar(KNOWN).bind(name).fetch_one(log.pool()).await? {
        return Err(ReadError::NotFound);
    }
    let rows: Vec<Row> = sqlx::query_as(LIST).bind(name).bind(behind).bind(limit + 1).fetch_all(log.pool()).await?;
    let events = rows.into_iter().map(|row| ParkedEvent {
        position: row.position,
        organization_id: row.organization_id.into(),
        event_id: EventId(row.event_id),
        event_type: row.event_type,
        error: row.error,
        parked_at: row.parked_at,
    });
    Page::of(events.collect(), limit, |last| Cursor::encode(incarnation, &list, &last.position))
}
