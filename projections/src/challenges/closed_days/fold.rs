//! From closed days to their rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector, ReadError, TenantReader};
use async_trait::async_trait;
use chrono::NaiveDate;
use palmares_domain::{
    challenges::{Metric, closed_days::ClosedDaysEvent},
    kernel::Event,
};
use std::collections::BTreeMap;

pub(super) const CLOSE: &str = "
    INSERT INTO {challenges_closed_days} (organization_id, day, metric, participants, total)
    SELECT $1, * FROM unnest($2::date[], $3::text[], $4::bigint[], $5::bigint[])";

pub(super) const CLOSED: &str = "
    SELECT day, participants, total FROM challenges_closed_days
    WHERE organization_id = $1 AND metric = $2 AND day BETWEEN $3 AND $4";

/// The fold.
pub struct ClosedDays;

#[async_trait]
impl Projector for ClosedDays {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["challenges_closed_days"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["challenges.days_closed"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let ClosedDaysEvent::DaysClosed(closed) =
                ClosedDaysEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let days = || closed.days.iter();
            let sql = context.slot.sql(CLOSE);
            sqlx::query(&sql)
                .bind(event.organization_id.0)
                .bind(days().map(|closed| closed.day).collect::<Vec<_>>())
                .bind(days().map(|closed| closed.metric.name()).collect::<Vec<_>>())
                .bind(days().map(|closed| closed.participants).collect::<Vec<_>>())
                .bind(days().map(|closed| closed.total).collect::<Vec<_>>())
                .execute(&mut *context.tx)
                .await?;
        }
        Ok(())
    }
}

/// What stays of a day.
#[derive(Clone, Copy, Debug)]
pub(in crate::challenges) struct Closed {
    pub participants: i64,
    pub total: i64,
}

/// The days of a stretch that are closed.
pub(in crate::challenges) async fn closed_between(
    reader: &mut TenantReader<'_>,
    metric: Metric,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<BTreeMap<NaiveDate, Closed>, ReadError> {
    let organization = reader.organization().0;
    let query = sqlx::query_as(CLOSED).bind(organization).bind(metric.name()).bind(from).bind(until);
    let rows: Vec<(NaiveDate, i64, i64)> = query.fetch_all(reader.connection()).await?;
    Ok(rows.into_iter().map(|(day, participants, total)| (day, Closed { participants, total })).collect())
}
