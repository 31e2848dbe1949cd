//! The past: aggregates answer from their streams, folded up to a position (design 4).

use crate::engine::{ReadError, TenantReader};
use futures::TryStreamExt;
use palmares_domain::{
    kernel::{Aggregate, Event},
    points::Account,
};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many accounts are folded with one statement.
const ACCOUNTS_PER_READ: i64 = 500;

const EVENTS: &str = "
    SELECT stream_key, position, event_type, schema_version, payload
    FROM events WHERE stream_key = ANY($1) AND position <= $2
    ORDER BY stream_key, version";

/// The streams of some ids; the log is never changed, so no snapshot is needed to walk it.
const STREAMS: &str = "SELECT key, id FROM streams WHERE organization_id = $1 AND type = $2 AND id = ANY($3)";

const NEXT_STREAMS: &str = "
    SELECT key, id FROM streams WHERE organization_id = $1 AND type = $2 AND id > $3
    ORDER BY id LIMIT $4";

pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("points.past.events", EVENTS), ("points.past.streams", STREAMS), ("points.past.next_streams", NEXT_STREAMS)];

type EventRow = (i64, i64, String, i16, Vec<u8>);

/// Hands every event of `streams` up to `until` to `see`, stream by stream, with the stream's key
/// and the event's position. Holds one event at a time.
pub(super) async fn each_event<E: Event>(
    connection: &mut PgConnection,
    streams: &[i64],
    until: i64,
    mut see: impl FnMut(i64, i64, E) + Send,
) -> Result<(), ReadError> {
    // Planned for these very streams: a generic plan does not know that they are few.
    let query = sqlx::query_as::<_, EventRow>(EVENTS).persistent(false).bind(streams).bind(until);
    let mut rows = query.fetch(connection);
    while let Some((stream, position, event_type, schema_version, payload)) = rows.try_next().await? {
        let event = u16::try_from(schema_version)
            .map_err(anyhow::Error::from)
            .and_then(|version| Ok(E::from_payload(&event_type, version, &payload)?))
            .map_err(ReadError::Unavailable)?;
        see(stream, position, event);
    }
    Ok(())
}

/// The states of the streams `ids` as of `until`; a stream that began later is left out.
pub(super) async fn fold<A: Aggregate>(reader: &mut TenantReader<'_>, ids: &[Uuid], until: i64) -> Result<BTreeMap<Uuid, A>, ReadError> {
    let organization = reader.organization().0;
    let query = sqlx::query_as::<_, (i64, Uuid)>(STREAMS).bind(organization).bind(A::TYPE).bind(ids);
    let streams: BTreeMap<i64, Uuid> = query.fetch_all(reader.connection()).await?.into_iter().collect();
    let keys: Vec<i64> = streams.keys().copied().collect();
    let mut states: BTreeMap<Uuid, A> = BTreeMap::new();
    each_event::<A::Event>(reader.connection(), &keys, until, |key, _, event| {
        if let Some(id) = streams.get(&key) {
            states.entry(*id).or_default().evolve(&event);
        }
    })
    .await?;
    Ok(states)
}

/// Hands every account of the tenant as it was at `until` to `see`. Holds one account at a time.
pub(super) async fn each_account(reader: &mut TenantReader<'_>, until: i64, mut see: impl FnMut(&Account) + Send) -> Result<(), ReadError> {
    let organization = reader.organization().0;
    let mut last = Uuid::nil();
    loop {
        let query = sqlx::query_as::<_, (i64, Uuid)>(NEXT_STREAMS).bind(organization).bind(Account::TYPE).bind(last);
        let streams = query.bind(ACCOUNTS_PER_READ).fetch_all(reader.connection()).await?;
        let Some((_, id)) = streams.last() else { return Ok(()) };
        last = *id;
        let keys: Vec<i64> = streams.iter().map(|(key, _)| *key).collect();
        let mut current: Option<(i64, Account)> = None;
        each_event(reader.connection(), &keys, until, |key, _, event| {
            let is_next = current.as_ref().is_none_or(|(of, _)| *of != key);
            if is_next && let Some((_, done)) = current.replace((key, Account::default())) {
                see(&done);
            }
            if let Some((_, account)) = &mut current {
                account.evolve(&event);
            }
        })
        .await?;
        if let Some((_, done)) = current {
            see(&done);
        }
    }
}
