//! What is to be sealed, as leaves.
//!
//! It is read without a join, which would read every stream there is for some thousand events, and
//! hashed here: PostgreSQL takes several times as long for the same hash.

use super::{
    SealError,
    sealer::refused,
    statements::{EVENTS, STREAMS},
};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use palmares_proofs::{
    Entry,
    entry::{BytesHash, Id, Instant},
};
use sqlx::{PgPool, Row, postgres::PgRow};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Events that are read from the log at a time.
const EVENTS_MAX: i64 = 8_192;
/// More than any batch has.
const BATCH_MAX: i64 = 16 * EVENTS_MAX;
/// Streams whose names stay in memory, some 25 MB; the others are read again when they grow.
const STREAMS_MAX: usize = 1 << 18;

/// Types and ids of streams, by key. Neither ever changes.
#[derive(Default)]
pub(super) struct Streams(HashMap<i64, (String, Uuid)>);

/// An event before it is known of which stream it is.
struct Unnamed {
    organization: Uuid,
    stream_key: i64,
    entry: Entry,
}

/// What was read of the log.
pub(super) struct Read {
    /// In their order and without a gap, each with its organization.
    pub events: Vec<(Uuid, Entry)>,
    /// What vouches for the batch that ends at a position.
    pub vouchers: HashMap<i64, Vec<u8>>,
    /// Whether the log ended there, so that no batch of it is cut.
    pub is_all: bool,
}

/// The events behind a position: some thousand, or those of a batch that is larger.
pub(super) async fn events(pool: &PgPool, streams: &mut Streams, after: i64) -> Result<Read, SealError> {
    let mut read = page(pool, streams, after, EVENTS_MAX).await?;
    if !read.is_all && read.vouchers.is_empty() {
        read = page(pool, streams, after, BATCH_MAX).await?;
        // A batch of so many there is not.
        read.is_all |= read.vouchers.is_empty();
    }
    Ok(read)
}

async fn page(pool: &PgPool, streams: &mut Streams, after: i64, count: i64) -> Result<Read, SealError> {
    // Row by row: hashes stay, and what they are of may be large.
    let mut rows = sqlx::query(EVENTS).persistent(false).bind(after).bind(after + count).fetch(pool);
    let (mut read, mut vouchers) = (Vec::new(), HashMap::new());
    while let Some(row) = rows.try_next().await? {
        let event = unnamed(&row)?;
        let (expected, position) = (after + read.len() as i64 + 1, event.entry.position);
        if position != expected {
            return Err(refused(format!("the log has no event at position {expected}")));
        }
        if let Some(voucher) = row.try_get(12)? {
            vouchers.insert(position, voucher);
        }
        read.push(event);
    }
    drop(rows);
    let is_all = (read.len() as i64) < count;
    streams.load(pool, &read).await?;
    let events = read.into_iter().map(|unnamed| streams.name(unnamed)).collect::<Result<_, _>>()?;
    Ok(Read { events, vouchers, is_all })
}

fn unnamed(row: &PgRow) -> Result<Unnamed, sqlx::Error> {
    let organization: Uuid = row.try_get(1)?;
    let id = |column: usize| row.try_get::<Uuid, _>(column).map(|id| Id(id.into_bytes()));
    let entry = Entry {
        position: row.try_get(0)?,
        organization_id: Id(organization.into_bytes()),
        stream_type: String::new(),
        stream_id: Id([0; 16]),
        version: row.try_get(3)?,
        event_id: id(4)?,
        event_type: row.try_get(5)?,
        schema_version: row.try_get(6)?,
        actor_id: id(7)?,
        recorded_at: Instant(row.try_get::<DateTime<Utc>, _>(8)?.timestamp_micros()),
        effective_at: row.try_get::<Option<DateTime<Utc>>, _>(9)?.map(|at| Instant(at.timestamp_micros())),
        metadata: BytesHash::of(row.try_get(10)?),
        payload: BytesHash::of(row.try_get(11)?),
    };
    Ok(Unnamed { organization, stream_key: row.try_get(2)?, entry })
}

impl Streams {
    /// Reads the names that are missing.
    async fn load(&mut self, pool: &PgPool, events: &[Unnamed]) -> Result<(), SealError> {
        if self.0.len() > STREAMS_MAX {
            self.0.clear();
        }
        let missing: BTreeSet<i64> = events.iter().map(|event| event.stream_key).filter(|key| !self.0.contains_key(key)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<i64> = missing.into_iter().collect();
        let found: Vec<(i64, String, Uuid)> = sqlx::query_as(STREAMS).bind(missing).fetch_all(pool).await?;
        self.0.extend(found.into_iter().map(|(key, stream_type, id)| (key, (stream_type, id))));
        Ok(())
    }

    fn name(&self, event: Unnamed) -> Result<(Uuid, Entry), SealError> {
        let Unnamed { organization, stream_key, mut entry } = event;
        let found = self.0.get(&stream_key);
        let (stream_type, id) = found.ok_or_else(|| refused(format!("the event at position {} is of no stream", entry.position)))?;
        (entry.stream_type, entry.stream_id) = (stream_type.clone(), Id(id.into_bytes()));
        Ok((organization, entry))
    }
}
