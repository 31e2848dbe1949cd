//! Counts what the rules look for, and raises what looks wrong. Time is that of the events, so that
//! counting again finds the same.

use super::{
    PROJECTION,
    rules::{Rule, Sighting},
};
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    compliance::access_anomaly::AccessAnomalyEvent,
    kernel::{AnomalyId, Event, RecordedEvent, derive_uuid},
};

pub(super) const SEE: &str = "
    INSERT INTO {compliance_anomaly_sightings} (organization_id, rule, actor_id, position, seen_at, counted)
    VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) const FORGET: &str = "
    DELETE FROM {compliance_anomaly_sightings} WHERE organization_id = $1 AND rule = $2 AND actor_id = $3 AND seen_at <= $4";

pub(super) const COUNT: &str = "
    SELECT count(DISTINCT counted) FROM {compliance_anomaly_sightings} WHERE organization_id = $1 AND rule = $2 AND actor_id = $3";

pub(super) const GROW: &str = "
    UPDATE {compliance_anomalies} SET sightings = sightings + 1, last_seen_at = $4
    WHERE organization_id = $1 AND rule = $2 AND actor_id = $3 AND raised_at > $5";

pub(super) const RAISE: &str = "
    INSERT INTO {compliance_anomalies}
        (organization_id, anomaly_id, rule, actor_id, sightings, raised_at, raised_position, last_seen_at, status)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $6, 'OPEN')";

pub(super) const ACKNOWLEDGE: &str = "
    UPDATE {compliance_anomalies} SET status = 'ACKNOWLEDGED', verdict = $3, acknowledged_by = $4, acknowledged_at = $5
    WHERE organization_id = $1 AND anomaly_id = $2";

/// The fold. What it looks for is rare, or read by people: each event is some statements of its own.
pub struct Anomalies;

#[async_trait]
impl Projector for Anomalies {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_anomalies", "compliance_anomaly_sightings"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.access_refused", "compliance.sensitive_data_read", "compliance.anomaly_acknowledged"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for Delivered { event, .. } in batch {
            if event.event_type == "compliance.anomaly_acknowledged" {
                acknowledge(context, event).await?;
            } else if let Some(sighting) = Sighting::of(event) {
                see(context, event, sighting).await?;
            }
        }
        Ok(())
    }
}

/// The id of what was raised by the event at this position.
fn anomaly_id(event: &RecordedEvent, rule: Rule) -> AnomalyId {
    AnomalyId(derive_uuid("anomaly", &[event.id.0.as_bytes(), rule.name().as_bytes()]))
}

async fn see(context: &mut ApplyContext<'_>, event: &RecordedEvent, sighting: Sighting) -> Result<(), ApplyError> {
    let (rule, organization, actor) = (sighting.rule, event.organization_id.0, event.actor_id);
    let begin = event.recorded_at - rule.window();
    let sql = context.slot.sql(SEE);
    let query = sqlx::query(&sql).bind(organization).bind(rule.name()).bind(actor).bind(event.position);
    query.bind(event.recorded_at).bind(sighting.counted).execute(&mut *context.tx).await?;
    let sql = context.slot.sql(FORGET);
    sqlx::query(&sql).bind(organization).bind(rule.name()).bind(actor).bind(begin).execute(&mut *context.tx).await?;
    let sql = context.slot.sql(COUNT);
    let query = sqlx::query_scalar(&sql).bind(organization).bind(rule.name()).bind(actor);
    let count: i64 = query.fetch_one(&mut *context.tx).await?;
    if count < rule.threshold() {
        return Ok(());
    }
    // What is going on already is not raised again, but grows.
    let sql = context.slot.sql(GROW);
    let query = sqlx::query(&sql).bind(organization).bind(rule.name()).bind(actor).bind(event.recorded_at).bind(begin);
    if query.execute(&mut *context.tx).await?.rows_affected() > 0 {
        return Ok(());
    }
    let sql = context.slot.sql(RAISE);
    let query = sqlx::query(&sql).bind(organization).bind(anomaly_id(event, rule).0).bind(rule.name()).bind(actor);
    query.bind(count).bind(event.recorded_at).bind(event.position).execute(&mut *context.tx).await?;
    Ok(())
}

async fn acknowledge(context: &mut ApplyContext<'_>, event: &RecordedEvent) -> Result<(), ApplyError> {
    let payload = event.payload.get().as_bytes();
    let AccessAnomalyEvent::AnomalyAcknowledged(said) = AccessAnomalyEvent::from_payload(&event.event_type, event.schema_version, payload)?;
    let sql = context.slot.sql(ACKNOWLEDGE);
    let query = sqlx::query(&sql).bind(event.organization_id.0).bind(said.anomaly_id.0).bind(said.verdict.name());
    query.bind(said.acknowledged_by.0).bind(event.recorded_at).execute(&mut *context.tx).await?;
    Ok(())
}
