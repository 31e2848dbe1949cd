//! The cursors of the forwarder: how far each sink took the log.
//!
//! Whoever sends holds the row, so that one process at a time sends for a stream, and in order. The row
//! moves once the sink took a batch: a crash in between sends that batch again, and nothing is left out.

use crate::compliance::audit_trail::{AuditEntry, rows_behind};
use crate::engine::{ReadError, Readers};
use palmares_domain::{
    compliance::siem_stream::{SiemFormat, Topic},
    kernel::{OrganizationId, SiemStreamId, Tenant},
};
use sqlx::{PgPool, Postgres, Transaction};
use std::time::Duration;
use uuid::Uuid;

const CREATE: &str = "
    INSERT INTO compliance_siem_cursors (organization_id, stream_id, position, number)
    SELECT s.organization_id, s.stream_id, CASE WHEN s.from_beginning THEN 0 ELSE s.created_position - 1 END,
        CASE WHEN s.from_beginning THEN 0 ELSE COALESCE((SELECT l.number - 1 FROM compliance_audit_log l
            WHERE l.organization_id = s.organization_id AND l.position = s.created_position), 0) END
    FROM compliance_siem_streams s
    WHERE s.status <> 'CLOSED' AND NOT EXISTS (SELECT FROM compliance_siem_cursors c WHERE c.organization_id = s.organization_id AND c.stream_id = s.stream_id)
    ON CONFLICT DO NOTHING";

/// How far a stream came that was closed for good is forgotten, once nobody sends for it any more.
const FORGET_CLOSED: &str = "
    DELETE FROM compliance_siem_cursors WHERE (organization_id, stream_id) IN (
        SELECT c.organization_id, c.stream_id FROM compliance_siem_cursors c
        JOIN compliance_siem_streams s ON s.organization_id = c.organization_id AND s.stream_id = c.stream_id
        WHERE s.status = 'CLOSED' FOR UPDATE OF c SKIP LOCKED)";

/// Who resumes a stream does not wait for the next attempt of before. A cursor that is held just now is left
/// to whoever holds it.
pub(super) const FORGET_ATTEMPTS: &str = "
    UPDATE compliance_siem_cursors SET attempts = 0, refusals = 0, try_at = '-infinity'
    WHERE (organization_id, stream_id) IN (
        SELECT organization_id, stream_id FROM compliance_siem_cursors
        WHERE organization_id = $1 AND stream_id = $2 FOR UPDATE SKIP LOCKED)";

const DUE: &str = "
    SELECT c.organization_id, c.stream_id FROM compliance_siem_cursors c
    JOIN compliance_siem_streams s ON s.organization_id = c.organization_id AND s.stream_id = c.stream_id
    WHERE s.status = 'ACTIVE' AND c.try_at <= clock_timestamp()";

const HOLD: &str = "
    SELECT c.position, c.records, c.attempts, c.refusals, c.batch_entries, s.url, s.format, s.secret_ref, s.topics FROM compliance_siem_cursors c
    JOIN compliance_siem_streams s ON s.organization_id = c.organization_id AND s.stream_id = c.stream_id
    WHERE c.organization_id = $1 AND c.stream_id = $2 AND s.status = 'ACTIVE' AND c.try_at <= clock_timestamp()
    FOR UPDATE OF c SKIP LOCKED";

/// What was too much once is tried again little by little.
const ADVANCE: &str = "
    UPDATE compliance_siem_cursors SET position = $3, number = $4, records = $5, attempts = 0, refusals = 0, error = NULL,
        try_at = '-infinity', sent_at = CASE WHEN $6 THEN clock_timestamp() ELSE sent_at END, batch_entries = least(batch_entries + 1, $7)
    WHERE organization_id = $1 AND stream_id = $2";

const POSTPONE: &str = "
    UPDATE compliance_siem_cursors SET attempts = attempts + 1, error = $3, refusals = CASE WHEN $4 THEN refusals + 1 ELSE 0 END,
        try_at = clock_timestamp() + $5 * interval '1 second', batch_entries = COALESCE($6, batch_entries)
    WHERE organization_id = $1 AND stream_id = $2";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.siem.create", CREATE),
    ("compliance.siem.forget_closed", FORGET_CLOSED),
    ("compliance.siem.forget_attempts", FORGET_ATTEMPTS),
    ("compliance.siem.due", DUE),
    ("compliance.siem.hold", HOLD),
    ("compliance.siem.advance", ADVANCE),
    ("compliance.siem.postpone", POSTPONE),
];

/// Entries looked at in one go; an entry may take some hundred kilobytes and mostly takes one.
const BATCH_ENTRIES: i32 = 100;

/// The cursors of every organization.
#[derive(Clone)]
pub struct Cursors {
    /// As role `palmares_projector`.
    pool: PgPool,
    readers: Readers,
}

