//! Where a consumer of the log stands, and who may move it.
//!
//! The lease decides who works; the epoch decides who may write. A process that lost its lease
//! without noticing fails its next compare-and-set, and nothing of its batch remains.

use super::projector::Slot;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use uuid::Uuid;

/// How long an owner that shows no sign of life keeps its checkpoint.
pub const LEASE: Duration = Duration::from_secs(3);

/// What keeps a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Projector,
    Reactor,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Projector => "projector",
            Kind::Reactor => "reactor",
        }
    }
}

/// A checkpoint that this process owns.
#[derive(Clone, Debug)]
pub struct Claim {
    pub name: &'static str,
    pub slot: Slot,
    /// The version of the fold that filled the slot.
    pub version: i32,
    /// The last position whose effects are committed.
    pub position: i64,
    epoch: i64,
    /// Of the log that `position` is of.
    pub incarnation: Uuid,
}

/// Why the checkpoint did not move.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Another process took over, or the log has another incarnation.
    #[error("another process owns the checkpoint")]
    Lost,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

const CREATE: &str = "
    INSERT INTO checkpoints (name, slot, kind, version, active, position, status)
    SELECT $1, slot, $2, $3, slot = 'a', $5, 'idle' FROM unnest($4::text[]) slot
    ON CONFLICT DO NOTHING";

const CLAIM_ACTIVE: &str = "
    UPDATE checkpoints
    SET owner = $2, owner_epoch = owner_epoch + 1, lease_until = now() + make_interval(secs => $3),
        status = 'running', error = NULL, updated_at = now()
    WHERE name = $1 AND active AND (owner IS NULL OR owner = $2 OR lease_until < now())
    RETURNING slot::text, version, position, owner_epoch, log_incarnation()";

const CLAIM_IDLE: &str = "
    UPDATE checkpoints
    SET owner = $2, owner_epoch = owner_epoch + 1, lease_until = now() + make_interval(secs => $3),
        status = 'rebuilding', error = NULL, updated_at = now(), position = 0, version = $4
    WHERE name = $1 AND NOT active AND (owner IS NULL OR owner = $2 OR lease_until < now())
      AND (NOT $5 OR EXISTS (SELECT FROM rebuild_requests WHERE name = $1 AND ended_at IS NULL))
    RETURNING slot::text, version, position, owner_epoch, log_incarnation()";

/// A position of another incarnation is of another event, so it moves nothing.
const ADVANCE: &str = "
    UPDATE checkpoints SET position = $5, lease_until = now() + make_interval(secs => $6), updated_at = now()
    WHERE name = $1 AND slot = $2 AND position = $3 AND owner_epoch = $4 AND log_incarnation() = $7";

/// Moves the checkpoint over events that had no effect; losing this to a crash repeats nothing.
const SKIP: &str = "
    UPDATE checkpoints SET position = $5, lease_until = now() + make_interval(secs => $6), updated_at = now()
    WHERE name = $1 AND slot = $2 AND position = $3 AND owner_epoch = $4 AND log_incarnation() = $7
      AND set_config('synchronous_commit', 'off', true) = 'off'";

const SET_VERSION: &str = "
    UPDATE checkpoints SET version = $3 WHERE name = $1 AND owner_epoch = $2 AND active AND position = 0";

const FAIL: &str = "
    UPDATE checkpoints SET status = 'stopped', error = $4, updated_at = now()
    WHERE name = $1 AND slot = $2 AND owner_epoch = $3";

const POSITION: &str = "SELECT position FROM checkpoints WHERE name = $1 AND slot = $2 AND owner_epoch = $3";

const RELEASE: &str = "
    UPDATE checkpoints
    SET owner = NULL, lease_until = '-infinity', status = CASE WHEN status = 'stopped' THEN status ELSE 'idle' END
    WHERE name = $1 AND slot = $2 AND owner_epoch = $3";

/// Rows whose owner commits right now renew their lease with that commit: no waiting for them.
const RENEW: &str = "
    UPDATE checkpoints SET lease_until = now() + make_interval(secs => $2)
    WHERE (name, slot) IN (SELECT name, slot FROM checkpoints WHERE owner = $1 FOR UPDATE SKIP LOCKED)";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.checkpoint.create", CREATE),
    ("engine.checkpoint.claim_active", CLAIM_ACTIVE),
    ("engine.checkpoint.claim_idle", CLAIM_IDLE),
    ("engine.checkpoint.advance", ADVANCE),
    ("engine.checkpoint.skip", SKIP),
    ("engine.checkpoint.set_version", SET_VERSION),
    ("engine.checkpoint.fail", FAIL),
    ("engine.checkpoint.position", POSITION),
    ("engine.checkpoint.release", RELEASE),
    ("engine.checkpoint.renew", RENEW),
];

