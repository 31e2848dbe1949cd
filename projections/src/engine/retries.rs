//! Parked events that a reactor takes again: asked for on any node, done by the one that runs the reactor.
//!
//! A projection needs none: whatever was parked, a rebuild takes it. What a reactor does cannot be
//! taken back, so it takes again exactly what it had failed at.

use super::{checkpoint::Claim, log::Log};
use palmares_domain::kernel::RecordedEvent;
use sqlx::{PgConnection, PgPool};

const KIND: &str = "SELECT kind FROM checkpoints WHERE name = $1 AND active";

const ASK: &str = "UPDATE parked_events SET retry_at = now() WHERE name = $1 AND slot = 'a'";

const TAKE: &str = "
    UPDATE parked_events SET retry_at = NULL
    WHERE name = $1 AND slot = $2 AND position IN (
        SELECT position FROM parked_events WHERE name = $1 AND slot = $2 AND retry_at IS NOT NULL ORDER BY position LIMIT $3)
    RETURNING position";

const DONE: &str = "DELETE FROM parked_events WHERE name = $1 AND slot = $2 AND position = ANY($3)";

const FAILED: &str = "
    UPDATE parked_events p SET error = f.error, parked_at = now() FROM unnest($3::bigint[], $4::text[]) AS f (position, error)
    WHERE p.name = $1 AND p.slot = $2 AND p.position = f.position";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.retries.kind", KIND),
    ("engine.retries.ask", ASK),
    ("engine.retries.take", TAKE),
    ("engine.retries.done", DONE),
    ("engine.retries.failed", FAILED),
];

/// What became of asking for a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// So many parked events are taken again.
    Of(u64),
    /// It is a projection, which a rebuild puts right.
    Projection,
    Unknown,
}

/// Asks a reactor to take again all that it parked, as role `palmares_committer`.
pub async fn ask(pool: &PgPool, reactor: &str) -> Result<Asked, sqlx::Error> {
    let kind: Option<String> = sqlx::query_scalar(KIND).bind(reactor).fetch_optional(pool).await?;
    match kind.as_deref() {
        Some("reactor") => Ok(Asked::Of(sqlx::query(ASK).bind(reactor).execute(pool).await?.rows_affected())),
        Some(_) => Ok(Asked::Projection),
        None => Ok(Asked::Unknown),
    }
}

/// Takes at most `limit` of the events that are asked for. Each is taken once for each time it is
/// asked for: it stays parked until it is done, also where this process dies.
pub(super) async fn take(pool: &PgPool, log: &Log, claim: &Claim, limit: usize) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = sqlx::query_scalar(TAKE).bind(claim.name).bind(claim.slot.name()).bind(limit);
    let mut events = Vec::new();
    for position in query.fetch_all(pool).await? {
        let position: i64 = position;
        events.extend(log.read_after(position - 1, 1).await?);
    }
    Ok(events)
}

/// How taking an event again ended.
pub(super) struct Retried {
    pub position: i64,
    pub error: Option<String>,
}

/// Records how they ended in the caller's transaction: what is done is parked no more.
pub(super) async fn settle(tx: &mut PgConnection, claim: &Claim, retried: &[Retried]) -> Result<(), sqlx::Error> {
    let (failed, done): (Vec<_>, Vec<_>) = retried.iter().partition(|retried| retried.error.is_some());
    let positions = |retried: &[&Retried]| retried.iter().map(|retried| retried.position).collect::<Vec<_>>();
    if !done.is_empty() {
        sqlx::query(DONE).bind(claim.name).bind(claim.slot.name()).bind(positions(&done)).execute(&mut *tx).await?;
    }
    if !failed.is_empty() {
        let errors: Vec<_> = failed.iter().filter_map(|retried| retried.error.as_deref()).collect();
        let query = sqlx::query(FAILED).bind(claim.name).bind(claim.slot.name()).bind(positions(&failed)).bind(errors);
        query.execute(&mut *tx).await?;
    }
    Ok(())
}
