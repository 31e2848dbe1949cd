//! `GET breaches`, and one of them.

use super::PROJECTION;
use crate::compliance::sealed::{self, Opened, SealedEvent};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::breach_case::{BreachCase, BreachStatus},
    kernel::{Aggregate, BreachId, DataClass, Purpose},
};
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

pub(super) const GET: &str = "
    SELECT *, status IN ('OPENED', 'ASSESSED') AND due_at <= $3::timestamptz AS overdue,
           CASE WHEN status IN ('OPENED', 'ASSESSED')
                THEN floor(extract(epoch FROM due_at - $3::timestamptz) / 3600)::bigint END AS hours_left
    FROM compliance_breaches
    WHERE organization_id = $1 AND breach_id = $2";

/// A breach of personal data.
#[derive(Debug, Serialize, ToSchema)]
pub struct Breach {
    #[serde(rename = "id")]
    pub breach_id: Uuid,
    /// `confidentiality`, `integrity` or `availability`.
    pub nature: String,
    /// `OPENED`, `ASSESSED`, `NOTIFIED`, `NOT_REQUIRED` or `CLOSED`.
    pub status: String,
    /// What happened; missing once the last of the organization was erased, as all that people wrote.
    pub summary: Option<String>,
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
    /// How many records it concerns, about.
    pub records: Option<i64>,
    /// Which kinds of data.
    pub data_categories: Option<String>,
    /// Which kinds of people.
    pub people_categories: Option<String>,
    /// What it may lead to.
    pub consequences: Option<String>,
    /// What was done, or is to be done.
    pub measures: Option<String>,
    /// Where more can be learned.
    pub contact: Option<String>,
    /// When the authority was told first.
    pub notified_at: Option<DateTime<Utc>>,
    /// What the authority calls it.
    pub reference: Option<String>,
    /// Why it was told so late.
    pub delay_reason: Option<String>,
    /// Why it need not be told.
    pub waiver_reason: Option<String>,
    /// When those whom it concerns were told; missing again once it is found to concern more, or at a high risk.
    pub informed_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// What was seen in another light when it was last assessed anew.
    pub reassessment_reason: Option<String>,
    /// Why those whom a high risk concerns were not told: `unintelligible`, `risk_removed` or `public_communication`.
    pub not_informed: Option<String>,
    pub opened_by: Uuid,
}

#[derive(sqlx::FromRow)]
struct Row {
    breach_id: Uuid,
    nature: String,
    status: String,
    aware_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    hours_left: Option<i64>,
    overdue: bool,
    risk: Option<String>,
    subjects: Option<i64>,
    records: Option<i64>,
    notified_at: Option<DateTime<Utc>>,
    informed_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    not_informed: Option<String>,
    opened_by: Uuid,
    opened_position: i64,
    opened_event_id: Uuid,
    notified_position: Option<i64>,
    notified_event_id: Option<Uuid>,
    waived_position: Option<i64>,
    waived_event_id: Option<Uuid>,
    reassessed_position: Option<i64>,
    reassessed_event_id: Option<Uuid>,
    described_position: Option<i64>,
    described_event_id: Option<Uuid>,
}

impl Row {
    /// The events beside which somebody may have written something.
    fn sealed(&self) -> impl Iterator<Item = SealedEvent> {
        let (stream, subject) = ((BreachCase::TYPE, self.breach_id), self.breach_id);
        let at = move |place: (Option<i64>, Option<Uuid>)| {
            Some(SealedEvent { position: place.0?, event_id: place.1?, stream, subject, purpose: Purpose::Case })
        };
        let later = [
            (self.notified_position, self.notified_event_id),
            (self.waived_position, self.waived_event_id),
            (self.reassessed_position, self.reassessed_event_id),
            (self.described_position, self.described_event_id),
        ];
        std::iter::once((Some(self.opened_position), Some(self.opened_event_id))).chain(later).filter_map(at)
    }

    fn breach(self, opened: &mut Opened) -> Breach {
        let mut text = |position: Option<i64>, field: &str| opened.remove(&(position?, field.to_owned()));
        Breach {
            summary: text(Some(self.opened_position), "summary"),
            reference: text(self.notified_position, "reference"),
            delay_reason: text(self.notified_position, "delay_reason"),
            waiver_reason: text(self.waived_position, "reason"),
            reassessment_reason: text(self.reassessed_position, "reason"),
            data_categories: text(self.described_position, "data_categories"),
            people_categories: text(self.described_position, "people_categories"),
            consequences: text(self.described_position, "consequences"),
            measures: text(self.described_position, "measures"),
            contact: text(self.described_position, "contact"),
            records: self.records,
            breach_id: self.breach_id,
            nature: self.nature,
            status: self.status,
            aware_at: self.aware_at,
            due_at: self.due_at,
            hours_left: self.hours_left,
            overdue: self.overdue,
            risk: self.risk,
            subjects: self.subjects,
            notified_at: self.notified_at,
            informed_at: self.informed_at,
            closed_at: self.closed_at,
            not_informed: self.not_informed,
            opened_by: self.opened_by,
        }
    }
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
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).persistent(false).bind(reader.organization().0).bind(self.status.map(BreachStatus::name));
        let query = query.bind(list.before()).bind(list.rows()).bind(reader.now());
        let page = list.page(reader, query, |last: &Row| last.opened_position).await?;
        page.touch(reader, |row| row.breach_id);
        let events: Vec<SealedEvent> = page.items.iter().flat_map(Row::sealed).collect();
        let mut opened = sealed::open(reader, &events).await?;
        Ok(page.map(|row| row.breach(&mut opened)))
    }
}

/// One breach.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetBreach {
    pub breach_id: BreachId,
}

impl Query for GetBreach {
    type Output = Breach;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Breach, ReadError> {
        reader.touches(self.breach_id.0);
        let query = sqlx::query_as(GET).persistent(false).bind(reader.organization().0).bind(self.breach_id.0).bind(reader.now());
        let row: Row = query.fetch_optional(reader.connection()).await?.ok_or(ReadError::NotFound)?;
        let events: Vec<SealedEvent> = row.sealed().collect();
        let mut opened = sealed::open(reader, &events).await?;
        Ok(row.breach(&mut opened))
    }
}