/// Makes the rows of a consumer, where they are missing.
pub async fn create(pool: &PgPool, name: &str, kind: Kind, version: i32) -> Result<(), sqlx::Error> {
    create_at(pool, name, kind, version, 0).await
}

/// Makes the rows of a consumer that starts behind `position`, where they are missing.
pub async fn create_at(pool: &PgPool, name: &str, kind: Kind, version: i32, position: i64) -> Result<(), sqlx::Error> {
    let slots: &[&str] = match kind {
        Kind::Projector => &["a", "b"],
        Kind::Reactor => &["a"],
    };
    sqlx::query(CREATE).bind(name).bind(kind.name()).bind(version).bind(slots).bind(position).execute(pool).await?;
    Ok(())
}

/// Takes the serving checkpoint, unless another process that lives owns it.
pub async fn claim_active(pool: &PgPool, name: &'static str, owner: Uuid) -> Result<Option<Claim>, sqlx::Error> {
    let row = sqlx::query_as(CLAIM_ACTIVE).bind(name).bind(owner).bind(LEASE.as_secs_f64()).fetch_optional(pool).await?;
    row.map(|row| claim(name, row)).transpose()
}

/// Takes the idle checkpoint for a rebuild from position 0; one that was asked for, only while it still is.
pub async fn claim_idle(pool: &PgPool, name: &'static str, owner: Uuid, version: i32, asked: bool) -> Result<Option<Claim>, sqlx::Error> {
    let query = sqlx::query_as(CLAIM_IDLE).bind(name).bind(owner).bind(LEASE.as_secs_f64()).bind(version).bind(asked);
    query.fetch_optional(pool).await?.map(|row| claim(name, row)).transpose()
}

fn claim(name: &'static str, (slot, version, position, epoch, incarnation): (String, i32, i64, i64, Uuid)) -> Result<Claim, sqlx::Error> {
    let slot = Slot::parse(&slot).ok_or_else(|| sqlx::Error::Decode(format!("no slot is named `{slot}`").into()))?;
    Ok(Claim { name, slot, version, position, epoch, incarnation })
}

/// Renews the leases of everything `owner` has.
pub async fn renew(pool: &PgPool, owner: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(RENEW).bind(owner).bind(LEASE.as_secs_f64()).execute(pool).await?;
    Ok(())
}

impl Claim {
    /// Moves the checkpoint within the caller's transaction. Called first in it, so that a process
    /// without the right to write waits or fails before it touches a row. The claim itself follows
    /// only when the caller sets `position` after its commit.
    pub async fn advance(&self, tx: &mut PgConnection, position: i64) -> Result<(), AdvanceError> {
        self.compare_and_set(ADVANCE, tx, position).await
    }

    /// Moves the checkpoint over events without effect, in a transaction of its own.
    pub async fn skip(&mut self, pool: &PgPool, position: i64) -> Result<(), AdvanceError> {
        self.compare_and_set(SKIP, &mut *pool.acquire().await?, position).await?;
        self.position = position;
        Ok(())
    }

    async fn compare_and_set(&self, statement: &str, connection: &mut PgConnection, position: i64) -> Result<(), AdvanceError> {
        let query = sqlx::query(statement).bind(self.name).bind(self.slot.name()).bind(self.position).bind(self.epoch);
        let moved = query.bind(position).bind(LEASE.as_secs_f64()).bind(self.incarnation).execute(connection).await?;
        if moved.rows_affected() == 1 { Ok(()) } else { Err(AdvanceError::Lost) }
    }

    /// Takes an empty projection over for a new version of its fold.
    pub async fn set_version(&mut self, pool: &PgPool, version: i32) -> Result<(), AdvanceError> {
        let set = sqlx::query(SET_VERSION).bind(self.name).bind(self.epoch).bind(version).execute(pool).await?;
        if set.rows_affected() == 0 {
            return Err(AdvanceError::Lost);
        }
        self.version = version;
        Ok(())
    }

    /// Records that the consumer stopped, and why.
    pub async fn fail(&self, pool: &PgPool, error: &str) -> Result<(), sqlx::Error> {
        sqlx::query(FAIL).bind(self.name).bind(self.slot.name()).bind(self.epoch).bind(error).execute(pool).await?;
        Ok(())
    }

    /// The position as stored; `None` when the checkpoint is not this process's any more.
    pub async fn stored_position(&self, pool: &PgPool) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(POSITION).bind(self.name).bind(self.slot.name()).bind(self.epoch).fetch_optional(pool).await
    }

    /// Lets another process take over at once.
    pub async fn release(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        sqlx::query(RELEASE).bind(self.name).bind(self.slot.name()).bind(self.epoch).execute(pool).await?;
        Ok(())
    }

    pub(super) fn epoch(&self) -> i64 {
        self.epoch
    }
}
