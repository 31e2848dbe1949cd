//! `GET wellness/participation`.

use super::{SUBJECTS_MIN, figures::Figures};
use crate::{
    challenges::{activities, closed_days},
    engine::{Query, ReadError, TenantReader},
};
use chrono::NaiveDate;
use palmares_domain::{
    challenges::Metric,
    kernel::{DataClass, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// One day at a time, so that a long stretch of a large organization is never in memory at once.
pub(super) const DAY: &str = "
    SELECT user_id, sealed FROM challenges_activity_days
    WHERE organization_id = $1 AND local_day = $2 AND metric = $3";

/// Days of one question.
const DAYS_MAX: i64 = 92;

/// How many people take part, and how much they do together; never what one of them does.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowParticipation {
    pub metric: Metric,
    /// The first local day.
    pub from: NaiveDate,
    /// The last local day, at most 92 days in all.
    pub until: NaiveDate,
}

/// Figures over five people at least; days on which fewer took part are in none of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct WellnessParticipation {
    pub metric: Metric,
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// Whether there are no figures, because on no day enough people took part.
    pub withheld: bool,
    /// So many people at least are behind every figure.
    pub subjects_min: usize,
    /// Who took part on one of the days that count.
    pub participants: Option<i64>,
    /// The days that count.
    pub days: Option<i64>,
    /// In the unit of the metric.
    pub total: Option<i64>,
    /// Per person and day, rounded down.
    pub average: Option<i64>,
}

impl Query for ShowParticipation {
    type Output = WellnessParticipation;

    const PROJECTIONS: &'static [&'static str] = &[activities::PROJECTION, closed_days::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<WellnessParticipation, ReadError> {
        let Self { metric, from, until } = self;
        if !(0..DAYS_MAX).contains(&(until - from).num_days()) {
            return Err(ReadError::invalid("until", "out_of_range"));
        }
        let closed = closed_days::closed_between(reader, metric, from, until).await?;
        let mut figures = Figures::default();
        for day in from.iter_days().take_while(|day| *day <= until) {
            figures.add(&totals(reader, metric, day).await?, closed.get(&day).copied());
        }
        let shown = figures.shown();
        Ok(WellnessParticipation {
            metric,
            from,
            until,
            withheld: shown.is_none(),
            subjects_min: SUBJECTS_MIN,
            participants: shown.as_ref().map(|shown| shown.participants),
            days: shown.as_ref().map(|shown| shown.days),
            total: shown.as_ref().map(|shown| shown.total),
            average: shown.as_ref().map(|shown| shown.average),
        })
    }
}

/// What each person did on a day, those left out who were erased.
pub(in crate::challenges) async fn totals(
    reader: &mut TenantReader<'_>,
    metric: Metric,
    day: NaiveDate,
) -> Result<Vec<(UserId, i64)>, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(DAY).persistent(false).bind(organization.0).bind(day).bind(metric.name());
    let rows: Vec<(Uuid, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let users = || rows.iter().map(|(user, _)| UserId(*user));
    let items: Vec<_> = users()
        .zip(&rows)
        .map(|(user, (_, sealed))| (activities::day_place(organization, user, metric.name(), day), sealed.as_slice()))
        .collect();
    let opened = reader.keys_for_figures().open_many(&items).await?;
    let mut totals = Vec::with_capacity(rows.len());
    for (user, clear) in users().zip(opened) {
        let Some(clear) = clear else { continue };
        totals.push((user, activities::day_total(&clear).ok_or_else(|| activities::malformed(day))?));
    }
    Ok(totals)
}
