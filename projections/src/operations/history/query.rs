//! `GET events`.

use super::event::{HistoryEvent, left_out, position};
use crate::{
    compliance::audit_trail,
    engine::{Cursor, Limit, Page, Query, ReadError, TenantReader, in_order},
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::DataClass;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Times become positions first: they grow along the log, so the page is read by position whatever
/// else is asked.
pub(super) const LIST: &str = "
    WITH page AS MATERIALIZED (
        SELECT position, stream_type, stream_id FROM compliance_audit_log
        WHERE organization_id = $1 AND position > $2 AND position <= $3
          AND ($4::text IS NULL OR event_type = $4) AND ($5::text IS NULL OR stream_type = $5) AND ($6::uuid IS NULL OR stream_id = $6)
          AND ($7::uuid IS NULL OR actor_id = $7) AND ($8::uuid IS NULL OR correlation_id = $8)
          AND stream_type IS DISTINCT FROM $12::text
          AND ($9::timestamptz IS NULL OR position >= (SELECT f.position FROM compliance_audit_log f
              WHERE f.organization_id = $1 AND f.recorded_at >= $9 ORDER BY f.recorded_at, f.position LIMIT 1))
          AND ($10::timestamptz IS NULL OR position <= (SELECT t.position FROM compliance_audit_log t
              WHERE t.organization_id = $1 AND t.recorded_at < $10 ORDER BY t.recorded_at DESC, t.position DESC LIMIT 1))
        ORDER BY position LIMIT $11)
    SELECT e.position, e.event_id, e.event_type, e.schema_version, p.stream_type, p.stream_id, e.version, e.organization_id,
           e.actor_id, e.recorded_at, e.effective_at, e.metadata, e.payload
    FROM page p JOIN events e ON e.position = p.position
    ORDER BY e.position";

/// What happened, oldest first, as far as the audit log's read model knows: `min_position` waits for it. Who
/// looked at what and was refused what (streams of the type `access_record`) is for those who may read the
/// audit log (`compliance.audit_log.read`), and left out for everybody else. A look at a page is recorded.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// The type of the event, such as `points.hold_placed`.
    #[serde(default, rename = "type")]
    pub event_type: Option<String>,
    #[serde(default)]
    pub stream_type: Option<String>,
    #[serde(default)]
    pub stream_id: Option<Uuid>,
    #[serde(default)]
    pub actor_id: Option<Uuid>,
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// Recorded at this time or later.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
    /// Behind this position.
    #[serde(default, deserialize_with = "position")]
    pub after: Option<i64>,
    /// Before this position.
    #[serde(default, deserialize_with = "position")]
    pub before: Option<i64>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// An export has no pages and leaves it out of account.
    #[serde(default)]
    pub limit: Limit,
}

impl ListEvents {
    /// Whether it asks for every event that there is. How many are shown at once is no matter.
    pub fn leaves_nothing_out(&self) -> bool {
        let Self { event_type, stream_type, stream_id, actor_id, correlation_id, from, to, after, before, cursor, limit: _ } = self;
        let ids = [stream_id, actor_id, correlation_id].iter().all(|id| id.is_none());
        let texts = event_type.is_none() && stream_type.is_none() && cursor.is_none();
        ids && texts && from.is_none() && to.is_none() && before.is_none() && after.is_none_or(|after| after <= 0)
    }

    /// The position behind which the list begins, its cursor included.
    pub(super) fn start(&self, reader: &TenantReader<'_>) -> Result<i64, ReadError> {
        let behind: Option<i64> = reader.behind::<Self, _>(self.cursor.as_ref())?;
        Ok(behind.unwrap_or(0).max(self.after.unwrap_or(0)))
    }

    /// The last position that it may reach.
    pub(super) fn end(&self, as_of: Option<i64>) -> i64 {
        let before = self.before.map_or(i64::MAX, |before| before.saturating_sub(1));
        as_of.map_or(before, |as_of| as_of.min(before))
    }

    /// At most `limit` events behind `after`, up to `end`.
    pub(super) async fn page(
        &self,
        reader: &mut TenantReader<'_>,
        after: i64,
        end: i64,
        limit: i64,
    ) -> Result<Vec<HistoryEvent>, ReadError> {
        let organization = reader.organization().0;
        let query = sqlx::query_as(LIST)
            .persistent(false)
            .bind(organization)
            .bind(after)
            .bind(end)
            .bind(&self.event_type)
            .bind(&self.stream_type)
            .bind(self.stream_id)
            .bind(self.actor_id)
            .bind(self.correlation_id)
            .bind(self.from)
            .bind(self.to)
            .bind(limit)
            .bind(left_out(reader));
        let events: Vec<HistoryEvent> = query.fetch_all(reader.connection()).await?;
        let clearance = reader.clearance();
        Ok(events.into_iter().map(|event| event.cleared(clearance)).collect())
    }
}

impl Query for ListEvents {
    type Output = Page<HistoryEvent>;

    const PROJECTIONS: &'static [&'static str] = &[audit_trail::PROJECTION];
    /// It is the same log as the audit log, and whoever reads it is in it likewise. What a caller is shown of
    /// its payloads goes by their own clearance.
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<HistoryEvent>, ReadError> {
        in_order(self.from, ("to", self.to))?;
        let limit = self.limit.rows()?;
        let (after, end) = (self.start(reader)?, self.end(reader.as_of));
        let events = self.page(reader, after, end, limit + 1).await?;
        Page::of(events, limit, |last| reader.cursor::<Self, _>(&last.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_as_numbers_or_as_text() {
        let parse = |json: &str| serde_json::from_str::<ListEvents>(json).map(|query| (query.after, query.before)).map_err(|_| ());
        assert_eq!(parse(r#"{"after": 7, "before": "9"}"#), Ok((Some(7), Some(9))));
        assert_eq!(parse("{}"), Ok((None, None)));
        assert_eq!(parse(r#"{"after": "x"}"#), Err(()));
        assert_eq!(parse(r#"{"aftre": 7}"#), Err(()));
    }

    #[test]
    fn the_end_is_the_earlier_of_before_and_as_of() {
        let before = |before| ListEvents { before, ..ListEvents::default() };
        assert_eq!(before(None).end(None), i64::MAX);
        assert_eq!(before(Some(9)).end(None), 8);
        assert_eq!(before(Some(9)).end(Some(5)), 5);
        assert_eq!(before(Some(3)).end(Some(5)), 2);
        assert_eq!(before(Some(i64::MIN)).end(None), i64::MIN);
    }
}
