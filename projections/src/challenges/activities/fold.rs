//! From batches of reports to records and day totals.

use super::{PROJECTION, SealedRecord, day_place, record_id, record_place};
use crate::{
    challenges::{ACTIVITIES_RECORDED, reports},
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::{
    challenges::{
        Metric,
        activity_log::{Measure, RecordChange},
    },
    kernel::{OrganizationId, Place, Purpose, UserId},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const UPSERT: &str = "
    INSERT INTO {challenges_activities}
        (organization_id, user_id, record_id, metric, local_day, recorded_at, corrected, sealed)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::date[], $6::timestamptz[], $7::boolean[], $8::bytea[])
    ON CONFLICT (organization_id, user_id, record_id) DO UPDATE
    SET metric = excluded.metric, local_day = excluded.local_day, recorded_at = excluded.recorded_at,
        corrected = excluded.corrected, sealed = excluded.sealed";

pub(super) const DELETE: &str = "
    DELETE FROM {challenges_activities} a
    USING unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS gone (organization_id, user_id, record_id)
    WHERE a.organization_id = gone.organization_id AND a.user_id = gone.user_id AND a.record_id = gone.record_id";

pub(super) const UPSERT_DAYS: &str = "
    INSERT INTO {challenges_activity_days} (organization_id, user_id, local_day, metric, recorded_at, sealed)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::timestamptz[], $6::bytea[])
    ON CONFLICT (organization_id, user_id, local_day, metric) DO UPDATE
    SET recorded_at = excluded.recorded_at, sealed = excluded.sealed";

pub(super) const FORGET: &str = "
    DELETE FROM {challenges_activities} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

pub(super) const FORGET_DAYS: &str = "
    DELETE FROM {challenges_activity_days} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold.
pub struct Activities;

#[async_trait]
impl Projector for Activities {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["challenges_activities", "challenges_activity_days"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[ACTIVITIES_RECORDED, ERASED]
    }

    fn opens_personal(&self) -> bool {
        true
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let Changes { records, days } = changes(batch)?;
        let (standing, retracted): (Vec<_>, Vec<_>) = records.into_iter().partition(|(_, record)| record.measure.is_some());
        upsert(context, standing).await?;
        delete(context, retracted).await?;
        upsert_days(context, days).await?;
        // What somebody did is gone with their health key.
        forget(context, batch, Purpose::Health, &[FORGET, FORGET_DAYS]).await
    }
}

type RecordKey = (OrganizationId, UserId, Uuid);
type DayKey = (OrganizationId, UserId, NaiveDate, Metric);

/// What stands of every record and day that a batch touches, once it is over.
#[derive(Default)]
struct Changes {
    records: BTreeMap<RecordKey, Record>,
    days: BTreeMap<DayKey, Day>,
}

struct Record {
    source: String,
    source_record_id: String,
    /// None once retracted.
    measure: Option<Measure>,
    corrected: bool,
    at: DateTime<Utc>,
}

struct Day {
    total: i64,
    at: DateTime<Utc>,
}

fn changes(batch: &[Delivered]) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    for delivered in but_erased(batch) {
        let (organization, at) = (delivered.event.organization_id, delivered.event.recorded_at);
        let (user, Some(reports)) = reports(delivered)? else { continue };
        for item in reports.records {
            let key = (organization, user, record_id(user, &item.source, &item.source_record_id));
            let corrected = matches!(item.change, RecordChange::Corrected { .. });
            let measure = item.change.measure().cloned();
            let record = Record { source: item.source, source_record_id: item.source_record_id, measure, corrected, at };
            changes.records.insert(key, record);
        }
        for day in reports.day_totals {
            changes.days.insert((organization, user, day.day, day.metric), Day { total: day.total, at });
        }
    }
    Ok(changes)
}

