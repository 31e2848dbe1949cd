//! How entries are found: by position, whatever else is asked, and never by looking through all of them.
//!
//! What is common stands among the newest entries, and looking through some thousand of these finds a
//! page of it. What is rare, or happened long ago only, does not, and PostgreSQL, which takes what it
//! counts for evenly spread, would look through millions. So where one column decides, with several
//! values, the page is made of the newest entries of each value, which an index has in their order.

use super::{
    AuditName,
    entry::Row,
    query::{ListAuditLogs, Outcome},
    sought::{Drive, Sought},
    statements,
};
use crate::engine::{ReadError, TenantReader};
use std::collections::BTreeSet;

/// Positions that are looked through before a rare page is made value by value.
const NEAR: i64 = 4_096;
/// The same where a part of the page was among them, so that the rest is not far.
const NOT_FAR: i64 = 32_768;

/// A stretch of the log, without its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    pub after: i64,
    pub before: i64,
}

/// At most `limit` entries before a position, newest first.
pub(super) async fn newest(asked: &ListAuditLogs, reader: &mut TenantReader<'_>, before: i64, limit: i64) -> Result<Vec<Row>, ReadError> {
    let Some((mut sought, between)) = Sought::of(asked, reader, Between { after: 0, before }).await? else { return Ok(Vec::new()) };
    let Some(drive) = sought.drive() else { return rows(asked, reader, statements::LIST, (&sought, None, between), limit).await };
    if matches!(drive, Drive::Target) {
        return rows(asked, reader, drive.statement(), (&sought, None, between), limit).await;
    }
    let newest: Option<i64> = sqlx::query_scalar(statements::NEWEST)
        .persistent(false)
        .bind(reader.organization().0)
        .bind(between.before)
        .fetch_optional(reader.connection())
        .await?;
    let Some(newest) = newest else { return Ok(Vec::new()) };
    let mut span = NEAR;
    while span <= NOT_FAR {
        let near = Between { after: between.after.max(newest - span), ..between };
        let found = rows(asked, reader, statements::LIST, (&sought, None, near), limit).await?;
        if found.len() as i64 >= limit || near.after == between.after {
            return Ok(found);
        }
        // Twice as far as a page reaches where they go on as evenly.
        span = (2 * span * limit).checked_div(found.len() as i64).unwrap_or(i64::MAX);
    }
    let values = sought.take(drive);
    rows(asked, reader, drive.statement(), (&sought, values, between), limit).await
}

/// At most `limit` entries of a stretch, oldest first.
pub(super) async fn oldest(
    asked: &ListAuditLogs,
    reader: &mut TenantReader<'_>,
    between: Between,
    limit: i64,
) -> Result<Vec<Row>, ReadError> {
    match Sought::of(asked, reader, between).await? {
        Some((sought, between)) => {
            let by_target = matches!(sought.drive(), Some(Drive::Target));
            let statement = if by_target { statements::EXPORT_BY_TARGET } else { statements::EXPORT };
            rows(asked, reader, statement, (&sought, None, between), limit).await
        }
        None => Ok(Vec::new()),
    }
}

/// The positions of the entries of a stretch, without its ends, that are found; `limit` of them at most.
pub(in crate::compliance) async fn positions_of(
    asked: &ListAuditLogs,
    reader: &mut TenantReader<'_>,
    (after, before): (i64, i64),
    limit: i64,
) -> Result<BTreeSet<i64>, ReadError> {
    Ok(oldest(asked, reader, Between { after, before }, limit).await?.into_iter().map(|row| row.position).collect())
}

async fn rows(
    asked: &ListAuditLogs,
    reader: &mut TenantReader<'_>,
    statement: &str,
    (sought, values, between): (&Sought, Option<Vec<String>>, Between),
    limit: i64,
) -> Result<Vec<Row>, ReadError> {
    let query = sqlx::query_as(statement)
        .persistent(false)
        .bind(reader.organization().0)
        .bind(between.after)
        .bind(between.before)
        .bind(asked.actor_id)
        .bind(&sought.actions)
        .bind(&asked.event_type)
        .bind(asked.target_id)
        .bind(&asked.target_type)
        .bind(asked.outcome.map(Outcome::name))
        .bind(asked.correlation_id)
        .bind(asked.on_behalf_of)
        .bind(asked.elevation_id)
        .bind(asked.session_id)
        .bind(asked.audit_name.map(AuditName::name))
        .bind(&sought.texts)
        .bind(&sought.contexts)
        .bind(limit);
    let query = if let Some(values) = values { query.bind(values) } else { query };
    Ok(query.fetch_all(reader.connection()).await?)
}
