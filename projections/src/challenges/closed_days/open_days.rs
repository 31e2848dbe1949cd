//! The days that can be closed, with what they come to now.

use crate::{
    challenges::participation::{SUBJECTS_MIN, totals},
    engine::{ReadError, TenantReader},
};
use chrono::NaiveDate;
use palmares_domain::challenges::{Metric, closed_days::ClosedDay};

/// Months by their first days.
pub(super) const OPEN_MONTHS: &str = "
    SELECT DISTINCT date_trunc('month', local_day::timestamp)::date AS month FROM (
        SELECT local_day, metric FROM challenges_activity_days
        WHERE organization_id = $1 AND local_day <= $2 GROUP BY local_day, metric HAVING count(*) >= $3
        EXCEPT SELECT day, metric FROM challenges_closed_days WHERE organization_id = $1
    ) AS open_days ORDER BY month";

pub(super) const OPEN_DAYS: &str = "
    SELECT local_day, metric FROM challenges_activity_days
    WHERE organization_id = $1 AND local_day >= $2::date AND local_day < $2::date + interval '1 month' AND local_day <= $3
    GROUP BY local_day, metric HAVING count(*) >= $4
    EXCEPT SELECT day, metric FROM challenges_closed_days WHERE organization_id = $1
    ORDER BY local_day, metric";

/// The months in which days up to `until` may be closed, by their first days.
pub async fn open_months(reader: &mut TenantReader<'_>, until: NaiveDate) -> Result<Vec<NaiveDate>, ReadError> {
    let organization = reader.organization().0;
    let query = sqlx::query_scalar(OPEN_MONTHS).bind(organization).bind(until).bind(subjects_min());
    Ok(query.fetch_all(reader.connection()).await?)
}

/// What the days of a month come to that are not closed, up to `until`. Those on which too few took part
/// are not among them.
pub async fn totals_to_close(reader: &mut TenantReader<'_>, month: NaiveDate, until: NaiveDate) -> Result<Vec<ClosedDay>, ReadError> {
    let organization = reader.organization().0;
    let query = sqlx::query_as(OPEN_DAYS).bind(organization).bind(month).bind(until).bind(subjects_min());
    let open: Vec<(NaiveDate, String)> = query.fetch_all(reader.connection()).await?;
    let mut to_close = Vec::new();
    for (day, name) in open {
        let Some(metric) = Metric::parse(&name) else { continue };
        let taking_part: Vec<i64> =
            totals(reader, metric, day).await?.into_iter().map(|(_, total)| total).filter(|total| *total > 0).collect();
        if taking_part.len() >= SUBJECTS_MIN {
            let participants = i64::try_from(taking_part.len()).unwrap_or(i64::MAX);
            let total = taking_part.into_iter().fold(0, i64::saturating_add);
            to_close.push(ClosedDay { day, metric, participants, total });
        }
    }
    Ok(to_close)
}

fn subjects_min() -> i64 {
    i64::try_from(SUBJECTS_MIN).unwrap_or(i64::MAX)
}
