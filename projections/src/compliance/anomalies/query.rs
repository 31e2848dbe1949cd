//! `GET anomalies`.

use super::{
    PROJECTION,
    rules::{threshold, window},
};
use crate::compliance::sealed::{self, Opened, SealedEvent};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, Readers, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_anomaly::{AccessAnomaly, AnomalyRule},
    kernel::{Aggregate, AnomalyId, DataClass, Purpose, Tenant, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT anomaly_id, rule, actor_id, sightings, raised_at, raised_position, last_seen_at, status, verdict, acknowledged_by,
           acknowledged_at, first_seen_at, entries, acknowledged_position, acknowledged_event_id
    FROM compliance_anomalies
    WHERE organization_id = $1 AND raised_position < $2 AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR rule = $4)
      AND ($5::uuid IS NULL OR actor_id = $5)
    ORDER BY raised_position DESC, anomaly_id LIMIT $6";

pub(super) const ABOUT: &str = "SELECT actor_id FROM compliance_anomalies WHERE organization_id = $1 AND anomaly_id = $2";

/// Whether somebody looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnomalyStatus {
    Open,
    Acknowledged,
}

impl AnomalyStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Acknowledged => "ACKNOWLEDGED",
        }
    }
}

/// Something in the audit log that looks wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Anomaly {
    pub id: Uuid,
    /// `CROSS_TENANT_ATTEMPTS`, `MASS_READS`, `MASS_EXPORTS`, `ESCALATION_ATTEMPTS` or `COMPLIANCE_OFFICERS_CHANGED`.
    pub rule: String,
    /// Who did it.
    pub actor_id: Uuid,
    /// The most that was seen of it within the rule's time: for reads different people whose data was shown,
    /// alone or in lists, of which more than 50 within an hour are too many; attempts otherwise.
    pub sightings: i64,
    /// From this number on it looks wrong, within so many seconds.
    pub threshold: i64,
    pub within_seconds: i64,
    /// When the first and the last of it was recorded: all of it is found by `actor_id`, `from` and `to` in the audit log.
    pub window: SeenWindow,
    /// Positions of the entries of the audit log that were counted, the first hundred, oldest first.
    pub entries: Vec<i64>,
    pub raised_at: DateTime<Utc>,
    /// The entry of the audit log that raised it.
    pub raised_position: i64,
    pub last_seen_at: DateTime<Utc>,
    /// `OPEN` or `ACKNOWLEDGED`.
    pub status: String,
    /// `EXPECTED` or `HANDLED`.
    pub verdict: Option<String>,
    /// What was found out, where that was said.
    pub note: Option<String>,
    pub acknowledged_by: Option<Uuid>,
    pub acknowledged_at: Option<DateTime<Utc>>,
}

/// From when to when something was seen.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenWindow {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    anomaly_id: Uuid,
    rule: String,
    actor_id: Uuid,
    sightings: i64,
    raised_at: DateTime<Utc>,
    raised_position: i64,
    last_seen_at: DateTime<Utc>,
    status: String,
    verdict: Option<String>,
    acknowledged_by: Option<Uuid>,
    acknowledged_at: Option<DateTime<Utc>>,
    /// Missing of what an older build raised, until the projection is made anew.
    first_seen_at: Option<DateTime<Utc>>,
    entries: Vec<i64>,
    acknowledged_position: Option<i64>,
    acknowledged_event_id: Option<Uuid>,
}

impl Row {
    /// Where its note would stand.
    fn sealed(&self) -> Option<SealedEvent> {
        let (position, event_id) = self.acknowledged_position.zip(self.acknowledged_event_id)?;
        let stream = (AccessAnomaly::TYPE, self.anomaly_id);
        Some(SealedEvent { position, event_id, stream, subject: self.anomaly_id, purpose: Purpose::Case })
    }

    fn anomaly(self, opened: &mut Opened) -> Anomaly {
        let rule = AnomalyRule::ALL.into_iter().find(|rule| rule.name() == self.rule);
        let note = self.acknowledged_position.and_then(|position| opened.remove(&(position, "note".to_owned())));
        Anomaly {
            id: self.anomaly_id,
            rule: self.rule,
            actor_id: self.actor_id,
            sightings: self.sightings,
            threshold: rule.map_or(0, threshold),
            within_seconds: rule.map_or(0, |rule| window(rule).num_seconds()),
            window: SeenWindow { from: self.first_seen_at.unwrap_or(self.raised_at), to: self.last_seen_at },
            entries: self.entries,
            raised_at: self.raised_at,
            raised_position: self.raised_position,
            last_seen_at: self.last_seen_at,
            status: self.status,
            verdict: self.verdict,
            note,
            acknowledged_by: self.acknowledged_by,
            acknowledged_at: self.acknowledged_at,
        }
    }
}

/// What in the audit log of the organization looks wrong, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAnomalies {
    /// All where it is missing.
    #[serde(default)]
    pub status: Option<AnomalyStatus>,
    #[serde(default)]
    pub rule: Option<AnomalyRule>,
    #[serde(default)]
    pub actor_id: Option<UserId>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListAnomalies {
    type Output = Page<Anomaly>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Anomaly>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST)
            .bind(reader.organization().0)
            .bind(list.before())
            .bind(self.status.map(AnomalyStatus::name))
            .bind(self.rule.map(AnomalyRule::name))
            .bind(self.actor_id.map(|actor| actor.0))
            .bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.raised_position).await?;
        let events: Vec<SealedEvent> = page.items.iter().filter_map(Row::sealed).collect();
        let mut opened = sealed::open(reader, &events).await?;
        Ok(Page { items: page.items.into_iter().map(|row| row.anomaly(&mut opened)).collect(), next_cursor: page.next_cursor })
    }
}

/// Who did what looked wrong; nothing, where the organization has no such anomaly.
pub async fn anomaly_about(readers: &Readers, tenant: Tenant, anomaly: AnomalyId) -> Result<Option<UserId>, ReadError> {
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_scalar(ABOUT).bind(tenant.organization().0).bind(anomaly.0);
    let about: Option<Uuid> = query.fetch_optional(reader.connection()).await?;
    Ok(about.map(UserId))
}
