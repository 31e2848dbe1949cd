//! Events as they are recorded, from any position on: what `GET events/stream` sends.

use super::event::{HistoryEvent, left_out, position};
use crate::engine::{ReadError, Readers};
use futures::{Stream, TryStreamExt, stream};
use palmares_domain::kernel::Tenant;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::ToSchema;
use uuid::Uuid;

/// A stretch of positions: read by the log's first index, whoever's events they are, and short
/// enough to be read at once.
pub(super) const FOLLOW: &str = "
    SELECT position, event_id, event_type, schema_version, stream_type, stream_id, version, organization_id, actor_id, recorded_at,
           effective_at, metadata, payload
    FROM log
    WHERE organization_id = $1 AND position > $2 AND position <= $3
      AND ($4::text IS NULL OR event_type = $4) AND ($5::text IS NULL OR stream_type = $5) AND ($6::uuid IS NULL OR stream_id = $6)
      AND ($7::uuid IS NULL OR actor_id = $7)
      AND stream_type IS DISTINCT FROM $9::text
      AND ($8::uuid IS NULL OR (convert_from(metadata, 'UTF8')::json ->> 'correlation_id')::uuid = $8)
    ORDER BY position";

pub(super) const HEAD: &str = "SELECT position FROM log_head";

const STRETCH_POSITIONS: i64 = 500;
/// A signal that was lost is made up for within this time.
const POLL: Duration = Duration::from_secs(1);

/// Which events to follow.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowEvents {
    /// The type of the event, such as `points.hold_placed`.
    #[serde(default, rename = "type")]
    pub event_type: Option<String>,
    #[serde(default)]
    pub stream_type: Option<String>,
    #[serde(default)]
    pub stream_id: Option<Uuid>,
    #[serde(default)]
    pub actor_id: Option<Uuid>,
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// From behind this position; from the beginning where it is missing. `Last-Event-ID` goes
    /// before it.
    #[serde(default, deserialize_with = "position")]
    pub after: Option<i64>,
}

/// Where a follower stands.
struct Follower {
    readers: Readers,
    tenant: Tenant,
    asked: FollowEvents,
    /// Everything up to here was looked at.
    seen: i64,
    /// Says when to look again; the database says what is there.
    head: watch::Receiver<i64>,
}

impl Follower {
    /// The next events; none once nobody tells of the head any more, which is the server's end.
    async fn next(mut self) -> Result<Option<(Vec<HistoryEvent>, Self)>, ReadError> {
        loop {
            // Before looking, so that nothing told meanwhile is missed.
            self.head.mark_unchanged();
            let (events, head) = self.read().await?;
            if !events.is_empty() {
                return Ok(Some((events, self)));
            }
            if self.seen < head {
                continue;
            }
            // A timeout is a reason to look, as a signal is.
            if let Ok(Err(_)) = tokio::time::timeout(POLL, self.head.changed()).await {
                return Ok(None);
            }
        }
    }

    /// The events of the next stretch, and the head of the log.
    async fn read(&mut self) -> Result<(Vec<HistoryEvent>, i64), ReadError> {
        let mut reader = self.readers.open(self.tenant, None).await?;
        let head: i64 = sqlx::query_scalar(HEAD).fetch_one(reader.connection()).await?;
        if head <= self.seen {
            return Ok((Vec::new(), head));
        }
        let end = head.min(self.seen.saturating_add(STRETCH_POSITIONS));
        let query = sqlx::query_as(FOLLOW)
            .persistent(false)
            .bind(self.tenant.organization().0)
            .bind(self.seen)
            .bind(end)
            .bind(&self.asked.event_type)
            .bind(&self.asked.stream_type)
            .bind(self.asked.stream_id)
            .bind(self.asked.actor_id)
            .bind(self.asked.correlation_id)
            .bind(left_out(&reader));
        let events: Vec<HistoryEvent> = query.fetch_all(reader.connection()).await?;
        let clearance = reader.clearance();
        self.seen = end;
        Ok((events.into_iter().map(|event| event.cleared(clearance)).collect(), head))
    }
}

/// Every event of one tenant that `asked` leaves, from behind `after`, as they are recorded. Wakes
/// with `head`, and looks by itself now and then.
pub fn follow(
    readers: Readers,
    tenant: Tenant,
    asked: FollowEvents,
    after: i64,
    head: watch::Receiver<i64>,
) -> impl Stream<Item = Result<HistoryEvent, ReadError>> + Send + 'static {
    let follower = Follower { readers, tenant, asked, seen: after, head };
    stream::try_unfold(follower, Follower::next).map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten()
}
