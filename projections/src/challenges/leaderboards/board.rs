//! A whole board in memory: loaded, opened, put in order, and kept while it stands.
//!
//! Scores of a metric are sealed one by one, so no index can rank them. A board is opened once per
//! revision and shared by everyone who asks for it.

use super::{PROJECTION, place, projector::score};
use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, Utc};
use moka::future::Cache;
use palmares_domain::kernel::{OrganizationId, UserId};
use std::{
    cmp::Reverse,
    sync::{Arc, LazyLock},
    time::Duration,
};
use uuid::Uuid;

pub(super) const STATE: &str = "
    SELECT c.position, b.position, b.revision,
           ARRAY(SELECT DISTINCT p.sequence_key FROM parked_events p WHERE p.name = c.name AND p.slot = c.slot)
    FROM checkpoints c LEFT JOIN challenges_leaderboard_changes b
      ON b.organization_id = $2 AND b.metric = $3 AND b.window_key = $4
    WHERE c.name = $1 AND c.active";

/// The position comes from the statement that reads the rows, so that both are of one moment.
pub(super) const STANDING: &str = "
    SELECT c.position, b.user_id, b.from_position, b.reached_at, b.sealed, b.points
    FROM challenges_leaderboard_changes c JOIN challenges_leaderboards b
      ON b.organization_id = c.organization_id AND b.metric = c.metric AND b.window_key = c.window_key AND b.to_position IS NULL
    WHERE c.organization_id = $1 AND c.metric = $2 AND c.window_key = $3";

pub(super) const PAST: &str = "
    SELECT $4::bigint, b.user_id, b.from_position, b.reached_at, b.sealed, b.points
    FROM challenges_leaderboards b
    WHERE b.organization_id = $1 AND b.metric = $2 AND b.window_key = $3
      AND b.from_position <= $4 AND (b.to_position IS NULL OR b.to_position > $4)";

/// What all kept boards may take, about.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// A board goes after this time whatever else fails: it holds health data in clear, and a key may
/// be destroyed on another node.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// Which state of which board. A revision is random and new with every change, so a board of
/// another database, slot or moment is never taken for this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct BoardKey {
    organization: OrganizationId,
    revision: Uuid,
    /// Of a past state, its position.
    past: Option<i64>,
}

static BOARDS: LazyLock<Cache<BoardKey, Arc<Board>>> = LazyLock::new(|| {
    Cache::builder()
        .max_capacity(KEPT_BYTES)
        .weigher(|_, board: &Arc<Board>| u32::try_from(128 + board.places.len() * size_of::<Standing>()).unwrap_or(u32::MAX))
        .time_to_live(KEPT_FOR)
        .support_invalidation_closures()
        .build()
});

/// Forgets every board of an organization on this node: an erasure calls it, since a board shows
/// scores that could not be opened any more.
pub fn forget(organization: OrganizationId) {
    // An error says that closures are not supported, and they are.
    let _ = BOARDS.invalidate_entries_if(move |key, _| key.organization == organization);
}

/// One place on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub user: UserId,
    pub score: i64,
    pub reached_at: DateTime<Utc>,
    from: i64,
}

/// A board in its order; the first place is at index 0.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// The position at which it became what it is.
    position: i64,
    pub places: Vec<Standing>,
}

/// A board, and the position as of which it is shown.
pub(super) struct Shown {
    pub board: Arc<Board>,
    pub as_of: i64,
}

/// Which board is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub metric: &'static str,
    pub window: &'a str,
    /// The position; now where it is missing.
    pub as_of: Option<i64>,
}

/// The projection's checkpoint, the board's last change and revision, and who is parked.
type StateRow = (i64, Option<i64>, Option<Uuid>, Vec<Uuid>);

