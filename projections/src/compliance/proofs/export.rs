//! Evidence packages: a span of the tenant's log with the proof that it is whole, in constant memory.

use super::{
    asked::Asked,
    trees::{self, Head, head, missing, name, nodes, root_proof},
};
use crate::{
    compliance::audit_trail::{self, ListAuditLogs},
    engine::{ReadError, Readers, TenantReader, sealing::positions},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{Stream, stream};
use palmares_domain::{
    kernel::{DataClass, Tenant},
    registry,
};
use palmares_proofs::{
    entry::{BytesHash, Id, Instant},
    evidence::{self, Plan},
    record::{Content, Record},
    tiles::WIDTH,
};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, VecDeque};
use uuid::Uuid;

/// The positions of the leaves of a tile.
pub(super) const POSITIONS: &str = "
    SELECT positions FROM proof_tiles WHERE organization_id = $1 AND level = 0 AND index = $2
    UNION ALL SELECT positions FROM proof_edges WHERE organization_id = $1 AND level = 0 AND index = $2";

pub(super) const RECORDED_AT: &str = "SELECT recorded_at FROM events WHERE organization_id = $1 AND position = $2";

pub(super) const EVENTS: &str = "
    SELECT position, recorded_at, effective_at, event_type, schema_version, event_id, stream_type, stream_id, version, actor_id,
           metadata, payload
    FROM log WHERE organization_id = $1 AND position = ANY($2) ORDER BY position";

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    recorded_at: DateTime<Utc>,
    effective_at: Option<DateTime<Utc>>,
    event_type: String,
    schema_version: i16,
    event_id: Uuid,
    stream_type: String,
    stream_id: Uuid,
    version: i64,
    actor_id: Uuid,
    metadata: Vec<u8>,
    payload: Vec<u8>,
}

/// Where an export stands.
struct Export {
    readers: Readers,
    tenant: Tenant,
    asked: Asked,
    /// Events from this position on are left out of a package that shows a choice: whether they fit is not known yet.
    before: i64,
    /// The leaves that are still to come; unknown before the head of the package.
    rest: Option<std::ops::Range<u64>>,
}

/// The package that `asked` names, up to what is sealed when it starts: one chunk for the head, and one for a tile of leaves.
/// It shows what `readers` are cleared for.
/// One that shows a choice ends before the position `before`.
pub fn export(
    readers: Readers,
    tenant: Tenant,
    asked: Asked,
    before: i64,
) -> impl Stream<Item = Result<Bytes, ReadError>> + Send + 'static {
    stream::try_unfold(Export { readers, tenant, asked, before, rest: None }, Export::next)
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ReadError> {
        let mut reader = self.readers.open(self.tenant, None).await?;
        let chunk = match self.rest.take() {
            None => {
                let (head, rest) = begin(&mut reader, &self.asked, self.before).await?;
                self.rest = Some(rest);
                head
            }
            Some(rest) if rest.is_empty() => return Ok(None),
            Some(rest) => {
                let end = rest.end.min((rest.start / WIDTH as u64 + 1) * WIDTH as u64);
                let chunk = records(&mut reader, rest.start..end, self.asked.choice().as_ref()).await?;
                self.rest = Some(end..rest.end);
                chunk
            }
        };
        drop(reader);
        Ok(Some((chunk, self)))
    }
}

/// The head of the package, and the leaves behind it.
async fn begin(reader: &mut TenantReader<'_>, asked: &Asked, before: i64) -> Result<(Bytes, std::ops::Range<u64>), ReadError> {
    let Head { root_index, note, size } = head(reader).await?;
    let first = match asked.from {
        Some(from) => first_at(reader, size, from).await?.saturating_sub(1),
        None => 0,
    };
    let end = match asked.to {
        Some(to) => (first_at(reader, size, to).await? + 1).min(size).max(first),
        None => size,
    };
    let end = match asked.choice() {
        Some(_) => end.min(first_behind(reader, size, before).await?).max(1),
        None => end,
    };
    // A choice ends where it was asked for, and may have been asked for from behind there: then the last leaf before it
    // is in the package. One of no leaf would prove nothing.
    let first = first.min(end.saturating_sub(1));
    let plan = Plan { first, count: end - first, size, pinned: asked.pinned_size };
    let ranges = plan.ranges().ok_or_else(|| ReadError::invalid("pinned_size", "out_of_range"))?;
    let nodes = nodes(reader, &ranges).await?;
    let root = root_proof(reader, root_index).await?;
    let keys: Vec<(Vec<u8>, Option<String>, DateTime<Utc>)> = sqlx::query_as(trees::KEYS).fetch_all(reader.connection()).await?;
    let introductions = keys.into_iter().filter_map(|(_, introduction, _)| introduction).collect();
    let log = name(reader).await?;
    let organization = Id(reader.organization().0.into_bytes());
    let head = plan.head(organization, &log, note, &root, introductions, &nodes).ok_or_else(missing)?;
    Ok((line(&head)?, first..end))
}

fn line(part: &impl serde::Serialize) -> Result<Bytes, ReadError> {
    evidence::line(part).map(Bytes::from).map_err(|error| ReadError::Unavailable(error.into()))
}

