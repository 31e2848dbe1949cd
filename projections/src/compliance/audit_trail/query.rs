//! `GET audit-logs`.

use super::{
    PROJECTION,
    differences::Difference,
    fold::Metadata,
    origins::{self, Origin},
    states,
};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{DataClass, EventId},
    registry,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// Times become positions first: they grow along the log, so the page is read by position whatever
/// else is asked.
pub(super) const LIST: &str = "
    WITH page AS MATERIALIZED (
        SELECT * FROM compliance_audit_log
        WHERE organization_id = $1 AND position < $2
          AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4) AND ($5::text IS NULL OR event_type = $5)
          AND ($6::uuid IS NULL OR stream_id = $6) AND ($7::text IS NULL OR stream_type = $7) AND ($8::text IS NULL OR outcome = $8)
          AND ($9::uuid IS NULL OR correlation_id = $9)
          AND ($13::uuid IS NULL OR on_behalf_of = $13) AND ($14::uuid IS NULL OR elevation_id = $14)
          AND ($10::timestamptz IS NULL OR position >= (SELECT f.position FROM compliance_audit_log f
              WHERE f.organization_id = $1 AND f.recorded_at >= $10 ORDER BY f.recorded_at, f.position LIMIT 1))
          AND ($11::timestamptz IS NULL OR position <= (SELECT t.position FROM compliance_audit_log t
              WHERE t.organization_id = $1 AND t.recorded_at < $11 ORDER BY t.recorded_at DESC, t.position DESC LIMIT 1))
        ORDER BY position DESC LIMIT $12)
    SELECT p.position, p.recorded_at, p.event_type, p.action, p.outcome, p.actor_id, p.on_behalf_of, p.elevation_id, p.stream_type,
           p.stream_id, p.correlation_id, p.causation_id, p.request_id, p.client_context_id, e.event_id, e.version, e.schema_version, e.metadata, e.payload
    FROM page p JOIN events e ON e.position = p.position
    ORDER BY p.position DESC";

/// What became of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditOutcome)]
pub enum Outcome {
    /// It was done.
    Recorded,
    /// The gate refused it.
    Refused,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Recorded => "recorded",
            Outcome::Refused => "refused",
        }
    }
}

/// Who did what, when, from where, and what it changed. Newest first; entries are never changed and
/// new ones come before the first page, so the pages of a list fit together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAuditLogs {
    #[serde(default)]
    pub actor_id: Option<Uuid>,
    /// The permission under which it was done, such as `points.hold.place`.
    #[serde(default)]
    pub action: Option<String>,
    /// The type of the event, such as `points.hold_placed`.
    #[serde(default)]
    pub event_type: Option<String>,
    #[serde(default)]
    pub target_id: Option<Uuid>,
    #[serde(default)]
    pub target_type: Option<String>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// Done by somebody who acted as this user.
    #[serde(default)]
    pub on_behalf_of: Option<Uuid>,
    /// Done with this elevation.
    #[serde(default)]
    pub elevation_id: Option<Uuid>,
    /// Recorded at this time or later.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// What was acted on: the stream, and the version that the event made of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditTarget)]
pub struct Target {
    #[serde(rename = "type")]
    pub stream_type: String,
    pub id: Uuid,
    pub version: i64,
}

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// The event.
    pub id: EventId,
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
    /// Who.
    pub actor_id: Uuid,
    /// The user as whom the actor acted, where that was another one.
    pub on_behalf_of: Option<Uuid>,
    /// The elevation that the actor used.
    pub elevation_id: Option<Uuid>,
    /// The roles that the actor had then.
    pub roles: Vec<String>,
    /// The permission under which it was done.
    pub action: Option<String>,
    /// What decided: each policy with the version of its set, such as `self.member@1f3c9a20d4e1`. A
    /// refusal names the rule of the gate first, such as `gate.tenant_mismatch`. Empty where nobody asked.
    pub policies: Vec<String>,
    pub event_type: String,
    pub target: Target,
    /// `recorded` or `refused`.
    pub outcome: String,
    pub request_id: Option<Uuid>,
    pub correlation_id: Option<Uuid>,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
    /// From where; missing for the system's own acts, and once the person was erased.
    pub client: Option<Origin>,
    /// What the event changed on its target, by field; missing where no state is shown.
    pub changes: Option<BTreeMap<String, Difference>>,
    /// What the event says; personal fields are digests.
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
    /// What is above the caller's clearance and was left out: fields of the payload, and `client` or
    /// `changes` as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
}

