//! Rebuilds that were asked for: written by any node, run by whichever worker comes first.

use super::{checkpoint::Claim, comparison::Comparison, projector::Projector};
use sqlx::{PgConnection, PgPool, types::Json};
use std::sync::Arc;

/// Does nothing where a rebuild is asked for or running already.
const ASK: &str = "
    INSERT INTO rebuild_requests (name)
    SELECT $1::text WHERE NOT EXISTS (
        SELECT FROM checkpoints WHERE name = $1::text AND NOT active AND status = 'rebuilding' AND lease_until > now())
    ON CONFLICT DO NOTHING";

/// A worker of an older build leaves what a newer fold filled to the workers of the newer build.
const OPEN: &str = "
    SELECT r.name FROM rebuild_requests r
    JOIN unnest($1::text[], $2::integer[]) AS mine (name, version) ON mine.name = r.name
    LEFT JOIN checkpoints c ON c.name = r.name AND c.active
    WHERE r.ended_at IS NULL AND coalesce(c.version, 0) <= mine.version
    ORDER BY r.requested_at";

const START: &str = "UPDATE rebuild_requests SET started_at = now() WHERE name = $1 AND ended_at IS NULL";

const FULFIL: &str = "UPDATE rebuild_requests SET ended_at = now(), compared = $2 WHERE name = $1 AND ended_at IS NULL";

/// Only by who holds the slot: another process may have begun anew.
const FAIL: &str = "
    UPDATE rebuild_requests SET ended_at = now(), error = $4
    WHERE name = $1 AND ended_at IS NULL
      AND EXISTS (SELECT FROM checkpoints WHERE name = $1 AND slot = $2 AND owner_epoch = $3)";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.requests.ask", ASK),
    ("engine.requests.open", OPEN),
    ("engine.requests.start", START),
    ("engine.requests.fulfil", FULFIL),
    ("engine.requests.fail", FAIL),
];

/// Asks for a rebuild, as role `palmares_committer`; false where one is asked for or running already.
pub async fn ask(pool: &PgPool, projection: &str) -> Result<bool, sqlx::Error> {
    Ok(sqlx::query(ASK).bind(projection).execute(pool).await?.rows_affected() == 1)
}

/// What is asked for of these projectors and has not ended, the oldest first.
pub(super) async fn open(pool: &PgPool, projectors: &[Arc<dyn Projector>]) -> Result<Vec<String>, sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) = projectors.iter().map(|projector| (projector.name(), projector.version())).unzip();
    sqlx::query_scalar(OPEN).bind(names).bind(versions).fetch_all(pool).await
}

/// A rebuild begins, asked for or not.
pub(super) async fn start(pool: &PgPool, projection: &str) -> Result<(), sqlx::Error> {
    sqlx::query(START).bind(projection).execute(pool).await?;
    Ok(())
}

/// Ends the request in the transaction that swaps the slots, so that it is never run twice, with what was found.
pub(super) async fn fulfil(tx: &mut PgConnection, projection: &str, compared: Option<&Comparison>) -> Result<(), sqlx::Error> {
    sqlx::query(FULFIL).bind(projection).bind(compared.map(Json)).execute(tx).await?;
    Ok(())
}

/// Ends the request with why it cannot be met.
pub(super) async fn fail(pool: &PgPool, claim: &Claim, error: &str) -> Result<(), sqlx::Error> {
    sqlx::query(FAIL).bind(claim.name).bind(claim.slot.name()).bind(claim.epoch()).bind(error).execute(pool).await?;
    Ok(())
}