/// The first leaf that was recorded at `time` or later; `size` where there is none. Times grow along the log.
async fn first_at(reader: &mut TenantReader<'_>, size: u64, time: DateTime<Utc>) -> Result<u64, ReadError> {
    let organization = reader.organization().0;
    let (mut from, mut to) = (0, size);
    while from < to {
        let middle = from + (to - from) / 2;
        let position = *places(reader, middle..middle + 1).await?.front().ok_or_else(missing)?;
        let recorded: Option<DateTime<Utc>> =
            sqlx::query_scalar(RECORDED_AT).bind(organization).bind(position).fetch_optional(reader.connection()).await?;
        if recorded.ok_or_else(missing)? < time { from = middle + 1 } else { to = middle }
    }
    Ok(from)
}

/// The first leaf at a position or behind it; `size` where there is none.
async fn first_behind(reader: &mut TenantReader<'_>, size: u64, position: i64) -> Result<u64, ReadError> {
    let (mut from, mut to) = (0, size);
    while from < to {
        let middle = from + (to - from) / 2;
        let there = *places(reader, middle..middle + 1).await?.front().ok_or_else(missing)?;
        if there < position { from = middle + 1 } else { to = middle }
    }
    Ok(from)
}

/// The positions of leaves of one tile.
async fn places(reader: &mut TenantReader<'_>, leaves: std::ops::Range<u64>) -> Result<VecDeque<i64>, ReadError> {
    let (organization, tile) = (reader.organization().0, leaves.start / WIDTH as u64);
    let tile_start = tile * WIDTH as u64;
    let found: Option<Vec<u8>> =
        sqlx::query_scalar(POSITIONS).bind(organization).bind(tile as i64).fetch_optional(reader.connection()).await?;
    let found = positions(&found.ok_or_else(missing)?);
    let wanted = found.get((leaves.start - tile_start) as usize..(leaves.end - tile_start) as usize).ok_or_else(missing)?;
    Ok(wanted.iter().copied().collect())
}

/// The lines of these leaves, which are of one tile; what a choice leaves out is hashes in them, and so is what says
/// anything above the reader's clearance: a leaf proves a payload whole, or its hash.
async fn records(reader: &mut TenantReader<'_>, leaves: std::ops::Range<u64>, choice: Option<&ListAuditLogs>) -> Result<Bytes, ReadError> {
    let organization = reader.organization().0;
    let positions: Vec<i64> = places(reader, leaves.clone()).await?.into();
    let rows: Vec<Row> =
        sqlx::query_as(EVENTS).persistent(false).bind(organization).bind(&positions).fetch_all(reader.connection()).await?;
    if !rows.iter().map(|row| row.position).eq(positions) {
        // A package that cannot be whole is not handed over as one.
        return Err(ReadError::Unavailable(anyhow::anyhow!("events that were sealed are missing: see `palmares verify-log`")));
    }
    let shown = match choice {
        Some(choice) => Some(matching(reader, choice, &rows).await?),
        None => None,
    };
    let clearance = reader.clearance();
    let mut lines = Vec::new();
    for (index, row) in leaves.zip(rows) {
        let is_shown = shown.as_ref().is_none_or(|shown| shown.contains(&row.position)) && !row.is_above(clearance);
        lines.extend_from_slice(&line(&row.record(index, is_shown))?);
    }
    Ok(Bytes::from(lines))
}

/// The positions of the events that a search finds among these.
async fn matching(reader: &mut TenantReader<'_>, choice: &ListAuditLogs, rows: &[Row]) -> Result<BTreeSet<i64>, ReadError> {
    let Some((first, last)) = rows.first().zip(rows.last()) else { return Ok(BTreeSet::new()) };
    audit_trail::positions_of(choice, reader, (first.position - 1, last.position + 1), rows.len() as i64).await
}

impl Row {
    /// Whether the payload says anything that is above a clearance. Of what is no JSON nobody knows the class.
    fn is_above(&self, clearance: DataClass) -> bool {
        if clearance == DataClass::Restricted {
            return false;
        }
        let event = u16::try_from(self.schema_version).ok().and_then(|version| registry::event_spec(&self.event_type, version));
        let payload = serde_json::from_slice::<&RawValue>(&self.payload).ok();
        payload.is_none_or(|payload| registry::data_map::cleared(event, payload, clearance).is_some())
    }

    fn record(self, index: u64, is_shown: bool) -> Record {
        let id = |id: Uuid| Id(id.into_bytes());
        let content = |bytes: &[u8]| if is_shown { Content::of(bytes) } else { Content::Sha256(BytesHash::of(bytes)) };
        Record {
            index,
            position: self.position,
            recorded_at: Instant(self.recorded_at.timestamp_micros()),
            effective_at: self.effective_at.map(|at| Instant(at.timestamp_micros())),
            event_type: self.event_type,
            schema_version: self.schema_version,
            event_id: id(self.event_id),
            stream_type: self.stream_type,
            stream_id: id(self.stream_id),
            version: self.version,
            actor_id: id(self.actor_id),
            metadata: content(&self.metadata),
            payload: content(&self.payload),
        }
    }
}