/// A stream whose cursor this process holds.
pub struct Cursor {
    tx: Transaction<'static, Postgres>,
    pub organization: OrganizationId,
    pub stream: SiemStreamId,
    pub url: String,
    pub format: SiemFormat,
    pub secret_ref: Option<String>,
    topics: Vec<Topic>,
    position: i64,
    /// How many records the sink took.
    pub records: i64,
    /// How often in a row the next ones were tried in vain.
    pub attempts: i32,
    /// How often in a row the sink refused.
    pub refusals: i32,
    batch_entries: i32,
}

/// What comes next of a stream.
pub struct Batch {
    /// Of its topics, in the order of the log.
    pub entries: Vec<AuditEntry>,
    /// Everything up to here was looked at.
    position: i64,
    number: i64,
}

impl Batch {
    /// Leaves all but the first entries to the next batch.
    pub fn cut(&mut self, entries: usize) {
        if let Some(last) = entries.checked_sub(1).filter(|_| entries < self.entries.len()).and_then(|last| self.entries.get(last)) {
            (self.position, self.number) = (last.position, last.number);
            self.entries.truncate(entries);
        }
    }
}

/// An attempt that was in vain.
pub struct InVain<'a> {
    /// What is told of it.
    pub why: &'a str,
    /// Whether the sink said that it does not want what it is sent.
    pub refused: bool,
    /// Until it is tried again.
    pub pause: Duration,
    /// How many entries are looked at then, where these were too many.
    pub entries: Option<usize>,
}

impl Cursors {
    pub fn new(pool: PgPool, readers: Readers) -> Self {
        Self { pool, readers }
    }

    /// The streams that may be sent, those that are new among them.
    pub async fn due(&self) -> Result<Vec<(OrganizationId, SiemStreamId)>, sqlx::Error> {
        sqlx::query(CREATE).execute(&self.pool).await?;
        sqlx::query(FORGET_CLOSED).execute(&self.pool).await?;
        let due: Vec<(Uuid, Uuid)> = sqlx::query_as(DUE).fetch_all(&self.pool).await?;
        Ok(due.into_iter().map(|(organization, stream)| (OrganizationId(organization), SiemStreamId(stream))).collect())
    }

    /// Takes the cursor of a stream, unless another process has it or it may not be sent any more.
    pub async fn hold(&self, organization: OrganizationId, stream: SiemStreamId) -> Result<Option<Cursor>, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        type Row = (i64, i64, i32, i32, i32, String, String, Option<String>, Vec<String>);
        let row: Option<Row> = sqlx::query_as(HOLD).bind(organization.0).bind(stream.0).fetch_optional(&mut *tx).await?;
        let Some((position, records, attempts, refusals, batch_entries, url, format, secret_ref, topics)) = row else { return Ok(None) };
        let malformed = || sqlx::Error::Decode(format!("the stream {stream} is malformed").into());
        let format = SiemFormat::ALL.into_iter().find(|known| known.name() == format).ok_or_else(malformed)?;
        let topics = topics.iter().map(|topic| topic.parse()).collect::<Result<_, _>>().map_err(|_| malformed())?;
        Ok(Some(Cursor { tx, organization, stream, url, format, secret_ref, topics, position, records, attempts, refusals, batch_entries }))
    }

    /// What comes next of a stream; nothing, where it has reached the audit log's end.
    pub async fn next(&self, tenant: Tenant, cursor: &Cursor) -> Result<Option<Batch>, ReadError> {
        let mut reader = self.readers.open(tenant, None).await?;
        let rows = rows_behind(&mut reader, cursor.position, cursor.batch_entries.into()).await?;
        let Some((position, number)) = rows.last() else { return Ok(None) };
        let covers = |name: &str| cursor.topics.is_empty() || cursor.topics.iter().any(|topic| topic.covers(name));
        let entries = rows.entries(&mut reader, |event_type, action| covers(event_type) || action.is_some_and(covers)).await?;
        Ok(Some(Batch { entries, position, number }))
    }
}

impl Cursor {
    /// Records that the sink took a batch, and lets the cursor go.
    pub async fn advance(mut self, batch: &Batch) -> Result<(), sqlx::Error> {
        let sent = batch.entries.len() as i64;
        let query = sqlx::query(ADVANCE).bind(self.organization.0).bind(self.stream.0).bind(batch.position).bind(batch.number);
        query.bind(self.records + sent).bind(sent > 0).bind(BATCH_ENTRIES).execute(&mut *self.tx).await?;
        self.tx.commit().await
    }

    /// Records that an attempt was in vain, and lets the cursor go.
    pub async fn postpone(mut self, attempt: InVain<'_>) -> Result<(), sqlx::Error> {
        let entries = attempt.entries.map(|entries| i32::try_from(entries).unwrap_or(BATCH_ENTRIES).clamp(1, BATCH_ENTRIES));
        let query = sqlx::query(POSTPONE).bind(self.organization.0).bind(self.stream.0).bind(attempt.why).bind(attempt.refused);
        query.bind(attempt.pause.as_secs_f64()).bind(entries).execute(&mut *self.tx).await?;
        self.tx.commit().await
    }
}
