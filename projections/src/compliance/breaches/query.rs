//! `GET breaches`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{compliance::breach_case::BreachStatus, kernel::DataClass};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The clock runs while nobody told the authority, or why it need not be told.
pub(super) const LIST: &str = "
    SELECT *, status IN ('OPENED', 'ASSESSED') AND due_at <= $5::timestamptz AS overdue,
           CASE WHEN status IN ('OPENED', 'ASSESSED')
                THEN floor(extract(epoch FROM due_at - $5::timestamptz) / 3600)::bigint END AS hours_left
    FROM compliance_breaches
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND opened_position < $3
    ORDER BY opened_position DESC LIMIT $4";

/// A breach of personal data.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Breach {
    #[serde(rename = "id")]
    pub breach_id: Uuid,
    /// `confidentiality`, `integrity` or `availability`.
    pub nature: String,
    /// `OPENED`, `ASSESSED`, `NOTIFIED`, `NOT_REQUIRED` or `CLOSED`.
    pub status: String,
    pub summary: String,
    pub aware_at: DateTime<Utc>,
    /// By when the authority has to be told.
    pub due_at: DateTime<Utc>,
    /// Whole hours until then, below zero once it is over; missing where the clock stands.
    pub hours_left: Option<i64>,
    pub overdue: bool,
    /// `unlikely`, `likely` or `high`.
    pub risk: Option<String>,
    /// How many people it concerns, about.
    pub subjects: Option<i64>,
    pub notified_at: Option<DateTime<Utc>>,
    /// What the authority calls it.
    pub reference: Option<String>,
    /// Why it was told so late.
    pub delay_reason: Option<String>,
    /// Why it need not be told.
    pub waiver_reason: Option<String>,
    /// When those whom it concerns were told.
    pub informed_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// What was seen in another light when it was last assessed anew.
    pub reassessment_reason: Option<String>,
    /// Why those whom a high risk concerns were not told: `unintelligible`, `risk_removed` or `public_communication`.
    pub not_informed: Option<String>,
    pub opened_by: Uuid,
    #[serde(skip)]
    opened_position: i64,
}

/// The breaches of the organization, the newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBreaches {
    #[serde(default)]
    pub status: Option<BreachStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListBreaches {
    type Output = Page<Breach>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Breach>, ReadError> {
        let list = reader.list(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).persistent(false).bind(reader.organization().0).bind(self.status.map(BreachStatus::name));
        let query = query.bind(list.before()).bind(list.rows()).bind(reader.now());
        let page = list.page(reader, query, |last: &Breach| last.opened_position).await?;
        page.touch(reader, |row| row.breach_id);
        Ok(page)
    }
}
