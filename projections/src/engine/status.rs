//! What the engine shows of itself.

use super::{comparison::Comparison, log::Log};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Row, types::Json};

/// One projection or reactor. Lag is a number of positions and an age, never a percentage: a
/// share of a growing log says nothing about when a reader will see its write.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ProjectionStatus {
    pub name: String,
    /// `projector` or `reactor`.
    pub kind: String,
    pub version: i32,
    /// The last position whose effects are visible.
    pub position: i64,
    /// How many events are still to come.
    pub lag_positions: i64,
    /// The age of the oldest event that is still to come; 0 when there is none.
    pub lag_seconds: f64,
    /// Events set aside because they, or one before them, could not be applied.
    pub parked: i64,
    /// `idle`, `running` or `stopped`.
    pub status: String,
    /// Why it stopped.
    pub error: Option<String>,
    /// How far a rebuild into the idle slot got, while there is one.
    pub rebuild_position: Option<i64>,
    /// Why the last rebuild stopped, where it did not finish.
    pub rebuild_error: Option<String>,
    /// When a rebuild last compared what served with what the log says.
    pub compared_at: Option<DateTime<Utc>>,
    /// What it found; from then on what the log says serves.
    pub comparison: Option<Comparison>,
}

const STATUS: &str = "
    SELECT c.name, c.kind, c.version, c.position, greatest(h.position - c.position, 0),
           coalesce(greatest(extract(epoch FROM clock_timestamp() - e.recorded_at), 0), 0)::float8,
           (SELECT count(*) FROM parked_events p WHERE p.name = c.name AND p.slot = c.slot),
           c.status, c.error,
           CASE WHEN i.status = 'rebuilding' AND i.lease_until > now() THEN i.position WHEN r.name IS NOT NULL THEN 0 END,
           CASE WHEN r.name IS NULL THEN i.error END, d.ended_at, d.compared
    FROM checkpoints c CROSS JOIN log_head h
    LEFT JOIN checkpoints i ON i.name = c.name AND NOT i.active
    LEFT JOIN rebuild_requests r ON r.name = c.name AND r.ended_at IS NULL
    LEFT JOIN LATERAL (
        SELECT ended_at, compared FROM rebuild_requests d WHERE d.name = c.name AND d.compared IS NOT NULL ORDER BY ended_at DESC LIMIT 1) d ON true
    LEFT JOIN events e ON e.position = c.position + 1
    WHERE c.active ORDER BY c.name";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.status.status", STATUS)];

/// Every projection and reactor, by name.
pub async fn status(log: &Log) -> Result<Vec<ProjectionStatus>, sqlx::Error> {
    let rows = sqlx::query(STATUS).fetch_all(log.pool()).await?;
    rows.iter()
        .map(|row| {
            Ok(ProjectionStatus {
                name: row.try_get(0)?,
                kind: row.try_get(1)?,
                version: row.try_get(2)?,
                position: row.try_get(3)?,
                lag_positions: row.try_get(4)?,
                lag_seconds: row.try_get(5)?,
                parked: row.try_get(6)?,
                status: row.try_get(7)?,
                error: row.try_get(8)?,
                rebuild_position: row.try_get(9)?,
                rebuild_error: row.try_get(10)?,
                compared_at: row.try_get(11)?,
                comparison: row.try_get::<Option<Json<Comparison>>, _>(12)?.map(|compared| compared.0),
            })
        })
        .collect()
}

/// Publishes `status` as gauges.
pub fn gauge(status: &[ProjectionStatus]) {
    for projection in status {
        let name = [("projection", projection.name.clone())];
        metrics::gauge!("palmares_projection_position", &name).set(projection.position as f64);
        metrics::gauge!("palmares_projection_lag_positions", &name).set(projection.lag_positions as f64);
        metrics::gauge!("palmares_projection_lag_seconds", &name).set(projection.lag_seconds);
        metrics::gauge!("palmares_projection_parked_events", &name).set(projection.parked as f64);
        let differing = projection.comparison.as_ref().map_or(0, Comparison::rows);
        metrics::gauge!("palmares_projection_differing_rows", &name).set(differing as f64);
    }
}
