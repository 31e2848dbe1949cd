//! How long an organization keeps what, on which ground.

use crate::engine::{ApplyContext, ApplyError, Delivered, Projector, Query, ReadError, TenantReader};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::retention_schedule::{RecordClass, RetentionEvent},
    kernel::{Event, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// The projection's public name.
pub const PROJECTION: &str = "retention_schedules";

pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("compliance.retention_schedules.set", SET), ("compliance.retention_schedules.list", LIST)];

const SET: &str = "
    INSERT INTO {compliance_retention_periods} (organization_id, class, days, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (organization_id, class) DO UPDATE SET days = excluded.days, set_by = excluded.set_by, set_at = excluded.set_at";

const LIST: &str = "SELECT class, days, set_by, set_at FROM compliance_retention_periods WHERE organization_id = $1";

/// The fold.
pub struct RetentionSchedules;

#[async_trait]
impl Projector for RetentionSchedules {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_retention_periods"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.retention_period_set"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let RetentionEvent::RetentionPeriodSet(period) =
                RetentionEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let sql = context.slot.sql(SET);
            let set = sqlx::query(&sql).bind(event.organization_id.0).bind(period.class.name()).bind(i64::from(period.days));
            set.bind(period.set_by.0).bind(event.recorded_at).execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}

/// How long a class of records is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionPeriod {
    pub class: RecordClass,
    pub days: i64,
    /// What the platform asks at least.
    pub least_days: u32,
    pub most_days: u32,
    /// On which ground it is kept.
    pub ground: &'static str,
    /// Missing where it is the platform's own.
    pub set_by: Option<UserId>,
    pub set_at: Option<DateTime<Utc>>,
}

/// Every class, with how long the organization keeps it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionPeriods {
    pub items: Vec<RetentionPeriod>,
}

/// The retention schedule of the organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowRetentionSchedule {}

impl Query for ShowRetentionSchedule {
    type Output = RetentionPeriods;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<RetentionPeriods, ReadError> {
        Ok(RetentionPeriods { items: periods(reader).await? })
    }
}

/// Every class, with how long the reader's organization keeps it.
pub(super) async fn periods(reader: &mut TenantReader<'_>) -> Result<Vec<RetentionPeriod>, ReadError> {
    let organization = reader.organization().0;
    let rows: Vec<(String, i64, Uuid, DateTime<Utc>)> = sqlx::query_as(LIST).bind(organization).fetch_all(reader.connection()).await?;
    let set: BTreeMap<String, _> = rows.into_iter().map(|(class, days, by, at)| (class, (days, by, at))).collect();
    let periods = RecordClass::ALL.into_iter().map(|class| {
        let own = set.get(class.name());
        let (least_days, most_days) = class.bounds();
        RetentionPeriod {
            class,
            days: own.map_or_else(|| i64::from(class.default_days()), |(days, ..)| *days),
            least_days,
            most_days,
            ground: class.ground(),
            set_by: own.map(|(_, by, _)| UserId(*by)),
            set_at: own.map(|(.., at)| *at),
        }
    });
    Ok(periods.collect())
}
