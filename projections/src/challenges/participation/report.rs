//! The participation report: each day of a stretch by itself, under the rules of every figure over people.

use super::{SUBJECTS_MIN, figures::Figures, query::totals};
use crate::{
    challenges::closed_days,
    engine::{
        ReadError, Readers, ReportFormat,
        report::{About, document},
    },
};
use bytes::Bytes;
use chrono::NaiveDate;
use futures::stream::{self, BoxStream};
use palmares_domain::{challenges::Metric, kernel::Tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const COLUMNS: &[&str] = &["day", "metric", "participants", "total", "average"];

/// Which days are reported on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportParticipation {
    /// All of them, where it is missing.
    #[serde(default)]
    pub metric: Option<Metric>,
    /// The first local day.
    pub from: NaiveDate,
    /// The last local day, at most 366 days in all.
    pub until: NaiveDate,
}

impl ReportParticipation {
    /// Refuses what cannot be reported on.
    pub fn check(&self) -> Result<(), ReadError> {
        About::check(self.from, self.until)
    }

    fn metrics(&self) -> &[Metric] {
        self.metric.as_ref().map_or(Metric::ALL, std::slice::from_ref)
    }
}

/// A metric on a day. Without figures where fewer than five took part, none among them.
#[derive(Debug, Serialize)]
struct Row {
    day: NaiveDate,
    metric: Metric,
    participants: Option<i64>,
    /// In the unit of the metric.
    total: Option<i64>,
    /// Per person, rounded down.
    average: Option<i64>,
}

/// Where a report stands.
struct Report {
    readers: Readers,
    tenant: Tenant,
    asked: ReportParticipation,
    day: NaiveDate,
}

impl Report {
    /// The rows of the next day, each day in a transaction of its own.
    async fn next(mut self) -> Result<Option<(Vec<Row>, Self)>, ReadError> {
        let day = self.day;
        if day > self.asked.until {
            return Ok(None);
        }
        let mut reader = self.readers.open(self.tenant, None).await?;
        let mut rows = Vec::new();
        for metric in self.asked.metrics().iter().copied() {
            let closed = closed_days::closed_between(&mut reader, metric, day, day).await?;
            let mut figures = Figures::default();
            figures.add(&totals(&mut reader, metric, day).await?, closed.get(&day).copied());
            let shown = figures.shown();
            rows.push(Row {
                day,
                metric,
                participants: shown.as_ref().map(|shown| shown.participants),
                total: shown.as_ref().map(|shown| shown.total),
                average: shown.as_ref().map(|shown| shown.average),
            });
        }
        drop(reader);
        self.day = day.succ_opt().ok_or_else(|| ReadError::invalid("until", "out_of_range"))?;
        Ok(Some((rows, self)))
    }
}

/// The report, a row for each day and metric.
pub fn report_participation(
    readers: Readers,
    tenant: Tenant,
    asked: ReportParticipation,
    format: ReportFormat,
) -> BoxStream<'static, Result<Bytes, ReadError>> {
    let ReportParticipation { from, until, .. } = asked;
    let about = About { report: "participation", organization_id: tenant.organization(), from, until, subjects_min: SUBJECTS_MIN };
    document(format, &about, COLUMNS, stream::try_unfold(Report { readers, tenant, day: from, asked }, Report::next))
}
