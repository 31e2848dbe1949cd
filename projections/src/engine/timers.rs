//! Timers: rows that say what is to be done at a time, and the task that has it done.
//!
//! A timer is a convenience, not a source of state: whatever is due is also recorded by the next
//! command on its stream, so a late timer changes when something is recorded, never what.

use super::{
    reactor::ReactError,
    stop::{Backoff, Stop},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::{FutureExt, future::join_all};
use palmares_domain::kernel::OrganizationId;
use sqlx::{FromRow, PgConnection, PgPool};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use uuid::Uuid;

/// How often due timers are looked for.
const POLL: Duration = Duration::from_millis(500);
/// Timers fired in one transaction.
const BATCH: i64 = 100;

/// Something to be done at a time.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Timer {
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Derived from what it is about, so that scheduling twice is scheduling once.
    pub id: Uuid,
    /// Which handler it is for.
    pub kind: String,
    /// The stream that it concerns.
    pub stream_id: Uuid,
    pub due_at: DateTime<Utc>,
    /// Ids and amounts; never personal data.
    pub payload: serde_json::Value,
}

/// Turns due timers of some kinds into commands.
#[async_trait]
pub trait TimerHandler: Send + Sync + 'static {
    fn kinds(&self) -> &[&'static str];

    /// Does what is due. May be called again for the same timer after a crash, so commands carry
    /// ids derived from it. It must not wait for a projection: the one that schedules timers may
    /// be waiting for this very row.
    async fn fire(&self, timer: &Timer) -> Result<(), ReactError>;
}

const SCHEDULE: &str = "
    INSERT INTO timers (organization_id, id, kind, stream_id, due_at, payload, try_at) VALUES ($1, $2, $3, $4, $5, $6, $5)
    ON CONFLICT (organization_id, id) DO UPDATE
    SET kind = excluded.kind, stream_id = excluded.stream_id, due_at = excluded.due_at, payload = excluded.payload,
        try_at = excluded.try_at, attempts = 0, error = NULL";

const CANCEL: &str = "DELETE FROM timers WHERE organization_id = $1 AND id = $2";

const DUE: &str = "
    SELECT organization_id, id, kind, stream_id, due_at, payload FROM timers
    WHERE try_at <= clock_timestamp() + make_interval(secs => $3) AND kind = ANY($1) ORDER BY try_at LIMIT $2 FOR UPDATE SKIP LOCKED";

/// Doubles the pause up to an hour.
const POSTPONE: &str = "
    UPDATE timers SET attempts = attempts + 1, error = $3,
        try_at = clock_timestamp() + least(interval '1 second' * power(2, least(attempts, 12)), interval '1 hour')
    WHERE organization_id = $1 AND id = $2";

/// Never tried again by itself; the row stays as a record of what is undone.
const GIVE_UP: &str = "
    UPDATE timers SET attempts = attempts + 1, error = $3, try_at = 'infinity' WHERE organization_id = $1 AND id = $2";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.timers.schedule", SCHEDULE),
    ("engine.timers.cancel", CANCEL),
    ("engine.timers.due", DUE),
    ("engine.timers.postpone", POSTPONE),
    ("engine.timers.give_up", GIVE_UP),
];

/// Schedules a timer in the caller's transaction, that of a projector's checkpoint.
pub async fn schedule(tx: &mut PgConnection, timer: &Timer) -> Result<(), sqlx::Error> {
    let query = sqlx::query(SCHEDULE).bind(timer.organization_id.0).bind(timer.id).bind(&timer.kind);
    query.bind(timer.stream_id).bind(timer.due_at).bind(&timer.payload).execute(tx).await?;
    Ok(())
}

/// Cancels a timer in the caller's transaction; one that is not there is cancelled already.
pub async fn cancel(tx: &mut PgConnection, organization: OrganizationId, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(CANCEL).bind(organization.0).bind(id).execute(tx).await?;
    Ok(())
}

/// Has due timers done. Any number of processes may: each timer is locked by one of them.
pub struct Timers {
    pool: PgPool,
    handlers: Vec<Arc<dyn TimerHandler>>,
    /// By how much its clock is ahead of the database's.
    ahead: Duration,
}

impl Timers {
    pub fn new(pool: PgPool, handlers: Vec<Arc<dyn TimerHandler>>) -> Self {
        Self { pool, handlers, ahead: Duration::ZERO }
    }

    /// The same by a clock that was put ahead.
    #[must_use]
    pub fn ahead_by(self, ahead: Duration) -> Self {
        Self { ahead, ..self }
    }

    pub async fn run(self, mut stop: Stop) {
        let kinds: Vec<&str> = self.handlers.iter().flat_map(|handler| handler.kinds()).copied().collect();
        let mut backoff = Backoff::new();
        while !kinds.is_empty() && !stop.is_stopped() {
            let pause = match self.round(&kinds).await {
                Ok(fired) if fired == BATCH => Duration::ZERO,
                Ok(_) => POLL,
                Err(error) => {
                    tracing::warn!(%error, "timers cannot be read; trying again");
                    backoff.pause()
                }
            };
            if pause == POLL {
                backoff.reset();
            }
            stop.pause(pause).await;
        }
    }

    /// Fires what is due; answers how many timers that were.
    async fn round(&self, kinds: &[&str]) -> Result<i64, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let due: Vec<Timer> = sqlx::query_as(DUE).bind(kinds).bind(BATCH).bind(self.ahead.as_secs_f64()).fetch_all(&mut *tx).await?;
        let outcomes = join_all(due.iter().map(|timer| self.fire(timer))).await;
        for (timer, outcome) in due.iter().zip(outcomes) {
            let (statement, error) = match outcome {
                Ok(()) => (CANCEL, None),
                Err(ReactError::Transient(error)) => (POSTPONE, Some(format!("{error:#}"))),
                Err(ReactError::Permanent(error)) => (GIVE_UP, Some(format!("{error:#}"))),
            };
            let mut query = sqlx::query(statement).bind(timer.organization_id.0).bind(timer.id);
            if let Some(error) = error {
                tracing::warn!(kind = timer.kind, timer = %timer.id, error, "a timer failed");
                query = query.bind(error);
            }
            query.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(i64::try_from(due.len()).unwrap_or(BATCH))
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let Some(handler) = self.handlers.iter().find(|handler| handler.kinds().contains(&timer.kind.as_str())) else {
            return Err(ReactError::Permanent(anyhow::anyhow!("nothing handles timers of kind {}", timer.kind)));
        };
        let fired = AssertUnwindSafe(handler.fire(timer)).catch_unwind().await;
        fired.unwrap_or_else(|_| Err(ReactError::Permanent(anyhow::anyhow!("the handler panicked"))))
    }
}