impl AuditEntry {
    /// Without what is above a clearance. Where somebody was is confidential; a difference has no class
    /// of its own, so it takes the highest that a state may hold.
    fn cleared(mut self, clearance: DataClass, schema_version: i16) -> Self {
        let event = u16::try_from(schema_version).ok().and_then(|version| registry::event_spec(&self.event_type, version));
        if let Some((payload, withheld)) = registry::data_map::cleared(event, &self.payload, clearance) {
            (self.payload, self.withheld) = (payload, withheld);
        }
        if clearance < DataClass::Confidential && self.client.take().is_some() {
            self.withheld.push("client".to_owned());
        }
        if clearance < DataClass::Restricted && self.changes.take().is_some() {
            self.withheld.push("changes".to_owned());
        }
        self
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    recorded_at: DateTime<Utc>,
    event_type: String,
    action: Option<String>,
    outcome: String,
    actor_id: Uuid,
    on_behalf_of: Option<Uuid>,
    elevation_id: Option<Uuid>,
    stream_type: String,
    stream_id: Uuid,
    correlation_id: Option<Uuid>,
    causation_id: Option<Uuid>,
    request_id: Option<Uuid>,
    client_context_id: Option<Uuid>,
    event_id: Uuid,
    version: i64,
    metadata: Vec<u8>,
    schema_version: i16,
    payload: Vec<u8>,
}

impl Query for ListAuditLogs {
    type Output = Page<AuditEntry>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<AuditEntry>, ReadError> {
        let limit = self.limit.rows()?;
        let before: i64 = reader.behind(self.cursor.as_ref())?.unwrap_or(i64::MAX);
        let before = reader.as_of.map_or(before, |as_of| before.min(as_of.saturating_add(1)));
        let organization = reader.organization().0;
        let rows: Vec<Row> = sqlx::query_as(LIST)
            .persistent(false)
            .bind(organization)
            .bind(before)
            .bind(self.actor_id)
            .bind(self.action)
            .bind(self.event_type)
            .bind(self.target_id)
            .bind(self.target_type)
            .bind(self.outcome.map(Outcome::name))
            .bind(self.correlation_id)
            .bind(self.from)
            .bind(self.to)
            .bind(limit + 1)
            .bind(self.on_behalf_of)
            .bind(self.elevation_id)
            .fetch_all(reader.connection())
            .await?;
        let page = Page::of(rows, limit, |last| reader.cursor(&last.position))?;
        Ok(Page { items: entries(reader, page.items).await?, next_cursor: page.next_cursor })
    }
}

/// The rows with what has to be opened and folded for them.
async fn entries(reader: &mut TenantReader<'_>, rows: Vec<Row>) -> Result<Vec<AuditEntry>, ReadError> {
    let contexts: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.client_context_id).collect();
    let origins = origins::open(reader, &contexts.into_iter().collect::<Vec<_>>()).await?;
    let mut wanted: BTreeMap<states::StreamKey, BTreeSet<i64>> = BTreeMap::new();
    for row in &rows {
        wanted.entry((row.stream_type.clone(), row.stream_id)).or_default().insert(row.version);
    }
    let mut changes = states::differences_of(reader, wanted).await?;
    let clearance = reader.clearance();
    rows.into_iter()
        .map(|row| {
            let client = row.client_context_id.and_then(|id| origins.get(&id)).cloned();
            let changes = changes.remove(&((row.stream_type.clone(), row.stream_id), row.version));
            row.entry(client, changes, clearance)
        })
        .collect()
}

impl Row {
    fn entry(
        self,
        client: Option<Origin>,
        changes: Option<BTreeMap<String, Difference>>,
        clearance: DataClass,
    ) -> Result<AuditEntry, ReadError> {
        let metadata = Metadata::parse(&String::from_utf8_lossy(&self.metadata));
        let payload = serde_json::from_slice(&self.payload).map_err(|error| ReadError::Unavailable(error.into()))?;
        let entry = AuditEntry {
            id: EventId(self.event_id),
            position: self.position,
            recorded_at: self.recorded_at,
            actor_id: self.actor_id,
            on_behalf_of: self.on_behalf_of,
            elevation_id: self.elevation_id,
            roles: metadata.roles,
            action: self.action,
            policies: metadata.policies,
            event_type: self.event_type,
            target: Target { stream_type: self.stream_type, id: self.stream_id, version: self.version },
            outcome: self.outcome,
            request_id: self.request_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            client,
            changes,
            payload,
            withheld: Vec::new(),
        };
        Ok(entry.cleared(clearance, self.schema_version))
    }
}
