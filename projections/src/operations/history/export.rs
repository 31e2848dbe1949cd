//! The whole history that a filter leaves, in constant memory: page after page, each in a
//! transaction of its own, so that a slow client holds no connection and no snapshot.

use super::{event::HistoryEvent, query::ListEvents};
use crate::{
    compliance::audit_trail,
    engine::{ReadError, Readers, in_order},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, TryStreamExt, stream};
use palmares_domain::kernel::Tenant;
use serde::Serialize;

pub(super) const END: &str = "SELECT position FROM checkpoints WHERE name = $1 AND active";

/// An event may have 256 KiB, so that a page never takes more than about 50 MB and mostly a
/// thousandth of that.
const PAGE_EVENTS: i64 = 200;

/// Where an export stands.
struct Export {
    readers: Readers,
    tenant: Tenant,
    asked: ListEvents,
    /// Everything up to here was exported.
    after: i64,
    /// The last position that belongs to it; unknown before the first page.
    end: Option<i64>,
}

impl Export {
    /// The next page; none behind the last event.
    async fn next(mut self) -> Result<Option<(Vec<HistoryEvent>, Self)>, ReadError> {
        let mut reader = self.readers.open(self.tenant, None).await?;
        let end = match self.end {
            Some(end) => end,
            None => {
                // What is recorded from here on is not in it: an export of a busy log has to end.
                let known: Option<i64> = sqlx::query_scalar(END).bind(audit_trail::PROJECTION).fetch_optional(reader.connection()).await?;
                self.asked.end(None).min(known.unwrap_or(0))
            }
        };
        let events = self.asked.page(&mut reader, self.after, end, PAGE_EVENTS).await?;
        drop(reader);
        let Some(last) = events.last() else { return Ok(None) };
        (self.after, self.end) = (last.position, Some(end));
        Ok(Some((events, self)))
    }
}

/// The position behind which an export of `asked` begins.
///
/// # Errors
/// A cursor that is none of this log; a span that ends before it begins.
pub async fn export_start(readers: &Readers, tenant: Tenant, asked: &ListEvents) -> Result<i64, ReadError> {
    in_order(asked.from, ("to", asked.to))?;
    asked.start(&readers.open(tenant, None).await?)
}

/// Every event behind `after` that `asked` leaves, oldest first, up to what the audit log knows
/// when it starts: newline-delimited JSON, one event a line, one chunk a page.
pub fn export_ndjson(
    readers: Readers,
    tenant: Tenant,
    asked: ListEvents,
    after: i64,
) -> impl Stream<Item = Result<Bytes, ReadError>> + Send + 'static {
    let export = Export { readers, tenant, asked, after, end: None };
    stream::try_unfold(export, Export::next).and_then(|events| std::future::ready(lines(&events)))
}

/// One event a line.
fn lines(events: &[impl Serialize]) -> Result<Bytes, ReadError> {
    let mut lines = BytesMut::new().writer();
    for event in events {
        serde_json::to_writer(&mut lines, event).map_err(|error| ReadError::Unavailable(error.into()))?;
        lines.get_mut().put_u8(b'\n');
    }
    Ok(lines.into_inner().freeze())
}
