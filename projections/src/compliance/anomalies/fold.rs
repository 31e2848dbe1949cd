//! Counts what the rules look for, and raises what looks wrong. Time is that of the events, so that
//! counting again finds the same.

use super::{
    PROJECTION, Raised, anomaly_id,
    officers::Change,
    rules::{Sighting, window},
    watch::{Open, Seen, Watch},
};
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_anomaly::{AccessAnomalyEvent, AnomalyRule},
    kernel::{AnomalyId, Event, RecordedEvent},
};
use std::collections::{BTreeMap, btree_map::Entry};
use uuid::Uuid;

pub(super) const SEEN: &str = "
    SELECT counted, max(position), max(seen_at) FROM {compliance_anomaly_sightings}
    WHERE organization_id = $1 AND rule = $2 AND actor_id = $3 AND seen_at > $4 GROUP BY counted";

pub(super) const OPEN: &str = "
    SELECT anomaly_id, sightings, raised_at, raised_position, last_seen_at, first_seen_at, entries FROM {compliance_anomalies}
    WHERE organization_id = $1 AND rule = $2 AND actor_id = $3 AND status = 'OPEN' AND raised_at > $4
    ORDER BY raised_position DESC LIMIT 1";

/// What is older than the window, and what is seen again: one row is enough for each thing that counts.
pub(super) const FORGET: &str = "
    DELETE FROM {compliance_anomaly_sightings}
    WHERE organization_id = $1 AND rule = $2 AND actor_id = $3 AND (seen_at <= $4 OR counted = ANY($5))";

pub(super) const SEE: &str = "
    INSERT INTO {compliance_anomaly_sightings} (organization_id, rule, actor_id, counted, position, seen_at)
    SELECT $1, $2, $3, s.counted, s.position, s.seen_at
    FROM unnest($4::uuid[], $5::bigint[], $6::timestamptz[]) s(counted, position, seen_at)
    WHERE s.seen_at > $7";

pub(super) const RAISE: &str = "
    INSERT INTO {compliance_anomalies} AS a
        (organization_id, anomaly_id, rule, actor_id, sightings, raised_at, raised_position, last_seen_at, status, first_seen_at, entries)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'OPEN', $9, $10)
    ON CONFLICT (organization_id, anomaly_id) DO UPDATE
    SET sightings = EXCLUDED.sightings, last_seen_at = EXCLUDED.last_seen_at, entries = EXCLUDED.entries
    WHERE a.status = 'OPEN'";

pub(super) const ACKNOWLEDGE: &str = "
    UPDATE {compliance_anomalies} SET status = 'ACKNOWLEDGED', verdict = $3, acknowledged_by = $4, acknowledged_at = $5,
           acknowledged_position = $6, acknowledged_event_id = $7
    WHERE organization_id = $1 AND anomaly_id = $2";

/// What counts, and what says that somebody looked.
const INTERESTS: [&str; Raised::BY.len() + 1] = {
    let mut interests = ["compliance.anomaly_acknowledged"; Raised::BY.len() + 1];
    let mut index = 0;
    while index < Raised::BY.len() {
        interests[index] = Raised::BY[index];
        index += 1;
    }
    interests
};

/// Of whom something is counted: organization, rule, actor.
type Key = (Uuid, AnomalyRule, Uuid);

/// The fold. A batch costs some statements for each actor of whom it counts something.
pub struct Anomalies;

#[async_trait]
impl Projector for Anomalies {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        4
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_anomalies", "compliance_anomaly_sightings"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let mut watches: BTreeMap<Key, Watch> = BTreeMap::new();
        for Delivered { event, .. } in batch {
            if event.event_type == "compliance.anomaly_acknowledged" {
                // It may be about what this batch raised, and what comes after it is raised anew.
                store(context, std::mem::take(&mut watches)).await?;
                acknowledge(context, event).await?;
            } else if let Some(Sighting { rule, counted }) = Sighting::of(event) {
                if let Some(change) = Change::of(event)
                    && !change.apply(context, event).await?
                {
                    continue;
                }
                let key = (event.organization_id.0, rule, event.actor_id);
                let watch = match watches.entry(key) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(load(context, key, event.recorded_at).await?),
                };
                let raising = anomaly_id(event, rule);
                watch.see(&counted, Seen { at: event.recorded_at, position: event.position, raising });
            }
        }
        store(context, watches).await
    }
}

