//! `GET audit-logs`.

use super::{
    AuditName, PROJECTION,
    entry::{self, AuditEntry, Row, columns},
    texts,
};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{ClientContext, DataClass};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Times become positions first: they grow along the log, so the page is read by position whatever
/// else is asked. Permissions have letters, points and underscores only, so that what stands from a
/// name up to its `/` is that permission and those below it.
macro_rules! list {
    ($order:literal) => {
        concat!(
            "
    WITH page AS MATERIALIZED (
        SELECT * FROM compliance_audit_log
        WHERE organization_id = $1 AND position > $2 AND position < $3
          AND ($4::uuid IS NULL OR actor_id = $4)
          AND ($5::text IS NULL OR (action COLLATE \"C\" >= $5 AND action COLLATE \"C\" < $5 || '/'))
          AND ($6::text IS NULL OR event_type = $6)
          AND ($7::uuid IS NULL OR stream_id = $7 OR subject_id = $7)
          AND ($8::text IS NULL OR stream_type = $8 OR ($8 = 'user' AND subject_id IS NOT NULL))
          AND ($9::text IS NULL OR outcome = $9) AND ($10::uuid IS NULL OR correlation_id = $10)
          AND ($11::timestamptz IS NULL OR position >= (SELECT f.position FROM compliance_audit_log f
              WHERE f.organization_id = $1 AND f.recorded_at >= $11 ORDER BY f.recorded_at, f.position LIMIT 1))
          AND ($12::timestamptz IS NULL OR position <= (SELECT t.position FROM compliance_audit_log t
              WHERE t.organization_id = $1 AND t.recorded_at < $12 ORDER BY t.recorded_at DESC, t.position DESC LIMIT 1))
          AND ($13::uuid IS NULL OR on_behalf_of = $13) AND ($14::uuid IS NULL OR elevation_id = $14)
          AND ($15::uuid IS NULL OR session_id = $15) AND ($16::text IS NULL OR audit_name = $16)
          AND ($17::uuid[] IS NULL OR text_id = ANY($17)) AND ($18::uuid[] IS NULL OR client_context_id = ANY($18))
        ORDER BY position ",
            $order,
            " LIMIT $19)
    SELECT ",
            columns!(),
            " FROM page p JOIN events e ON e.position = p.position ORDER BY p.position ",
            $order
        )
    };
}

pub(super) const LIST: &str = list!("DESC");
/// The same, oldest first.
pub(super) const EXPORT: &str = list!("ASC");

/// Contexts of requests that came from one address.
pub(super) const CONTEXTS: &str = "SELECT id FROM client_contexts WHERE organization_id = $1 AND ip_hash = $2";

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
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAuditLogs {
    #[serde(default)]
    pub actor_id: Option<Uuid>,
    /// The permission under which it was done, such as `points.hold.place`, or a group of them, such
    /// as `points.hold` or `points`.
    #[serde(default)]
    pub action: Option<String>,
    /// The type of the event, such as `points.hold_placed`.
    #[serde(default)]
    pub event_type: Option<String>,
    /// What document 004 calls the event, such as `ROLE_CHANGED`.
    #[serde(default)]
    pub audit_name: Option<AuditName>,
    /// What was acted on, or whose data was read.
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
    #[serde(default)]
    pub session_id: Option<Uuid>,
    /// Asked for from this address. Where somebody was is CONFIDENTIAL: who is not cleared for it finds
    /// nothing by it.
    #[serde(default)]
    pub ip: Option<String>,
    /// Words that describe an entry, each whole or in part: names of events, permissions, policies,
    /// reasons and roles, routes, and what its payload says that is not personal.
    #[serde(default)]
    pub text: Option<String>,
    /// Recorded at this time or later.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
    /// An export has no pages and leaves it out of account.
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// An export has no pages and leaves it out of account.
    #[serde(default)]
    pub limit: Limit,
}

/// A stretch of the log, without its ends.
pub(super) struct Between {
    pub after: i64,
    pub before: i64,
}

impl ListAuditLogs {
    /// At most `limit` rows of a stretch, in the order of `statement`.
    pub(super) async fn rows(
        &self,
        reader: &mut TenantReader<'_>,
        statement: &str,
        between: Between,
        limit: i64,
    ) -> Result<Vec<Row>, ReadError> {
        let texts = match &self.text {
            Some(text) => Some(texts::matching(reader, text).await?),
            None => None,
        };
        let contexts = match &self.ip {
            Some(ip) => Some(contexts_of(reader, ip).await?),
            None => None,
        };
        let query = sqlx::query_as(statement)
            .persistent(false)
            .bind(reader.organization().0)
            .bind(between.after)
            .bind(between.before)
            .bind(self.actor_id)
            .bind(&self.action)
            .bind(&self.event_type)
            .bind(self.target_id)
            .bind(&self.target_type)
            .bind(self.outcome.map(Outcome::name))
            .bind(self.correlation_id)
            .bind(self.from)
            .bind(self.to)
            .bind(self.on_behalf_of)
            .bind(self.elevation_id)
            .bind(self.session_id)
            .bind(self.audit_name.map(AuditName::name))
            .bind(texts)
            .bind(contexts)
            .bind(limit);
        Ok(query.fetch_all(reader.connection()).await?)
    }
}

/// The contexts that an address is part of. They are sealed: it is found by its keyed hash.
async fn contexts_of(reader: &mut TenantReader<'_>, ip: &str) -> Result<Vec<Uuid>, ReadError> {
    let ip = ClientContext::ip_key(ip).ok_or_else(|| ReadError::invalid("ip", "invalid_value"))?;
    // Or an address could be guessed at, one by one.
    if reader.clearance() < DataClass::Confidential {
        return Ok(Vec::new());
    }
    let organization = reader.organization();
    let hash = reader.keys().lookup_hash(organization, ClientContext::IP_LOOKUP, &ip).await?;
    Ok(sqlx::query_scalar(CONTEXTS).bind(organization.0).bind(hash.as_slice()).fetch_all(reader.connection()).await?)
}

impl Query for ListAuditLogs {
    type Output = Page<AuditEntry>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<AuditEntry>, ReadError> {
        let limit = self.limit.rows()?;
        let before: i64 = reader.behind(self.cursor.as_ref())?.unwrap_or(i64::MAX);
        let before = reader.as_of.map_or(before, |as_of| before.min(as_of.saturating_add(1)));
        let rows = self.rows(reader, LIST, Between { after: 0, before }, limit + 1).await?;
        let page = Page::of(rows, limit, |last| reader.cursor(&last.position))?;
        Ok(Page { items: entry::entries(reader, page.items).await?, next_cursor: page.next_cursor })
    }
}