async fn upsert(context: &mut ApplyContext<'_>, standing: Vec<(RecordKey, Record)>) -> Result<(), ApplyError> {
    let mut clear = Vec::with_capacity(standing.len());
    let mut rows = Vec::with_capacity(standing.len());
    for ((organization, user, id), record) in standing {
        let Some(measure) = record.measure else { continue };
        let Record { source, source_record_id, corrected, at, .. } = record;
        let sealed = SealedRecord { source, source_record_id, value: measure.value, time_zone: measure.time_zone };
        let json = serde_json::to_vec(&sealed).map_err(|error| ApplyError::Invalid(error.to_string()))?;
        clear.push((record_place(organization, user, id), json));
        rows.push((organization, user, id, measure.metric, measure.local_day, at, corrected));
    }
    let rows = with_sealed(rows, seal(context, &clear).await?);
    if rows.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(UPSERT);
    sqlx::query(&sql)
        .bind(rows.iter().map(|(row, _)| row.0.0).collect::<Vec<Uuid>>())
        .bind(rows.iter().map(|(row, _)| row.1.0).collect::<Vec<Uuid>>())
        .bind(rows.iter().map(|(row, _)| row.2).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.3.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.4).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.5).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.6).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, sealed)| sealed.as_slice()).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn delete(context: &mut ApplyContext<'_>, retracted: Vec<(RecordKey, Record)>) -> Result<(), ApplyError> {
    if retracted.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(DELETE);
    sqlx::query(&sql)
        .bind(retracted.iter().map(|((organization, ..), _)| organization.0).collect::<Vec<_>>())
        .bind(retracted.iter().map(|((_, user, _), _)| user.0).collect::<Vec<_>>())
        .bind(retracted.iter().map(|((.., id), _)| *id).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn upsert_days(context: &mut ApplyContext<'_>, days: BTreeMap<DayKey, Day>) -> Result<(), ApplyError> {
    let clear: Vec<_> = days
        .iter()
        .map(|((organization, user, day, metric), of_day)| {
            (day_place(*organization, *user, metric.name(), *day), of_day.total.to_be_bytes().to_vec())
        })
        .collect();
    let rows = with_sealed(days.into_iter().collect(), seal(context, &clear).await?);
    if rows.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(UPSERT_DAYS);
    sqlx::query(&sql)
        .bind(rows.iter().map(|(((organization, ..), _), _)| organization.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(((_, user, ..), _), _)| user.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(((_, _, day, _), _), _)| *day).collect::<Vec<_>>())
        .bind(rows.iter().map(|(((.., metric), _), _)| metric.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|((_, day), _)| day.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, sealed)| sealed.as_slice()).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn seal(context: &ApplyContext<'_>, clear: &[(Place, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, ApplyError> {
    let items: Vec<(Place, &[u8])> = clear.iter().map(|(place, bytes)| (place.clone(), bytes.as_slice())).collect();
    Ok(context.keys.seal_many(&items).await?)
}

/// The rows with what was sealed of them. Whoever was erased since the event was opened has no key
/// to seal with, and gets no row.
fn with_sealed<T>(rows: Vec<T>, sealed: Vec<Option<Vec<u8>>>) -> Vec<(T, Vec<u8>)> {
    rows.into_iter().zip(sealed).filter_map(|(row, sealed)| Some((row, sealed?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::activities_recorded;
    use palmares_domain::challenges::activity_log::{DayTotal, RecordedBatch, RecordedItem};

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const ALICE: UserId = UserId(Uuid::from_u128(2));

    fn steps(value: i64) -> Measure {
        Measure { metric: Metric::Steps, value, local_day: day(), time_zone: "Europe/Paris".into() }
    }

    fn day() -> NaiveDate {
        "2016-04-12".parse().unwrap()
    }

    fn event(position: i64, change: RecordChange, before: i64, total: i64) -> Delivered {
        let item = RecordedItem { source: "fitbit".into(), source_record_id: "a".into(), change };
        let total = DayTotal { metric: Metric::Steps, day: day(), total_before: before, total };
        activities_recorded(ACME, ALICE, position, Some(RecordedBatch { records: vec![item], day_totals: vec![total] }))
    }

    #[test]
    fn the_newest_content_of_a_record_wins() {
        let first = event(1, RecordChange::Ingested { measure: steps(100) }, 0, 100);
        let second = event(2, RecordChange::Corrected { measure: steps(130), previous: steps(100) }, 100, 130);
        let changes = changes(&[first, second]).unwrap();
        let (_, record) = changes.records.first_key_value().unwrap();
        assert_eq!((changes.records.len(), record.corrected), (1, true));
        assert_eq!(record.measure.as_ref().map(|measure| measure.value), Some(130));
        assert_eq!(changes.days.values().map(|day| day.total).collect::<Vec<_>>(), [130]);
    }

    #[test]
    fn a_retracted_record_stands_no_more_and_its_day_keeps_the_rest() {
        let changes = changes(&[event(1, RecordChange::Retracted { previous: steps(100) }, 105, 5)]).unwrap();
        assert!(changes.records.values().all(|record| record.measure.is_none()));
        assert_eq!(changes.days.values().map(|day| day.total).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn what_was_erased_is_left_out() {
        let changes = changes(&[activities_recorded(ACME, ALICE, 1, None)]).unwrap();
        assert!(changes.records.is_empty() && changes.days.is_empty());
    }
}
