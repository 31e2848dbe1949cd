//! The two copies of every read model: emptying one, and swapping which one serves.

use super::{
    checkpoint::Claim,
    projector::{Projector, Slot},
    stop::Backoff,
    transient::is_transient,
};
use sqlx::{PgConnection, PgPool};

/// How often TRUNCATE is tried before the rows are deleted one by one.
const ATTEMPTS: u32 = 8;

/// A waiting TRUNCATE holds back every reader that comes after it, so it does not wait for long.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '200ms'";

const FORGET_PARKED: &str = "DELETE FROM parked_events WHERE name = $1 AND slot = $2";

const LOCK: &str = "
    SELECT position, version, slot::text,
           EXISTS (SELECT FROM parked_events p WHERE p.name = c.name AND p.slot = c.slot)
    FROM checkpoints c WHERE name = $1 ORDER BY active DESC FOR UPDATE OF c";

/// The slot that serves.
pub struct Serving {
    pub slot: Slot,
    pub position: i64,
    /// Of the fold that filled it.
    pub version: i32,
    /// Whether it lacks events that were set aside.
    pub has_parked: bool,
}

/// Frees the old owner's hold at once: its next compare-and-set fails on the epoch.
const RETIRE: &str = "
    UPDATE checkpoints retired
    SET active = false, owner = NULL, owner_epoch = retired.owner_epoch + 1, lease_until = '-infinity', status = 'idle', error = NULL
    FROM checkpoints before
    WHERE retired.name = $1 AND retired.active AND before.name = retired.name AND before.slot = retired.slot
    RETURNING before.status";

/// Whoever ran the old slot takes the new one over within a moment, in which the projection is not idle.
const SERVE: &str = "
    UPDATE checkpoints
    SET active = true, position = $4, owner = NULL, owner_epoch = owner_epoch + 1, lease_until = '-infinity',
        status = $6, error = NULL, updated_at = now()
    WHERE name = $1 AND slot = $2 AND owner_epoch = $3 AND NOT active AND log_incarnation() = $5";

const SHOW: &str = "UPDATE projection_slots SET active = $2 WHERE read_model = ANY($1)";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.slots.forget_parked", FORGET_PARKED),
    ("engine.slots.lock", LOCK),
    ("engine.slots.retire", RETIRE),
    ("engine.slots.serve", SERVE),
    ("engine.slots.show", SHOW),
];

/// Removes everything a slot holds.
pub async fn empty(pool: &PgPool, projector: &dyn Projector, slot: Slot) -> Result<(), sqlx::Error> {
    let tables: Vec<String> = projector.tables().iter().map(|table| format!("{table}_{slot}")).collect();
    sqlx::query(FORGET_PARKED).bind(projector.name()).bind(slot.name()).execute(pool).await?;
    if tables.is_empty() {
        return Ok(());
    }
    let mut backoff = Backoff::new();
    for _ in 0..ATTEMPTS {
        match truncate(pool, &tables).await {
            Err(error) if is_transient(&error) => tokio::time::sleep(backoff.pause()).await,
            done => return done,
        }
    }
    // A reader keeps the table busy; it may, and the rows go anyway.
    for table in tables {
        sqlx::query(&format!("DELETE FROM {table}")).execute(pool).await?;
    }
    Ok(())
}

async fn truncate(pool: &PgPool, tables: &[String]) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query(LOCK_TIMEOUT).execute(&mut *tx).await?;
    sqlx::query(&format!("TRUNCATE {}", tables.join(", "))).execute(&mut *tx).await?;
    tx.commit().await
}

/// Locks both checkpoints; answers what serves.
pub async fn lock(tx: &mut PgConnection, name: &str) -> Result<Serving, sqlx::Error> {
    let rows: Vec<(i64, i32, String, bool)> = sqlx::query_as(LOCK).bind(name).fetch_all(tx).await?;
    let (position, version, slot, has_parked) = rows.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    let slot = Slot::parse(&slot).ok_or_else(|| sqlx::Error::Decode(format!("no slot is named `{slot}`").into()))?;
    Ok(Serving { slot, position, version, has_parked })
}

/// Makes the claimed idle slot serve from `position`; false when the claim is lost.
pub async fn swap(tx: &mut PgConnection, projector: &dyn Projector, claim: &Claim, position: i64) -> Result<bool, sqlx::Error> {
    let before: Option<String> = sqlx::query_scalar(RETIRE).bind(claim.name).fetch_optional(&mut *tx).await?;
    // One that was stopped by an error is started again.
    let status = if before.as_deref() == Some("idle") { "idle" } else { "running" };
    let serve = sqlx::query(SERVE).bind(claim.name).bind(claim.slot.name()).bind(claim.epoch()).bind(position);
    if serve.bind(claim.incarnation).bind(status).execute(&mut *tx).await?.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query(SHOW).bind(projector.tables()).bind(claim.slot.name()).execute(tx).await?;
    Ok(true)
}
