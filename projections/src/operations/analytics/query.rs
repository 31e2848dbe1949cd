//! `GET analytics` and `GET platform/analytics`.

use super::{
    PROJECTION,
    measures::{ACTIVE_USERS, INVITATIONS, PARTICIPANTS, POINTS_ISSUED, POINTS_SPENT, SIGN_INS, USERS, WEEKLY_USERS},
    tally::monday,
};
use crate::{
    challenges::participation::SUBJECTS_MIN,
    engine::{Query, ReadError, TenantReader},
};
use chrono::{Days, NaiveDate, Utc};
use palmares_domain::{identity::user::UserStatus, kernel::OrganizationId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("operations.analytics.totals", TOTALS), ("operations.analytics.days", DAYS), ("operations.analytics.peopled", PEOPLED)];

/// What every day up to one added.
const TOTALS: &str = "
    SELECT measure, sum(value)::bigint FROM operations_analytics
    WHERE organization_id = $1 AND id = ANY($2) AND day <= $3 GROUP BY measure";

/// What the days of a stretch added.
const DAYS: &str = "
    SELECT day, measure, sum(value)::bigint FROM operations_analytics
    WHERE organization_id = $1 AND id = ANY($2) AND day BETWEEN $3 AND $4 AND measure = ANY($5) GROUP BY day, measure";

/// Each organization with the number of its active users.
const PEOPLED: &str = "
    SELECT id, coalesce(sum(value) FILTER (WHERE measure = $3), 0)::bigint FROM operations_analytics
    WHERE organization_id = $1 AND day <= $2 GROUP BY id";

const DAYS_SHOWN: u64 = 30;
const WEEKS_SHOWN: u64 = 5;

/// One day.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageDay {
    pub day: NaiveDate,
    pub sign_ins: i64,
    /// Whoever signed in or went on with a session.
    pub active_users: i64,
    /// Whoever recorded an activity; nothing where they are fewer than five.
    pub participants: Option<i64>,
}

/// One week.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageWeek {
    /// Its Monday.
    pub week: NaiveDate,
    pub active_users: i64,
}

/// The figures as they were at the end of a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageFigures {
    /// By the name of where they stand, such as `ACTIVE`.
    pub users: BTreeMap<String, i64>,
    /// The same: `PENDING` ones are open.
    pub invitations: BTreeMap<String, i64>,
    pub points_issued: i64,
    pub points_spent: i64,
    /// The last thirty, the newest last.
    pub days: Vec<UsageDay>,
    /// The last five, the newest last.
    pub weeks: Vec<UsageWeek>,
}

impl UsageFigures {
    async fn of(reader: &mut TenantReader<'_>, organizations: &[Uuid], until: NaiveDate) -> Result<Self, ReadError> {
        let totals = totals(reader, organizations, until).await?;
        let first = ago(until, DAYS_SHOWN - 1);
        let first_week = ago(monday(until), 7 * (WEEKS_SHOWN - 1));
        let measures = [SIGN_INS, ACTIVE_USERS, PARTICIPANTS, WEEKLY_USERS];
        let by_day = by_day(reader, organizations, (first.min(first_week), until), &measures).await?;
        let on = |day: NaiveDate, measure: &str| by_day.get(&(day, measure.to_owned())).copied().unwrap_or(0);
        let total = |measure: &str| totals.get(measure).copied().unwrap_or(0);
        let day = |day: NaiveDate| UsageDay {
            day,
            sign_ins: on(day, SIGN_INS),
            active_users: on(day, ACTIVE_USERS),
            participants: Some(on(day, PARTICIPANTS)).filter(|people| usize::try_from(*people).is_ok_and(|people| people >= SUBJECTS_MIN)),
        };
        let weeks = first_week.iter_weeks().take(usize::try_from(WEEKS_SHOWN).unwrap_or_default());
        Ok(Self {
            users: standing(&totals, USERS),
            invitations: standing(&totals, INVITATIONS),
            points_issued: total(POINTS_ISSUED),
            points_spent: total(POINTS_SPENT),
            days: first.iter_days().take_while(|day| *day <= until).map(day).collect(),
            weeks: weeks.map(|week| UsageWeek { week, active_users: on(week, WEEKLY_USERS) }).collect(),
        })
    }
}

