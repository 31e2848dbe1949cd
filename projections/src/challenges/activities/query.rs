//! `GET users/{user_id}/activities`, as records and as day totals, newest day first.

use super::{PROJECTION, SealedRecord, day_place, day_total, metric, record_place};
use crate::{
    challenges::require_user,
    engine::{Cursor, Limit, Listing, Page, Query, ReadError, TenantReader, in_order},
};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::{
    challenges::Metric,
    kernel::{DataClass, Place, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT record_id, metric, local_day, recorded_at, corrected, sealed
    FROM challenges_activities
    WHERE organization_id = $1 AND user_id = $2 AND ($3::text IS NULL OR metric = $3)
      AND ($4::date IS NULL OR local_day >= $4) AND ($5::date IS NULL OR local_day <= $5)
      AND ($6::date IS NULL OR (local_day, record_id) < ($6, $7))
    ORDER BY local_day DESC, record_id DESC LIMIT $8";

pub(super) const DAYS: &str = "
    SELECT local_day, metric, recorded_at, sealed
    FROM challenges_activity_days
    WHERE organization_id = $1 AND user_id = $2 AND ($3::text IS NULL OR metric = $3)
      AND ($4::date IS NULL OR local_day >= $4) AND ($5::date IS NULL OR local_day <= $5)
      AND ($6::date IS NULL OR (local_day, metric) < ($6, $7))
    ORDER BY local_day DESC, metric DESC LIMIT $8";

/// What the sources of a user reported. Newest day first; the order within a day is stable and
/// says nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserActivities {
    pub user_id: UserId,
    #[serde(default)]
    pub metric: Option<Metric>,
    /// The first local day.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// The last local day.
    #[serde(default)]
    pub to: Option<NaiveDate>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// One record, as its source reported it last.
#[derive(Debug, Serialize, ToSchema)]
pub struct Activity {
    pub id: Uuid,
    pub source: String,
    pub source_record_id: String,
    pub metric: Metric,
    /// In the unit of the metric.
    pub value: i64,
    pub local_day: NaiveDate,
    /// IANA name.
    pub time_zone: String,
    /// Whether the source has changed it since it came.
    pub corrected: bool,
    /// When its present content was recorded.
    pub recorded_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct RecordRow {
    record_id: Uuid,
    metric: String,
    local_day: NaiveDate,
    recorded_at: DateTime<Utc>,
    corrected: bool,
    sealed: Vec<u8>,
}

impl Query for UserActivities {
    type Output = Page<Activity>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Restricted;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Activity>, ReadError> {
        in_order(self.from, ("to", self.to))?;
        let list: Listing<(NaiveDate, Uuid)> = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        require_user(reader, self.user_id).await?;
        let organization = reader.organization();
        let query = sqlx::query_as(LIST)
            .bind(organization.0)
            .bind(self.user_id.0)
            .bind(self.metric.map(Metric::name))
            .bind(self.from)
            .bind(self.to)
            .bind(list.behind().map(|(day, _)| day))
            .bind(list.behind().map(|(_, id)| id))
            .bind(list.rows());
        reader.touches(self.user_id.0);
        let page = list.page(reader, query, |last: &RecordRow| (last.local_day, last.record_id)).await?;
        let places = page.items.iter().map(|row| record_place(organization, self.user_id, row.record_id));
        let opened = open(reader, places.zip(page.items.iter().map(|row| row.sealed.as_slice()))).await?;
        let items = page.items.into_iter().zip(opened).filter_map(|(row, clear)| clear.map(|clear| row.activity(&clear)));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
    }
}

impl RecordRow {
    fn activity(self, clear: &[u8]) -> Result<Activity, ReadError> {
        let sealed: SealedRecord = serde_json::from_slice(clear).map_err(|_| malformed(self.record_id))?;
        let SealedRecord { source, source_record_id, value, time_zone } = sealed;
        Ok(Activity {
            id: self.record_id,
            source,
            source_record_id,
            metric: metric(&self.metric).map_err(ReadError::Unavailable)?,
            value,
            local_day: self.local_day,
            time_zone,
            corrected: self.corrected,
            recorded_at: self.recorded_at,
        })
    }
}

/// What the reports of a user sum up to, per local day and metric. Newest day first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserActivityDays {
    pub user_id: UserId,
    #[serde(default)]
    pub metric: Option<Metric>,
    /// The first local day.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// The last local day.
    #[serde(default)]
    pub to: Option<NaiveDate>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// The total of a metric over one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityDay {
    pub local_day: NaiveDate,
    pub metric: Metric,
    /// In the unit of the metric.
    pub total: i64,
    /// When the total was last reported on.
    pub recorded_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct DayRow {
    local_day: NaiveDate,
    metric: String,
    recorded_at: DateTime<Utc>,
    sealed: Vec<u8>,
}

impl Query for UserActivityDays {
    type Output = Page<ActivityDay>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Restricted;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<ActivityDay>, ReadError> {
        in_order(self.from, ("to", self.to))?;
        let list: Listing<(NaiveDate, String)> = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        require_user(reader, self.user_id).await?;
        let organization = reader.organization();
        let (day, metric_name) = list.behind().unzip();
        let query = sqlx::query_as(DAYS)
            .bind(organization.0)
            .bind(self.user_id.0)
            .bind(self.metric.map(Metric::name))
            .bind(self.from)
            .bind(self.to)
            .bind(day)
            .bind(metric_name)
            .bind(list.rows());
        reader.touches(self.user_id.0);
        let page = list.page(reader, query, |last: &DayRow| (last.local_day, last.metric.clone())).await?;
        let places = page.items.iter().map(|row| day_place(organization, self.user_id, &row.metric, row.local_day));
        let opened = open(reader, places.zip(page.items.iter().map(|row| row.sealed.as_slice()))).await?;
        let items = page.items.into_iter().zip(opened).filter_map(|(row, clear)| clear.map(|clear| row.day(&clear)));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
    }
}

impl DayRow {
    fn day(self, clear: &[u8]) -> Result<ActivityDay, ReadError> {
        let total = day_total(clear).ok_or_else(|| malformed(self.local_day))?;
        let metric = metric(&self.metric).map_err(ReadError::Unavailable)?;
        Ok(ActivityDay { local_day: self.local_day, metric, total, recorded_at: self.recorded_at })
    }
}

/// Opens the rows of a page; `None` for those of whom the key was destroyed.
async fn open<'a>(
    reader: &TenantReader<'_>,
    items: impl Iterator<Item = (Place, &'a [u8])> + Send,
) -> Result<Vec<Option<Vec<u8>>>, ReadError> {
    let items: Vec<(Place, &[u8])> = items.collect();
    Ok(reader.keys().open_many(&items).await?)
}

pub(in crate::challenges) fn malformed(row: impl std::fmt::Display) -> ReadError {
    ReadError::Unavailable(anyhow::anyhow!("the sealed part of {row} is malformed"))
}
