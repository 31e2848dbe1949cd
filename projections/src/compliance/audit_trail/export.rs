//! Every entry that a filter leaves, in constant memory: page after page, each in a transaction of its
//! own, so that a slow client holds no connection and no snapshot.

use super::{
    entry::{AuditEntry, detailed},
    query::ListAuditLogs,
    search::{self, Between},
};
use crate::engine::{ReadError, Readers, ReportFormat, table};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, TryStreamExt, stream};
use palmares_domain::kernel::Tenant;

const PAGE_ENTRIES: i64 = 200;

/// The columns of a table of entries.
const COLUMNS: [&str; 28] = [
    "event_id",
    "position",
    "number",
    "timestamp",
    "organization_id",
    "audit_name",
    "event_type",
    "actor_id",
    "actor_role",
    "on_behalf_of",
    "elevation_id",
    "session_id",
    "action",
    "policies",
    "outcome",
    "resource_type",
    "resource_id",
    "resource_version",
    "ip_address",
    "device_metadata",
    "before_state",
    "after_state",
    "request_id",
    "correlation_id",
    "causation_id",
    "payload",
    "withheld",
    "unreadable",
];

/// Where an export stands.
struct Export {
    readers: Readers,
    tenant: Tenant,
    asked: ListAuditLogs,
    /// Everything up to here was exported.
    after: i64,
    /// It ends before this position.
    before: i64,
}

impl Export {
    /// The next page; none behind the last entry.
    async fn next(mut self) -> Result<Option<(Vec<AuditEntry>, Self)>, ReadError> {
        let mut reader = self.readers.open(self.tenant, None).await?;
        let between = Between { after: self.after, before: self.before };
        let rows = search::oldest(&self.asked, &mut reader, between, PAGE_ENTRIES).await?;
        let Some(last) = rows.last().map(|row| row.position) else { return Ok(None) };
        let page = detailed(&mut reader, rows, self.asked.detail()).await?;
        drop(reader);
        self.after = last;
        Ok(Some((page, self)))
    }
}

fn pages(
    readers: Readers,
    tenant: Tenant,
    asked: ListAuditLogs,
    before: i64,
) -> impl Stream<Item = Result<Vec<AuditEntry>, ReadError>> + Send {
    stream::try_unfold(Export { readers, tenant, asked, after: 0, before }, Export::next)
}

/// Every entry of a span that `asked` leaves, oldest first, in memory, with how many they are; none of more
/// than `bytes_max`.
pub async fn collect_audit(
    readers: Readers,
    tenant: Tenant,
    asked: ListAuditLogs,
    (after, before): (i64, i64),
    (format, bytes_max): (ReportFormat, usize),
) -> Result<Option<(i64, Vec<u8>)>, ReadError> {
    let mut next = Some(Export { readers, tenant, asked, after, before });
    let (mut count, mut content) = (0, Vec::new());
    if matches!(format, ReportFormat::Csv) {
        content.extend_from_slice(table::header(&COLUMNS).as_bytes());
    }
    while let Some(export) = next.take() {
        let Some((entries, rest)) = export.next().await? else { break };
        count += i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let piece = match format {
            ReportFormat::Csv => rows_of(&entries)?,
            ReportFormat::Json => lines_of(&entries)?,
        };
        content.extend_from_slice(&piece);
        if content.len() > bytes_max {
            return Ok(None);
        }
        next = Some(rest);
    }
    Ok(Some((count, content)))
}

fn lines_of(entries: &[AuditEntry]) -> Result<Bytes, ReadError> {
    let mut lines = BytesMut::new().writer();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry).map_err(|error| ReadError::Unavailable(error.into()))?;
        lines.get_mut().put_u8(b'\n');
    }
    Ok(lines.into_inner().freeze())
}

/// Every entry before a position that `asked` leaves, oldest first: newline-delimited JSON.
pub fn export_audit_ndjson(
    readers: Readers,
    tenant: Tenant,
    asked: ListAuditLogs,
    before: i64,
) -> impl Stream<Item = Result<Bytes, ReadError>> + Send {
    pages(readers, tenant, asked, before).and_then(|entries| std::future::ready(lines_of(&entries)))
}

/// The same as a table (RFC 4180) with a line of names; lists and objects are JSON in their cells.
pub fn export_audit_csv(
    readers: Readers,
    tenant: Tenant,
    asked: ListAuditLogs,
    before: i64,
) -> impl Stream<Item = Result<Bytes, ReadError>> + Send {
    let header = Bytes::from(table::header(&COLUMNS));
    let rows = pages(readers, tenant, asked, before).and_then(|entries| std::future::ready(rows_of(&entries)));
    futures::StreamExt::chain(stream::once(std::future::ready(Ok(header))), rows)
}

fn rows_of(entries: &[AuditEntry]) -> Result<Bytes, ReadError> {
    Ok(Bytes::from(table::lines(&COLUMNS, entries)?))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::entry, *};
    use palmares_domain::kernel::DataClass;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn a_table_has_every_field_of_an_entry() {
        let entry = AuditEntry { unreadable: vec!["ip_address".to_owned()], ..entry(1, DataClass::Internal) };
        let Ok(Value::Object(entry)) = serde_json::to_value(entry) else { panic!("an object") };
        let fields: BTreeSet<_> = entry.keys().map(String::as_str).collect();
        assert!(fields.contains("withheld"));
        assert_eq!(COLUMNS.into_iter().collect::<BTreeSet<_>>(), fields);
    }
}
