//! `GET authz/decisions`.

use super::PROJECTION;
use crate::{
    compliance::audit_trail::{Metadata, REFUSAL},
    engine::{Cursor, Limit, Page, Query, ReadError, TenantReader, in_order},
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_record::{AccessRecord, AccessRecordEvent},
    kernel::{Aggregate, DataClass, Event},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Times become positions first: they grow along the log, so the page is read by position whatever
/// else is asked.
pub(super) const LIST: &str = "
    WITH page AS MATERIALIZED (
        SELECT * FROM identity_decisions
        WHERE organization_id = $1 AND position < $2
          AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR permission = $4) AND ($5::text IS NULL OR outcome = $5)
          AND ($6::timestamptz IS NULL OR position >= (SELECT f.position FROM identity_decisions f
              WHERE f.organization_id = $1 AND f.recorded_at >= $6 ORDER BY f.recorded_at, f.position LIMIT 1))
          AND ($7::timestamptz IS NULL OR position <= (SELECT t.position FROM identity_decisions t
              WHERE t.organization_id = $1 AND t.recorded_at < $7 ORDER BY t.recorded_at DESC, t.position DESC LIMIT 1))
        ORDER BY position DESC LIMIT $8)
    SELECT p.position, p.recorded_at, p.actor_id, p.permission, p.outcome, p.request_id,
           s.type AS stream_type, s.id AS stream_id, e.version, e.event_type, e.schema_version, e.metadata, e.payload
    FROM page p JOIN events e ON e.position = p.position JOIN streams s ON s.key = e.stream_key
    ORDER BY p.position DESC";

/// What was acted on: the stream, and the version that the event made of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionTarget)]
pub struct Target {
    #[serde(rename = "type")]
    pub stream_type: String,
    pub id: Uuid,
    pub version: i64,
}

/// How it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = DecisionOutcome)]
pub enum Outcome {
    Permit,
    Deny,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Outcome::Permit => "PERMIT",
            Outcome::Deny => "DENY",
        }
    }
}

/// Who was let do what, who was not, and which policies decided. Newest first; decisions are never
/// changed and new ones come before the first page, so the pages of a list fit together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDecisions {
    /// Who asked: a user, or the key of a program.
    #[serde(default)]
    pub actor: Option<Uuid>,
    /// Such as `points.hold.place`.
    #[serde(default)]
    pub permission: Option<String>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Decided at this time or later.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Decided before this time.
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// One decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoggedDecision)]
pub struct Decision {
    /// Where the log tells of it first.
    pub position: i64,
    pub at: DateTime<Utc>,
    pub actor_id: Uuid,
    /// The roles with which the actor asked.
    pub roles: Vec<String>,
    pub permission: String,
    /// `PERMIT` or `DENY`.
    pub outcome: String,
    /// Why it was refused, such as `gate.permission_missing`.
    pub reason: Option<String>,
    /// The policies that decided, each with its version. None where it was refused before a policy was asked.
    pub policies: Vec<String>,
    /// The route that was asked for, where it was refused or only read.
    pub route: Option<String>,
    /// What the first event of a command changed.
    pub target: Option<Target>,
    pub session_id: Option<Uuid>,
    pub request_id: Uuid,
    pub correlation_id: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    recorded_at: DateTime<Utc>,
    actor_id: Uuid,
    permission: String,
    outcome: String,
    request_id: Uuid,
    stream_type: String,
    stream_id: Uuid,
    version: i64,
    event_type: String,
    schema_version: i16,
    metadata: Vec<u8>,
    payload: Vec<u8>,
}

impl Row {
    fn route(&self) -> Option<String> {
        let version = u16::try_from(self.schema_version).ok()?;
        Some(match AccessRecordEvent::from_payload(&self.event_type, version, &self.payload).ok()? {
            AccessRecordEvent::AccessRefused(refused) => refused.route,
            AccessRecordEvent::SensitiveDataRead(read) => read.route,
            AccessRecordEvent::DataExported(exported) => exported.route,
            // The end of what was decided when it began.
            AccessRecordEvent::WholeLogExported(_) => return None,
        })
    }
}

impl From<Row> for Decision {
    fn from(row: Row) -> Self {
        let metadata = Metadata::parse(&String::from_utf8_lossy(&row.metadata));
        // Of a refusal the rule of the gate stands first.
        let mut policies = metadata.policies;
        let reason = (row.event_type == REFUSAL && !policies.is_empty()).then(|| policies.remove(0));
        let route = row.route();
        // The access record is where a look or a refusal is noted, and nothing that was acted on.
        let acted_on = row.stream_type != AccessRecord::TYPE;
        Self {
            position: row.position,
            at: row.recorded_at,
            actor_id: row.actor_id,
            roles: metadata.roles,
            permission: row.permission,
            outcome: row.outcome,
            reason,
            policies,
            route,
            target: acted_on.then_some(Target { stream_type: row.stream_type, id: row.stream_id, version: row.version }),
            session_id: metadata.session_id,
            request_id: row.request_id,
            correlation_id: metadata.correlation_id,
        }
    }
}

impl Query for ListDecisions {
    type Output = Page<Decision>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Decision>, ReadError> {
        in_order(self.from, ("until", self.until))?;
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        let query = sqlx::query_as(LIST)
            .bind(organization)
            .bind(list.before())
            .bind(self.actor)
            .bind(self.permission)
            .bind(self.outcome.map(Outcome::name))
            .bind(self.from)
            .bind(self.until)
            .bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.position).await?;
        Ok(page.map(Decision::from))
    }
}
