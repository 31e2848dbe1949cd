//! Before and after: the streams of a page, folded to the versions that it shows.
//!
//! A stream is folded from its beginning, or from the state that an earlier page left at a multiple
//! of [`MARK_EVERY`] versions. One page folds at most [`PAGE_MAX_EVENTS`] events; what lies further
//! is shown without its differences, and since the marks stay, asking again gets further.

use super::differences::{Detail, Difference, differences};
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

/// Streams of a page, each from a version to another one, one after another.
pub(super) const STREAMS: &str = "
    SELECT u.n, e.version, e.event_id, e.event_type, e.schema_version, e.payload
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY u(stream_key, first, last, n),
        LATERAL (SELECT * FROM events e WHERE e.stream_key = u.stream_key AND e.version >= u.first AND e.version <= u.last OFFSET 0) e
    WHERE e.organization_id = $1
    ORDER BY u.n, e.version";

const MARK_EVERY: i64 = 1_000;
const PAGE_MAX_EVENTS: i64 = 20_000;
/// What all marks may take, about.
const MARKS_BYTES: u64 = 32 * 1024 * 1024;

/// One stream, by type and id.
pub(super) type StreamKey = (String, Uuid);

/// What a page shows of a stream.
#[derive(Default)]
pub(super) struct Wanted {
    /// The stream's key in the log.
    pub key: i64,
    pub versions: BTreeSet<i64>,
}

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
pub(super) async fn differences_of(
    reader: &mut TenantReader<'_>,
    wanted: BTreeMap<StreamKey, Wanted>,
    detail: Detail,
) -> Result<Shown, ReadError> {
    let organization = reader.organization();
    let mut page = Page { organization, detail, left: PAGE_MAX_EVENTS, found: Shown::new() };
    let of_page = wanted.iter().filter_map(|(stream, wanted)| {
        let mark = nearest(organization, stream, *wanted.versions.first()?);
        Some(Walk::new(shown(&stream.0)?, stream, wanted, mark))
    });
    let marked = page.walk(reader, of_page.collect()).await?;
    // What was marked is of a log that is no more, or of another build.
    let again = marked.into_iter().filter(|walk| walk.mark.is_some() && !walk.begun);
    page.walk(reader, again.map(|walk| Walk::new(walk.spec, walk.stream, walk.wanted, None)).collect()).await?;
    Ok(page.found)
}

/// The last mark before `version`.
fn nearest(organization: OrganizationId, stream: &StreamKey, version: i64) -> Option<(i64, Arc<Mark>)> {
    let highest = (version - 1) / MARK_EVERY;
    let marks = (1..=highest).rev().map(|number| number * MARK_EVERY);
    marks.into_iter().find_map(|at| Some((at, MARKS.get(&(organization, stream.clone(), at))?)))
}

/// A stream that is folded from a mark, or from nothing.
struct Walk<'w> {
    spec: &'static AggregateSpec,
    stream: &'w StreamKey,
    wanted: &'w Wanted,
    mark: Option<(i64, Arc<Mark>)>,
    /// Where the log has the event of the mark, or there is none: the first event.
    begun: bool,
    /// None where nothing can be folded, or no further.
    state: Option<Box<dyn StateFold>>,
    /// The state behind the last event, where that was shown: the next one begins with it.
    behind: Option<Value>,
}

struct Page {
    organization: OrganizationId,
    detail: Detail,
    /// How many events may still be folded for it.
    left: i64,
    found: Shown,
}

#[derive(sqlx::FromRow)]
struct Event {
    /// Which of the streams, from 1.
    n: i64,
    version: i64,
    event_id: Uuid,
    event_type: String,
    schema_version: i16,
    payload: Vec<u8>,
}

impl<'w> Walk<'w> {
    fn new(spec: &'static AggregateSpec, stream: &'w StreamKey, wanted: &'w Wanted, mark: Option<(i64, Arc<Mark>)>) -> Self {
        let state = spec.fold(mark.as_ref().map(|(_, mark)| &mark.state)).ok();
        Self { spec, stream, wanted, mark, begun: false, state, behind: None }
    }

    fn from(&self) -> i64 {
        self.mark.as_ref().map_or(0, |(at, _)| *at)
    }
}

impl Page {
    /// Folds streams as far as they are wanted and may be, in one round trip.
    async fn walk<'w>(&mut self, reader: &mut TenantReader<'_>, mut walks: Vec<Walk<'w>>) -> Result<Vec<Walk<'w>>, ReadError> {
        if walks.is_empty() {
            return Ok(walks);
        }
        let (mut keys, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for walk in &walks {
            let from = walk.from();
            let to = walk.wanted.versions.last().map_or(from, |to| from.saturating_add(self.left).min(*to));
            self.left -= to - from;
            keys.push(walk.wanted.key);
            first.push(from);
            last.push(to);
        }
        let query = sqlx::query_as::<_, Event>(STREAMS).persistent(false).bind(self.organization.0).bind(keys).bind(first).bind(last);
        let mut events = query.fetch(reader.connection());
        while let Some(event) = events.try_next().await? {
            let walk = usize::try_from(event.n - 1).ok().and_then(|n| walks.get_mut(n));
            if let Some(walk) = walk {
                self.step(walk, &event)?;
            }
        }
        drop(events);
        Ok(walks)
    }

    /// Takes the next event of a stream.
    fn step(&mut self, walk: &mut Walk<'_>, event: &Event) -> Result<(), ReadError> {
        let Some(state) = &mut walk.state else { return Ok(()) };
        if !walk.begun
            && let Some((_, mark)) = &walk.mark
        {
            walk.begun = event.event_id == mark.event;
            if !walk.begun {
                walk.state = None;
            }
            return Ok(());
        }
        walk.begun = true;
        let wanted = walk.wanted.versions.contains(&event.version);
        let before = match walk.behind.take() {
            _ if !wanted => Value::Null,
            Some(state) => state,
            None => json(&**state)?,
        };
        let schema_version = u16::try_from(event.schema_version).unwrap_or_default();
        if state.apply(&event.event_type, schema_version, &event.payload).is_err() {
            // What follows would rest on a state that is not the aggregate's.
            walk.state = None;
            return Ok(());
        }
        if wanted {
            let after = json(&**state)?;
            self.found.insert((walk.stream.clone(), event.version), differences(&before, &after, self.detail));
            walk.behind = Some(after);
        }
        if event.version % MARK_EVERY == 0 {
            let state = json(&**state)?;
            let bytes = u32::try_from(state.to_string().len()).unwrap_or(u32::MAX);
            let mark = Arc::new(Mark { event: event.event_id, state, bytes });
            MARKS.insert((self.organization, walk.stream.clone(), event.version), mark);
        }
        Ok(())
    }
}

fn json(state: &dyn StateFold) -> Result<Value, ReadError> {
    state.state().map_err(|error| ReadError::Unavailable(error.into()))
}
