//! Before and after: the streams of a page, folded to the versions that it shows.
//!
//! A stream is folded from its beginning, or from the state that an earlier page left at a multiple
//! of [`MARK_EVERY`] versions. One page folds at most [`PAGE_MAX_EVENTS`] events; what lies further
//! is shown without its differences, and since the marks stay, asking again gets further.

use super::differences::{Difference, differences};
use crate::engine::{ReadError, TenantReader};
use futures::TryStreamExt;
use moka::sync::Cache;
use palmares_domain::{
    compliance::access_record::AccessRecord,
    kernel::{Aggregate, OrganizationId},
    registry::{self, AggregateSpec, StateFold},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};
use uuid::Uuid;

pub(super) const STREAM: &str = "
    SELECT version, event_id, event_type, schema_version, payload
    FROM events
    WHERE organization_id = $1 AND version >= $4 AND version <= $5
      AND stream_key = (SELECT key FROM streams WHERE organization_id = $1 AND type = $2 AND id = $3)
    ORDER BY version";

const MARK_EVERY: i64 = 1_000;
const PAGE_MAX_EVENTS: i64 = 20_000;
/// What all marks may take, about.
const MARKS_BYTES: u64 = 32 * 1024 * 1024;

/// One stream, by type and id.
pub(super) type StreamKey = (String, Uuid);

/// The differences that events of a page made, by stream and version.
pub(super) type Shown = BTreeMap<(StreamKey, i64), BTreeMap<String, Difference>>;

/// A state on the way, after the event it names: a log that was restored may hold another one at
/// the same version.
struct Mark {
    event: Uuid,
    state: Value,
    bytes: u32,
}

static MARKS: LazyLock<Cache<(OrganizationId, StreamKey, i64), Arc<Mark>>> =
    LazyLock::new(|| Cache::builder().max_capacity(MARKS_BYTES).weigher(|_, mark: &Arc<Mark>| mark.bytes).build());

/// What folds a stream whose state is shown. Left out are those whose state says nothing to people (an
/// access record only counts), and those that decide on personal data, which stay closed here.
pub(super) fn shown(stream_type: &str) -> Option<&'static AggregateSpec> {
    registry::aggregate(stream_type).filter(|spec| spec.decides_on.is_none() && spec.stream_type != AccessRecord::TYPE)
}

/// What the events at `wanted` changed, of streams whose state is [`shown`]. Left out are events that this
/// build cannot read.
pub(super) async fn differences_of(reader: &mut TenantReader<'_>, wanted: BTreeMap<StreamKey, BTreeSet<i64>>) -> Result<Shown, ReadError> {
    let mut found = Shown::new();
    let mut left = PAGE_MAX_EVENTS;
    for (stream, versions) in wanted {
        if let Some(spec) = shown(&stream.0) {
            fold(reader, spec, &stream, &versions, &mut left, &mut found).await?;
        }
    }
    Ok(found)
}

async fn fold(
    reader: &mut TenantReader<'_>,
    spec: &AggregateSpec,
    stream: &StreamKey,
    versions: &BTreeSet<i64>,
    left: &mut i64,
    shown: &mut Shown,
) -> Result<(), ReadError> {
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else { return Ok(()) };
    let organization = reader.organization();
    let mark = nearest(organization, stream, *first);
    if let Some((at, mark)) = mark
        && walk(reader, spec, stream, (at, Some(&mark), *last), versions, left, shown).await?
    {
        return Ok(());
    }
    walk(reader, spec, stream, (0, None, *last), versions, left, shown).await.map(drop)
}

/// The last mark before `version`.
fn nearest(organization: OrganizationId, stream: &StreamKey, version: i64) -> Option<(i64, Arc<Mark>)> {
    let highest = (version - 1) / MARK_EVERY;
    let marks = (1..=highest).rev().map(|number| number * MARK_EVERY);
    marks.into_iter().find_map(|at| Some((at, MARKS.get(&(organization, stream.clone(), at))?)))
}

/// Folds from a mark, or from nothing at version 0, up to a version. False where the mark does not
/// fit the stream or this build, and nothing was done.
async fn walk(
    reader: &mut TenantReader<'_>,
    spec: &AggregateSpec,
    stream: &StreamKey,
    (from, mark, to): (i64, Option<&Mark>, i64),
    versions: &BTreeSet<i64>,
    left: &mut i64,
    shown: &mut Shown,
) -> Result<bool, ReadError> {
    let Ok(mut state) = spec.fold(mark.map(|mark| &mark.state)) else { return Ok(false) };
    let organization = reader.organization();
    let to = to.min(from.saturating_add(*left));
    let query = sqlx::query_as::<_, (i64, Uuid, String, i16, Vec<u8>)>(STREAM).persistent(false);
    let query = query.bind(organization.0).bind(&stream.0).bind(stream.1).bind(from).bind(to);
    let mut events = query.fetch(reader.connection());
    if let Some(mark) = mark
        && events.try_next().await?.is_none_or(|(_, event, ..)| event != mark.event)
    {
        return Ok(false);
    }
    // The state behind the last event, where that was shown: the next one begins with it.
    let mut behind: Option<Value> = None;
    while let Some((version, event, event_type, schema_version, payload)) = events.try_next().await? {
        *left -= 1;
        let wanted = versions.contains(&version);
        let before = match behind.take() {
            _ if !wanted => Value::Null,
            Some(state) => state,
            None => json(&*state)?,
        };
        let schema_version = u16::try_from(schema_version).unwrap_or_default();
        if state.apply(&event_type, schema_version, &payload).is_err() {
            // What follows would rest on a state that is not the aggregate's.
            return Ok(true);
        }
        if wanted {
            let after = json(&*state)?;
            shown.insert((stream.clone(), version), differences(&before, &after));
            behind = Some(after);
        }
        if version % MARK_EVERY == 0 {
            let state = json(&*state)?;
            let bytes = u32::try_from(state.to_string().len()).unwrap_or(u32::MAX);
            MARKS.insert((organization, stream.clone(), version), Arc::new(Mark { event, state, bytes }));
        }
    }
    Ok(true)
}

fn json(state: &dyn StateFold) -> Result<Value, ReadError> {
    state.state().map_err(|error| ReadError::Unavailable(error.into()))
}
