//! The usage report: how many there were and how much they did, each day of a stretch by itself.

use super::{
    measures::{ACTIVE_USERS, PARTICIPANTS, POINTS_ISSUED, POINTS_SPENT, SIGN_INS, USERS},
    query::{by_day, totals},
};
use crate::{
    challenges::participation::SUBJECTS_MIN,
    engine::{
        ReadError, Readers, ReportFormat,
        report::{About, document},
    },
};
use bytes::Bytes;
use chrono::{NaiveDate, Utc};
use futures::stream::{self, BoxStream};
use palmares_domain::{identity::user::UserStatus, kernel::Tenant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const COLUMNS: &[&str] = &["day", "users", "active_users", "sign_ins", "participants", "points_issued", "points_spent"];

/// Which days are reported on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportUsage {
    /// The first day (UTC).
    pub from: NaiveDate,
    /// The last day, at most 366 days in all.
    pub until: NaiveDate,
}

impl ReportUsage {
    /// Refuses what cannot be reported on.
    pub fn check(&self) -> Result<(), ReadError> {
        About::check(self.from, self.until)?;
        if self.until > Utc::now().date_naive() { Err(ReadError::invalid("until", "out_of_range")) } else { Ok(()) }
    }
}

/// A day. A figure of fewer than five people is missing.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    day: NaiveDate,
    /// Who was active at the end of the day.
    users: Option<i64>,
    /// Whoever signed in or went on with a session.
    active_users: Option<i64>,
    /// Of enough people.
    sign_ins: Option<i64>,
    /// Whoever recorded an activity.
    participants: Option<i64>,
    /// Of an organization of enough people.
    points_issued: Option<i64>,
    points_spent: Option<i64>,
}

/// The rows, from how many users there were before and what each day added.
fn rows(asked: &ReportUsage, before: i64, added: &BTreeMap<(NaiveDate, String), i64>, users: &str) -> Vec<Row> {
    let mut standing = before;
    let enough = |people: i64| usize::try_from(people).is_ok_and(|people| people >= SUBJECTS_MIN);
    let row = |day: NaiveDate| {
        let on = |measure: &str| added.get(&(day, measure.to_owned())).copied().unwrap_or(0);
        standing += on(users);
        let (active, part) = (on(ACTIVE_USERS), on(PARTICIPANTS));
        Row {
            day,
            users: enough(standing).then_some(standing),
            active_users: enough(active).then_some(active),
            sign_ins: enough(active).then(|| on(SIGN_INS)),
            participants: enough(part).then_some(part),
            points_issued: enough(standing).then(|| on(POINTS_ISSUED)),
            points_spent: enough(standing).then(|| on(POINTS_SPENT)),
        }
    };
    asked.from.iter_days().take_while(|day| *day <= asked.until).map(row).collect()
}

async fn read(readers: Readers, tenant: Tenant, asked: ReportUsage) -> Result<Vec<Row>, ReadError> {
    let mut reader = readers.open(tenant, None).await?;
    let organizations = [tenant.organization().0];
    let users = format!("{USERS}{}", UserStatus::Active.name());
    let before = match asked.from.pred_opt() {
        Some(day) => totals(&mut reader, &organizations, day).await?.get(&users).copied().unwrap_or(0),
        None => 0,
    };
    let measures = [&users, ACTIVE_USERS, SIGN_INS, PARTICIPANTS, POINTS_ISSUED, POINTS_SPENT];
    let added = by_day(&mut reader, &organizations, (asked.from, asked.until), &measures).await?;
    Ok(rows(&asked, before, &added, &users))
}

/// The report, a row for each day.
pub fn report_usage(
    readers: Readers,
    tenant: Tenant,
    asked: ReportUsage,
    format: ReportFormat,
) -> BoxStream<'static, Result<Bytes, ReadError>> {
    let ReportUsage { from, until } = asked;
    let about = About { report: "usage", organization_id: tenant.organization(), from, until, subjects_min: SUBJECTS_MIN };
    document(format, &about, COLUMNS, stream::once(read(readers, tenant, asked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// covers: E-44, E-271
    #[test]
    fn a_figure_of_fewer_than_five_is_missing() {
        let asked = ReportUsage { from: day("2026-01-05"), until: day("2026-01-06") };
        let added = [
            ("2026-01-05", "users.ACTIVE", 3),
            ("2026-01-05", ACTIVE_USERS, 4),
            ("2026-01-05", SIGN_INS, 9),
            ("2026-01-05", PARTICIPANTS, 5),
            ("2026-01-05", POINTS_ISSUED, 100),
            ("2026-01-06", "users.ACTIVE", 1),
            ("2026-01-06", ACTIVE_USERS, 5),
            ("2026-01-06", SIGN_INS, 6),
            ("2026-01-06", PARTICIPANTS, 4),
            ("2026-01-06", POINTS_SPENT, 30),
        ];
        let added = added.map(|(on, measure, value)| ((day(on), measure.to_owned()), value)).into();
        let few = Row {
            day: asked.from,
            users: None,
            active_users: None,
            sign_ins: None,
            participants: Some(5),
            points_issued: None,
            points_spent: None,
        };
        let enough = Row {
            day: asked.until,
            users: Some(5),
            active_users: Some(5),
            sign_ins: Some(6),
            participants: None,
            points_issued: Some(0),
            points_spent: Some(30),
        };
        assert_eq!(rows(&asked, 1, &added, "users.ACTIVE"), [few, enough]);
    }
}
