//! What is due by the log, beside the timers that there are: whoever removes one keeps something from being done.

use super::{
    due::SLACK,
    log,
    projector::{ApplyError, Projector},
    timers::Timer,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use palmares_domain::kernel::{OrganizationId, RecordedEvent};
use sqlx::PgConnection;
use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};
use uuid::Uuid;

/// What a projector that turns events into timers makes of one.
pub trait Timetable: Send + Sync {
    /// The kind of its timers.
    fn kind(&self) -> &'static str;

    /// What becomes of which timer with an event; nothing is left of one that has none.
    fn changes(&self, event: &RecordedEvent) -> Result<Vec<(Uuid, Option<Timer>)>, ApplyError>;
}

/// Every timetable, and by how much the clock that timers go by is ahead of the database's.
#[derive(Clone, Default)]
pub struct Timetables {
    projectors: Vec<Arc<dyn Projector>>,
    ahead: Duration,
}

/// A timer that is not as the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untimely {
    /// Something is due by the event at this position, and nothing says so.
    Gone(OrganizationId, i64),
    /// It is due by no event, or otherwise than said.
    Added(OrganizationId),
}

/// A timer is gone as soon as it has fired; what is due so soon may have.
const SOON: TimeDelta = TimeDelta::minutes(1);

/// How far the projection is that keeps timers of a kind; nothing while it is made anew, or lacks events.
const REACHED: &str = "
    SELECT c.position FROM checkpoints c
    WHERE c.name = $1 AND c.active AND c.version = $2
      AND NOT EXISTS (SELECT FROM checkpoints r WHERE r.name = c.name AND r.status = 'rebuilding' AND r.lease_until > now())
      AND NOT EXISTS (SELECT FROM rebuild_requests r WHERE r.name = c.name AND r.ended_at IS NULL)
      AND NOT EXISTS (SELECT FROM parked_events p WHERE p.name = c.name AND p.slot = c.slot)";

const TIMERS: &str =
    "SELECT organization_id, id, kind, stream_id, due_at, payload FROM timers WHERE kind = $1 ORDER BY organization_id, id";

const NOW: &str = "SELECT now()";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("engine.timetable.reached", REACHED), ("engine.timetable.timers", TIMERS), ("engine.timetable.now", NOW)];

impl Timetables {
    /// Of those of these projectors that have one.
    pub fn of(projectors: Vec<Arc<dyn Projector>>, ahead: Duration) -> Self {
        Self { projectors, ahead }
    }

    /// Compares timers with the log, in a transaction that sees the database at one moment.
    pub(super) async fn look(&self, connection: &mut PgConnection) -> Result<Vec<Untimely>, sqlx::Error> {
        let now: DateTime<Utc> = sqlx::query_scalar(NOW).fetch_one(&mut *connection).await?;
        let from = now + TimeDelta::from_std(self.ahead).unwrap_or_default() + SOON + SLACK;
        let mut untimely = Vec::new();
        for projector in &self.projectors {
            let Some(timetable) = projector.timetable() else { continue };
            let reached = sqlx::query_scalar(REACHED).bind(projector.name()).bind(projector.version());
            let Some(reached) = reached.fetch_optional(&mut *connection).await? else { continue };
            // An event that cannot be read was changed, and is found as that.
            let Some(mut due) = due(connection, projector.as_ref(), timetable, reached).await? else { continue };
            let timers: Vec<Timer> = sqlx::query_as(TIMERS).bind(timetable.kind()).fetch_all(&mut *connection).await?;
            for timer in timers {
                let key = (timer.organization_id, timer.id);
                match due.get(&key) {
                    Some((_, said)) if is_same(said, &timer) => _ = due.remove(&key),
                    _ => untimely.push(Untimely::Added(timer.organization_id)),
                }
            }
            let gone = due.into_values().filter(|(_, timer)| timer.due_at > from);
            untimely.extend(gone.map(|(position, timer)| Untimely::Gone(timer.organization_id, position)));
        }
        Ok(untimely)
    }
}

type Said = BTreeMap<(OrganizationId, Uuid), (i64, Timer)>;

/// What is due by the events up to a position, each with that of the event; nothing where one cannot be read.
async fn due(
    connection: &mut PgConnection,
    projector: &dyn Projector,
    timetable: &dyn Timetable,
    reached: i64,
) -> Result<Option<Said>, sqlx::Error> {
    let mut said = Said::new();
    let mut events = pin!(log::of_types(connection, projector.interests(), reached));
    while let Some(event) = events.next().await {
        let event = match event {
            Err(sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) => return Ok(None),
            event => event?,
        };
        let Ok(changes) = timetable.changes(&event) else { return Ok(None) };
        for (id, timer) in changes {
            let key = (event.organization_id, id);
            match timer {
                Some(timer) => _ = said.insert(key, (event.position, timer)),
                None => _ = said.remove(&key),
            }
        }
    }
    Ok(Some(said))
}

/// A column keeps whole microseconds.
fn is_same(said: &Timer, timer: &Timer) -> bool {
    let due_at = |timer: &Timer| timer.due_at.timestamp_micros();
    due_at(said) == due_at(timer) && said.stream_id == timer.stream_id && said.payload == timer.payload
}
