//! `GET anomalies`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, Readers, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_anomaly::AnomalyRule,
    kernel::{AnomalyId, DataClass, Tenant, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT anomaly_id, rule, actor_id, sightings, raised_at, raised_position, last_seen_at, status, verdict, acknowledged_by,
           acknowledged_at
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
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Anomaly {
    #[serde(rename = "id")]
    pub anomaly_id: Uuid,
    /// `CROSS_TENANT_ATTEMPTS`, `MASS_READS`, `MASS_EXPORTS`, `ESCALATION_ATTEMPTS` or `COMPLIANCE_OFFICERS_CHANGED`.
    pub rule: String,
    /// Who did it.
    pub actor_id: Uuid,
    /// The most that was seen of it within the rule's time: for reads different people whose data was shown,
    /// alone or in lists, of which more than 50 within an hour are too many; attempts otherwise.
    pub sightings: i64,
    pub raised_at: DateTime<Utc>,
    /// The entry of the audit log that raised it.
    pub raised_position: i64,
    pub last_seen_at: DateTime<Utc>,
    /// `OPEN` or `ACKNOWLEDGED`.
    pub status: String,
    /// `EXPECTED` or `HANDLED`.
    pub verdict: Option<String>,
    pub acknowledged_by: Option<Uuid>,
    pub acknowledged_at: Option<DateTime<Utc>>,
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
        let list = reader.list(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST)
            .bind(reader.organization().0)
            .bind(list.before())
            .bind(self.status.map(AnomalyStatus::name))
            .bind(self.rule.map(AnomalyRule::name))
            .bind(self.actor_id.map(|actor| actor.0))
            .bind(list.rows());
        list.page(reader, query, |last: &Anomaly| last.raised_position).await
    }
}

/// Who did what looked wrong; nothing, where the organization has no such anomaly.
pub async fn anomaly_about(readers: &Readers, tenant: Tenant, anomaly: AnomalyId) -> Result<Option<UserId>, ReadError> {
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_scalar(ABOUT).bind(tenant.organization().0).bind(anomaly.0);
    let about: Option<Uuid> = query.fetch_optional(reader.connection()).await?;
    Ok(about.map(UserId))
}