/// The board that is asked for.
pub(super) async fn show(reader: &mut TenantReader<'_>, asked: Asked<'_>) -> Result<Shown, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(STATE).bind(PROJECTION).bind(organization.0).bind(asked.metric).bind(asked.window);
    let state: Option<StateRow> = query.fetch_optional(reader.connection()).await?;
    let (checkpoint, changed, revision, parked) = state.unwrap_or_default();
    // Whoever is parked may be missing from any board.
    parked.into_iter().for_each(|key| reader.touches(key));
    let as_of = asked.as_of.unwrap_or(checkpoint);
    let (Some(changed), Some(revision)) = (changed, revision) else {
        return Ok(Shown { board: Arc::default(), as_of });
    };
    if changed <= as_of {
        let board = kept(reader, BoardKey { organization, revision, past: None }, asked).await?;
        // The board may have changed since its revision was read: then it is of a later moment,
        // which is the newest there is, or too late for the position that was asked for.
        if asked.as_of.is_none() || board.position <= as_of {
            return Ok(Shown { as_of: as_of.max(board.position), board });
        }
    }
    let board = kept(reader, BoardKey { organization, revision, past: Some(as_of) }, asked).await?;
    Ok(Shown { board, as_of })
}

/// A board from memory; who comes while it is loaded waits for it instead of loading it too.
async fn kept(reader: &mut TenantReader<'_>, key: BoardKey, asked: Asked<'_>) -> Result<Arc<Board>, ReadError> {
    let loaded = BOARDS.try_get_with(key, async { load(reader, asked, key.past).await.map(Arc::new) }).await;
    loaded.map_err(|error: Arc<ReadError>| ReadError::Unavailable(anyhow::anyhow!("{error}")))
}

type PlaceRow = (i64, Uuid, i64, DateTime<Utc>, Option<Vec<u8>>, Option<i64>);

async fn load(reader: &mut TenantReader<'_>, asked: Asked<'_>, past: Option<i64>) -> Result<Board, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(if past.is_some() { PAST } else { STANDING }).persistent(false);
    let query = query.bind(organization.0).bind(asked.metric).bind(asked.window);
    let query = if let Some(position) = past { query.bind(position) } else { query };
    let rows: Vec<PlaceRow> = query.fetch_all(reader.connection()).await?;
    let sealed = rows.iter().filter_map(|(_, user, from, _, sealed, _)| {
        Some((place(organization, asked.metric, asked.window, UserId(*user), *from), sealed.as_deref()?))
    });
    let mut opened = reader.keys().open_many(&sealed.collect::<Vec<_>>()).await?.into_iter();
    let mut board = Board::default();
    for (position, user, from, reached_at, sealed, points) in rows {
        board.position = position;
        let clear = if sealed.is_some() { opened.next().flatten() } else { None };
        let clear = clear.map(|clear| score(&clear).ok_or_else(|| ReadError::Unavailable(anyhow::anyhow!("a sealed score has 8 bytes"))));
        // Neither: the person was erased.
        let Some(score) = points.or(clear.transpose()?) else { continue };
        board.places.push(Standing { user: UserId(user), score, reached_at, from });
    }
    put_in_order(&mut board.places);
    Ok(board)
}

/// The declared order; who has no score above zero has no place.
fn put_in_order(places: &mut Vec<Standing>) {
    places.retain(|place| place.score > 0);
    places.sort_unstable_by_key(|place| (Reverse(place.score), place.reached_at, place.from, place.user));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded_at;

    fn place(user: u128, score: i64, position: i64) -> Standing {
        Standing { user: UserId(Uuid::from_u128(user)), score, reached_at: recorded_at(position), from: position }
    }

    #[test]
    fn the_higher_score_leads_and_among_equals_who_reached_it_first() {
        let mut places = vec![place(1, 10, 7), place(2, 20, 9), place(3, 10, 5), place(4, 0, 1), place(5, -3, 1), place(6, 10, 5)];
        put_in_order(&mut places);
        let order: Vec<u128> = places.iter().map(|place| place.user.0.as_u128()).collect();
        assert_eq!(order, [2, 3, 6, 1]);
    }
}
