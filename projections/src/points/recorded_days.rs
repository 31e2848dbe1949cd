//! Which recorded days does an earning rule reach? Asked by the reactor that settles them.

use crate::{
    challenges::activities,
    engine::{ReadError, TenantReader},
};
use chrono::NaiveDate;
use palmares_domain::{challenges::Metric, kernel::UserId};
use uuid::Uuid;

/// In the order of the primary key, which has every column that is asked for.
const DAYS: &str = "
    SELECT user_id, local_day FROM challenges_activity_days
    WHERE organization_id = $1 AND metric = $2 AND local_day >= $3 AND (user_id, local_day) > ($4, $5)
    ORDER BY user_id, local_day LIMIT $6";

pub(super) const STATEMENTS: &[(&str, &str)] = &[("points.recorded_days.days", DAYS)];

/// The projections whose rows are read.
pub const PROJECTIONS: &[&str] = &[activities::PROJECTION];

/// A day on which a member has a total of the metric.
pub type RecordedDay = (UserId, NaiveDate);

/// The next days of `metric` from `first` on, of every member of the organization, behind `behind`.
///
/// What the totals are is not told, since it may change before it is used.
pub async fn recorded_days(
    reader: &mut TenantReader<'_>,
    metric: Metric,
    first: NaiveDate,
    behind: Option<RecordedDay>,
    limit: i64,
) -> Result<Vec<RecordedDay>, ReadError> {
    // No user has the nil id, so with it the day says nothing.
    let (user, day) = behind.unwrap_or((UserId(Uuid::nil()), first));
    // Planned for these very values: how far the scan goes depends on them.
    let query = sqlx::query_as::<_, (Uuid, NaiveDate)>(DAYS).persistent(false);
    let query = query.bind(reader.organization().0).bind(metric.name()).bind(first).bind(user.0).bind(day).bind(limit);
    let rows = query.fetch_all(reader.connection()).await?;
    Ok(rows.into_iter().map(|(user, day)| (UserId(user), day)).collect())
}
