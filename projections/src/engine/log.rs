//! Reading the log where it is true: in PostgreSQL, as role `palmares_relay`, across tenants.

use super::provenance::MessageKey;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use palmares_domain::kernel::{EventId, OrganizationId, Purpose, RecordedEvent, StreamVersion};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};
use std::collections::HashMap;
use uuid::Uuid;

/// The log of this cell.
#[derive(Clone)]
pub struct Log {
    pool: PgPool,
}

/// Where the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub position: i64,
    /// Renewed when positions may be given out again, after a restore or a promotion.
    pub incarnation: Uuid,
}

/// The ciphertext of one personal field of one event.
#[derive(Clone, Debug)]
pub struct SealedField {
    pub field: String,
    pub subject: Uuid,
    pub purpose: Purpose,
    pub ciphertext: Vec<u8>,
}

/// What [`event`] reads, by the places of the columns.
macro_rules! events {
    ($which:literal) => {
        concat!(
            "
    SELECT position, event_id, event_type, schema_version, stream_type, stream_id, version, organization_id, actor_id,
           recorded_at, effective_at, metadata, payload
    FROM log ",
            $which
        )
    };
}

const READ_AFTER: &str = events!("WHERE position > $1 AND position <= $2 ORDER BY position");

const READ_TYPES: &str = events!("WHERE position <= $1 AND event_type = ANY($2) ORDER BY position");

const READ_STREAM: &str = events!(
    "WHERE stream_key = (SELECT key FROM streams WHERE organization_id = $1 AND type = $2 AND id = $3) AND version > $4
    ORDER BY version LIMIT $5"
);

const HEAD: &str = "SELECT position, incarnation FROM log_head";

/// What messages of this log are signed with.
const MESSAGE_KEY: &str = "SELECT key FROM message_key";

const SEALED: &str = "
    SELECT position, field, subject_id, purpose, ciphertext
    FROM event_sealed WHERE position = ANY($1)";

const RECORDED_AT: &str = "SELECT recorded_at FROM events WHERE position = $1";

const EVENT_ID: &str = "SELECT event_id FROM events WHERE position = $1";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.log.read_after", READ_AFTER),
    ("engine.log.read_types", READ_TYPES),
    ("engine.log.read_stream", READ_STREAM),
    ("engine.log.head", HEAD),
    ("engine.log.message_key", MESSAGE_KEY),
    ("engine.log.sealed", SEALED),
    ("engine.log.recorded_at", RECORDED_AT),
    ("engine.log.event_id", EVENT_ID),
];

impl Log {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub async fn head(&self) -> Result<Head, sqlx::Error> {
        let (position, incarnation) = sqlx::query_as(HEAD).fetch_one(&self.pool).await?;
        Ok(Head { position, incarnation })
    }

    pub async fn message_key(&self) -> Result<MessageKey, sqlx::Error> {
        let key: Vec<u8> = sqlx::query_scalar(MESSAGE_KEY).fetch_one(&self.pool).await?;
        Ok(MessageKey::new(&key))
    }

    /// At most `limit` events behind `position`. Positions have no gaps, so the answer is exactly
    /// the next ones, and shorter than `limit` only at the head.
    pub async fn read_after(&self, position: i64, limit: i64) -> Result<Vec<RecordedEvent>, sqlx::Error> {
        // Planned anew each time: a generic plan does not know that the range is short, and joins
        // every stream there is.
        let query = sqlx::query(READ_AFTER).persistent(false).bind(position).bind(position.saturating_add(limit));
        query.fetch_all(&self.pool).await?.iter().map(event).collect()
    }

    /// At most `limit` events of one stream behind `version`.
    pub async fn read_stream(
        &self,
        organization: OrganizationId,
        stream: (&str, Uuid),
        version: i64,
        limit: i64,
    ) -> Result<Vec<RecordedEvent>, sqlx::Error> {
        let query = sqlx::query(READ_STREAM).bind(organization.0).bind(stream.0).bind(stream.1).bind(version).bind(limit);
        query.fetch_all(&self.pool).await?.iter().map(event).collect()
    }

    /// The ciphertexts that stand beside the events at `positions`.
    pub async fn sealed(&self, positions: &[i64]) -> Result<HashMap<i64, Vec<SealedField>>, sqlx::Error> {
        let mut fields: HashMap<i64, Vec<SealedField>> = HashMap::new();
        for row in sqlx::query(SEALED).bind(positions).fetch_all(&self.pool).await? {
            let purpose: String = row.try_get(3)?;
            let purpose = Purpose::parse(&purpose).ok_or_else(|| malformed(format!("unknown purpose `{purpose}`")))?;
            let field = SealedField { field: row.try_get(1)?, subject: row.try_get(2)?, purpose, ciphertext: row.try_get(4)? };
            fields.entry(row.try_get(0)?).or_default().push(field);
        }
        Ok(fields)
    }

    /// The last position recorded at or before `time`; 0 before the first event.
    ///
    /// `recorded_at` never decreases along the log, so a binary search by position answers without
    /// an index on time, which would cost the append a third of its rate.
    pub async fn position_at(&self, time: DateTime<Utc>) -> Result<i64, sqlx::Error> {
        let (mut known_before, mut known_after) = (0, self.head().await?.position + 1);
        while known_after - known_before > 1 {
            let middle = known_before + (known_after - known_before) / 2;
            match self.recorded_at(middle).await? {
                Some(recorded_at) if recorded_at <= time => known_before = middle,
                _ => known_after = middle,
            }
        }
        Ok(known_before)
    }

    /// When the event at `position` was recorded; `None` behind the head.
    pub async fn recorded_at(&self, position: i64) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        sqlx::query_scalar(RECORDED_AT).bind(position).fetch_optional(&self.pool).await
    }

    pub(super) async fn event_id(&self, position: i64) -> Result<Option<EventId>, sqlx::Error> {
        Ok(sqlx::query_scalar(EVENT_ID).bind(position).fetch_optional(&self.pool).await?.map(EventId))
    }
}

/// The events of some types up to a position, as a transaction sees them. One that cannot be decoded is an error.
pub(super) fn of_types<'c>(
    connection: &'c mut PgConnection,
    types: &'c [&'c str],
    until: i64,
) -> impl Stream<Item = Result<RecordedEvent, sqlx::Error>> + 'c {
    sqlx::query(READ_TYPES).bind(until).bind(types).fetch(connection).map(|row| event(&row?))
}

fn event(row: &PgRow) -> Result<RecordedEvent, sqlx::Error> {
    let json = |index: usize| -> Result<_, sqlx::Error> {
        serde_json::from_slice(row.try_get::<&[u8], _>(index)?).map_err(|error| malformed(error.to_string()))
    };
    let schema_version: i16 = row.try_get(3)?;
    Ok(RecordedEvent {
        position: row.try_get(0)?,
        id: EventId(row.try_get(1)?),
        event_type: row.try_get(2)?,
        schema_version: u16::try_from(schema_version).map_err(|error| malformed(error.to_string()))?,
        stream: StreamVersion { stream_type: row.try_get(4)?, id: row.try_get(5)?, version: row.try_get(6)? },
        organization_id: OrganizationId(row.try_get(7)?),
        actor_id: row.try_get(8)?,
        recorded_at: row.try_get(9)?,
        effective_at: row.try_get(10)?,
        metadata: json(11)?,
        payload: json(12)?,
    })
}

fn malformed(reason: String) -> sqlx::Error {
    sqlx::Error::Decode(reason.into())
}