/// What every day up to one added, by measure.
pub(super) async fn totals(
    reader: &mut TenantReader<'_>,
    organizations: &[Uuid],
    until: NaiveDate,
) -> Result<BTreeMap<String, i64>, ReadError> {
    let tenant = reader.organization().0;
    let query = sqlx::query_as(TOTALS).persistent(false).bind(tenant).bind(organizations).bind(until);
    Ok(query.fetch_all(reader.connection()).await?.into_iter().collect())
}

/// What each day of a stretch added, by day and measure.
pub(super) async fn by_day(
    reader: &mut TenantReader<'_>,
    organizations: &[Uuid],
    (from, until): (NaiveDate, NaiveDate),
    measures: &[&str],
) -> Result<BTreeMap<(NaiveDate, String), i64>, ReadError> {
    let tenant = reader.organization().0;
    let measures: Vec<String> = measures.iter().map(|measure| (*measure).to_owned()).collect();
    let query = sqlx::query_as(DAYS).persistent(false).bind(tenant).bind(organizations).bind(from).bind(until).bind(measures);
    let rows: Vec<(NaiveDate, String, i64)> = query.fetch_all(reader.connection()).await?;
    Ok(rows.into_iter().map(|(day, measure, sum)| ((day, measure), sum)).collect())
}

/// How many stand where, of those whose measures begin so.
fn standing(totals: &BTreeMap<String, i64>, of: &str) -> BTreeMap<String, i64> {
    totals.iter().filter_map(|(measure, sum)| Some((measure.strip_prefix(of)?.to_owned(), *sum))).filter(|(_, sum)| *sum != 0).collect()
}

fn ago(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

/// The day that is asked about; today where none is.
fn asked(until: Option<NaiveDate>) -> Result<NaiveDate, ReadError> {
    let today = Utc::now().date_naive();
    let until = until.unwrap_or(today);
    if until > today { Err(ReadError::invalid("until", "out_of_range")) } else { Ok(until) }
}

/// The figures of the caller's organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowAnalytics {
    /// The last day (UTC) that counts; today where it is missing.
    #[serde(default)]
    pub until: Option<NaiveDate>,
}

/// What an organization's administrators see of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationAnalytics {
    pub until: NaiveDate,
    #[serde(flatten)]
    pub figures: UsageFigures,
}

impl Query for ShowAnalytics {
    type Output = OrganizationAnalytics;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<OrganizationAnalytics, ReadError> {
        let until = asked(self.until)?;
        let organization = reader.organization().0;
        Ok(OrganizationAnalytics { until, figures: UsageFigures::of(reader, &[organization], until).await? })
    }
}

/// The figures of all organizations together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowPlatformAnalytics {
    /// The last day (UTC) that counts; today where it is missing.
    #[serde(default)]
    pub until: Option<NaiveDate>,
}

/// What the platform's administrators see: sums, and nothing of an organization by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformAnalytics {
    pub until: NaiveDate,
    /// So many active users an organization has to have to be in the figures.
    pub subjects_min: usize,
    /// How many organizations are in the figures.
    pub organizations: usize,
    /// How many have too few people.
    pub left_out: usize,
    #[serde(flatten)]
    pub figures: UsageFigures,
}

impl Query for ShowPlatformAnalytics {
    type Output = PlatformAnalytics;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<PlatformAnalytics, ReadError> {
        // Only the platform's own tenant has the figures of all.
        if reader.organization() != OrganizationId::PLATFORM {
            return Err(ReadError::NotFound);
        }
        let until = asked(self.until)?;
        let active = format!("{USERS}{}", UserStatus::Active.name());
        let query = sqlx::query_as(PEOPLED).persistent(false).bind(OrganizationId::PLATFORM.0).bind(until).bind(active);
        let peopled: Vec<(Uuid, i64)> = query.fetch_all(reader.connection()).await?;
        let all = peopled.len();
        let enough = |people: i64| usize::try_from(people).is_ok_and(|people| people >= SUBJECTS_MIN);
        let counted: Vec<Uuid> = peopled.into_iter().filter(|(_, people)| enough(*people)).map(|(id, _)| id).collect();
        let figures = UsageFigures::of(reader, &counted, until).await?;
        Ok(PlatformAnalytics { until, subjects_min: SUBJECTS_MIN, organizations: counted.len(), left_out: all - counted.len(), figures })
    }
}
