//! How far the log is sealed, as it is shown.

use super::log_name;
use crate::engine::log::Log;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

pub(super) const STATUS: &str = "
    SELECT l.id, l.position, greatest(h.position - l.position, 0), l.root_size, l.sealed_at, l.refusal, l.verified_at, l.findings,
           coalesce(greatest(extract(epoch FROM clock_timestamp() - e.recorded_at), 0), 0)::float8
    FROM proof_log l CROSS JOIN log_head h LEFT JOIN events e ON e.position = l.position + 1";

/// How far the log is sealed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SealStatus {
    /// The name of the log, with which the origins of its trees begin.
    pub log: String,
    /// Everything up to here is in a tree whose checkpoint is signed.
    pub sealed_position: i64,
    /// How many events are still to come.
    pub lag_positions: i64,
    /// The age of the oldest event that is still to come; 0 when there is none.
    pub lag_seconds: f64,
    /// Leaves of the root log.
    pub root_size: i64,
    /// When something was signed last.
    pub sealed_at: Option<DateTime<Utc>>,
    /// Why nothing is signed any more.
    pub refusal: Option<String>,
    /// When the whole log was last read again and compared with what was signed.
    pub verified_at: Option<DateTime<Utc>>,
    /// How much was not as it was signed, or did not fit it; `palmares verify-log` says what.
    pub findings: Option<i64>,
}

type Row = (Uuid, i64, i64, i64, Option<DateTime<Utc>>, Option<String>, Option<DateTime<Utc>>, Option<i64>, f64);

/// How far the log is sealed now.
pub async fn status(log: &Log) -> Result<SealStatus, sqlx::Error> {
    let (id, sealed_position, lag_positions, root_size, sealed_at, refusal, verified_at, findings, lag_seconds): Row =
        sqlx::query_as(STATUS).fetch_one(log.pool()).await?;
    Ok(SealStatus { log: log_name(id), sealed_position, lag_positions, lag_seconds, root_size, sealed_at, refusal, verified_at, findings })
}