/// What was seen before, as far as it counts at this time.
async fn load(context: &mut ApplyContext<'_>, key: Key, now: DateTime<Utc>) -> Result<Watch, ApplyError> {
    let (organization, rule, actor) = key;
    let begin = now - window(rule);
    let sql = context.slot.sql(SEEN);
    let query = sqlx::query_as(&sql).bind(organization).bind(rule.name()).bind(actor).bind(begin);
    let seen: Vec<(Uuid, i64, DateTime<Utc>)> = query.fetch_all(&mut *context.tx).await?;
    let sql = context.slot.sql(OPEN);
    let query = sqlx::query_as(&sql).bind(organization).bind(rule.name()).bind(actor).bind(begin);
    type Row = (Uuid, i64, DateTime<Utc>, i64, DateTime<Utc>, DateTime<Utc>, Vec<i64>);
    let open: Option<Row> = query.fetch_optional(&mut *context.tx).await?;
    let open = open.map(|(id, sightings, raised_at, raised_position, last_seen_at, first_seen_at, entries)| {
        let (id, entries) = (AnomalyId(id), entries.into_iter().collect());
        Open { id, sightings, raised_at, raised_position, last_seen_at, first_seen_at, entries }
    });
    Ok(Watch::new(rule, seen, open))
}

async fn store(context: &mut ApplyContext<'_>, watches: BTreeMap<Key, Watch>) -> Result<(), ApplyError> {
    for ((organization, rule, actor), watch) in watches {
        let Some(begin) = watch.begin() else { continue };
        let counted: Vec<Uuid> = watch.fresh.keys().copied().collect();
        let (positions, times): (Vec<i64>, Vec<DateTime<Utc>>) = watch.fresh.values().copied().unzip();
        let sql = context.slot.sql(FORGET);
        let forget = sqlx::query(&sql).bind(organization).bind(rule.name()).bind(actor).bind(begin).bind(&counted);
        forget.execute(&mut *context.tx).await?;
        let sql = context.slot.sql(SEE);
        let see = sqlx::query(&sql).bind(organization).bind(rule.name()).bind(actor).bind(&counted).bind(positions);
        see.bind(times).bind(begin).execute(&mut *context.tx).await?;
        for open in watch.open {
            let sql = context.slot.sql(RAISE);
            let raise = sqlx::query(&sql).bind(organization).bind(open.id.0).bind(rule.name()).bind(actor).bind(open.sightings);
            let raise = raise.bind(open.raised_at).bind(open.raised_position).bind(open.last_seen_at).bind(open.first_seen_at);
            let raise = raise.bind(open.entries.into_iter().collect::<Vec<_>>());
            raise.execute(&mut *context.tx).await?;
        }
    }
    Ok(())
}

async fn acknowledge(context: &mut ApplyContext<'_>, event: &RecordedEvent) -> Result<(), ApplyError> {
    let payload = event.payload.get().as_bytes();
    let said = AccessAnomalyEvent::from_payload(&event.event_type, event.schema_version, payload)?;
    let AccessAnomalyEvent::AnomalyAcknowledged(said) = said else { return Ok(()) };
    let sql = context.slot.sql(ACKNOWLEDGE);
    let query = sqlx::query(&sql).bind(event.organization_id.0).bind(said.anomaly_id.0).bind(said.verdict.name());
    let query = query.bind(said.acknowledged_by.0).bind(event.recorded_at).bind(event.position).bind(event.id.0);
    query.execute(&mut *context.tx).await?;
    Ok(())
}
