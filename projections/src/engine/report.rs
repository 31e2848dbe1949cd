//! Reports: rows over a stretch of days as they come, as a table or as a JSON document.

use super::{ReadError, table};
use bytes::Bytes;
use chrono::NaiveDate;
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use palmares_domain::kernel::OrganizationId;
use serde::Serialize;

/// Days of one report.
const DAYS_MAX: i64 = 366;

/// How a report is written down.
#[derive(Clone, Copy, Debug)]
pub enum ReportFormat {
    Csv,
    Json,
}

/// What a report is about.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    pub report: &'static str,
    pub organization_id: OrganizationId,
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// So many people at least are behind every figure over people.
    pub subjects_min: usize,
}

impl About {
    /// Refuses a stretch that ends before it begins, or is too long.
    pub fn check(from: NaiveDate, until: NaiveDate) -> Result<(), ReadError> {
        let fits = (0..DAYS_MAX).contains(&until.signed_duration_since(from).num_days());
        if fits { Ok(()) } else { Err(ReadError::invalid("until", "out_of_range")) }
    }
}

/// The report as it is sent. One that breaks off is no whole JSON document.
pub(crate) fn document<T: Serialize + Send + 'static>(
    format: ReportFormat,
    about: &About,
    columns: &'static [&'static str],
    pages: impl Stream<Item = Result<Vec<T>, ReadError>> + Send + 'static,
) -> BoxStream<'static, Result<Bytes, ReadError>> {
    let piece = |text: String| stream::once(std::future::ready(Ok(Bytes::from(text))));
    match format {
        ReportFormat::Csv => {
            let rows = pages.and_then(|rows| std::future::ready(table::lines(columns, &rows).map(Bytes::from)));
            piece(table::header(columns)).chain(rows).boxed()
        }
        ReportFormat::Json => {
            let head = match serde_json::to_string(about) {
                Ok(text) => format!("{},\"rows\":[", text.trim_end_matches('}')),
                Err(error) => return stream::once(std::future::ready(Err(ReadError::Unavailable(error.into())))).boxed(),
            };
            let mut separator = "";
            let rows = pages.and_then(move |rows| {
                let mut text = String::new();
                let written = rows.iter().try_for_each(|row| {
                    text.push_str(std::mem::replace(&mut separator, ","));
                    text.push_str(&serde_json::to_string(row)?);
                    Ok(())
                });
                let written: Result<(), serde_json::Error> = written;
                std::future::ready(written.map(|()| Bytes::from(text)).map_err(|error| ReadError::Unavailable(error.into())))
            });
            piece(head).chain(rows).chain(piece("]}\n".to_owned())).boxed()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    async fn written(format: ReportFormat) -> String {
        let (from, until) = (day("2026-01-05"), day("2026-01-06"));
        let about = About { report: "steps", organization_id: OrganizationId(Uuid::nil()), from, until, subjects_min: 5 };
        let pages = [vec![json!({ "day": "2026-01-05", "total": 7 })], Vec::new(), vec![json!({ "day": "2026-01-06", "total": null })]];
        let pieces = document(format, &about, &["day", "total"], stream::iter(pages.map(Ok)));
        let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[tokio::test]
    async fn a_report_is_the_same_rows_in_either_form() {
        assert_eq!(written(ReportFormat::Csv).await, "day,total\r\n2026-01-05,7\r\n2026-01-06,\r\n");
        let json: Value = serde_json::from_str(&written(ReportFormat::Json).await).unwrap();
        assert_eq!(json["rows"], json!([{ "day": "2026-01-05", "total": 7 }, { "day": "2026-01-06", "total": null }]));
        assert_eq!((&json["from"], &json["until"], &json["subjects_min"]), (&json!("2026-01-05"), &json!("2026-01-06"), &json!(5)));
    }

    #[test]
    fn a_stretch_has_a_day_at_least_and_a_year_at_most() {
        let first = day("2024-01-01");
        for (until, fits) in [("2023-12-31", false), ("2024-01-01", true), ("2024-12-31", true), ("2025-01-01", false)] {
            assert_eq!(About::check(first, day(until)).is_ok(), fits, "{until}");
        }
    }
}
