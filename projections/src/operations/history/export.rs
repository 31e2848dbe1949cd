//! The whole history that a filter leaves, in constant memory: page after page, each in a
//! transaction of its own, so that a slow reader holds no connection and no snapshot.

use super::{event::HistoryEvent, query::ListEvents};
use crate::{
    compliance::audit_trail,
    engine::{ReadError, Readers},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, TryStreamExt, stream};
use palmares_domain::kernel::OrganizationId;

pub(super) const END: &str = "SELECT position FROM checkpoints WHERE name = $1 AND active";

/// An event may have 256 KiB, so that a page never takes more than about 50 MB and mostly a
/// thousandth of that.
const PAGE_EVENTS: i64 = 200;

/// Where an export stands.
struct Export {
    readers: Readers,
    organization: OrganizationId,
    asked: ListEvents,
    as_of: Option<i64>,
    /// The position that was reached and the one to end at; unknown before the first page.
    span: Option<(i64, i64)>,
}

impl Export {
    /// The next page; none behind the last event.
    async fn next(mut self) -> Result<Option<(Vec<HistoryEvent>, Self)>, ReadError> {
        let mut reader = self.readers.open(self.organization, self.as_of).await?;
        let (after, end) = match self.span {
            Some(span) => span,
            None => {
                // What is recorded from here on is not in it: an export of a busy log has to end.
                let known: Option<i64> = sqlx::query_scalar(END).bind(audit_trail::PROJECTION).fetch_optional(reader.connection()).await?;
                (self.asked.start(&reader)?, self.asked.end(self.as_of).min(known.unwrap_or(0)))
            }
        };
        let events = self.asked.page(&mut reader, after, end, PAGE_EVENTS).await?;
        drop(reader);
        let Some(last) = events.last() else { return Ok(None) };
        self.span = Some((last.position, end));
        Ok(Some((events, self)))
    }
}

fn pages(
    readers: Readers,
    organization: OrganizationId,
    asked: ListEvents,
    as_of: Option<i64>,
) -> impl Stream<Item = Result<Vec<HistoryEvent>, ReadError>> + Send + 'static {
    stream::try_unfold(Export { readers, organization, asked, as_of, span: None }, Export::next)
}

/// Every event that `asked` leaves, oldest first, up to those recorded when it starts.
pub fn export(
    readers: Readers,
    organization: OrganizationId,
    asked: ListEvents,
    as_of: Option<i64>,
) -> impl Stream<Item = Result<HistoryEvent, ReadError>> + Send + 'static {
    pages(readers, organization, asked, as_of).map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten()
}

/// As [`export`], as newline-delimited JSON: one event a line, one chunk a page.
pub fn export_ndjson(
    readers: Readers,
    organization: OrganizationId,
    asked: ListEvents,
    as_of: Option<i64>,
) -> impl Stream<Item = Result<Bytes, ReadError>> + Send + 'static {
    pages(readers, organization, asked, as_of).and_then(|events| std::future::ready(lines(&events)))
}

fn lines(events: &[HistoryEvent]) -> Result<Bytes, ReadError> {
    let mut lines = BytesMut::new().writer();
    for event in events {
        serde_json::to_writer(&mut lines, event).map_err(|error| ReadError::Unavailable(error.into()))?;
        lines.get_mut().put_u8(b'\n');
    }
    Ok(lines.into_inner().freeze())
}
