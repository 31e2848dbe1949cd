//! Whether this system recorded what the log has: the last event of each batch vouches for all of it.
//!
//! A superuser can append an event as the store does, and cannot make the voucher, whose key is not in
//! the database. What nobody vouches for is not signed until somebody who holds the keys admits it.

use super::{SealError, reading::Read, sealer::refused, session::Session, statements::ADMISSIONS};
use crate::engine::{
    log::Log,
    sealing::{Outside, reading},
};
use palmares_proofs::Entry;
use sqlx::PgPool;
use std::{collections::HashMap, ops::Range, sync::Arc};
use uuid::Uuid;

/// How many of these events, up to the last one, a voucher that stands at the last one is good for, if it is.
pub type Vouches = Arc<dyn Fn(&[(Uuid, Entry)], &[u8]) -> Option<usize> + Send + Sync>;

/// Events next to each other that no server of this system recorded.
#[derive(Clone, Debug)]
pub struct Foreign(pub Vec<(Uuid, Entry)>);

impl Foreign {
    /// The positions of the first and of the last.
    pub fn span(&self) -> (i64, i64) {
        let position = |event: Option<&(Uuid, Entry)>| event.map_or(0, |(_, entry)| entry.position);
        (position(self.0.first()), position(self.0.last()))
    }
}

/// Admitted events by the position of the first: the position of the last, and the voucher.
type Admissions = HashMap<i64, (i64, Vec<u8>)>;

/// What was read from the log, as far as it is vouched for.
pub(super) struct Checked {
    pub own: Vec<(Uuid, Entry)>,
    /// What comes behind it and is not.
    pub foreign: Option<Foreign>,
}

/// Checks what was read. Where the log may go on behind it, the beginning of a batch at its end is left for later.
pub(super) async fn check(pool: &PgPool, read: Read, vouches: Vouches) -> Result<Checked, SealError> {
    let look = |read: Read, admissions: Admissions, vouches: Vouches| {
        let looked = move || {
            let found = own(&read, &admissions, &vouches);
            (read, found)
        };
        super::sealer::aside(looked)
    };
    let (mut read, (mut own, mut foreign)) = look(read, Admissions::new(), vouches.clone()).await?;
    if let Some(first) = foreign.as_ref().and_then(|foreign| read.events.get(foreign.start)) {
        let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(ADMISSIONS).bind(first.1.position).fetch_all(pool).await?;
        let admissions = rows.into_iter().map(|(first, last, voucher)| (first, (last, voucher))).collect();
        (read, (own, foreign)) = look(read, admissions, vouches).await?;
    }
    let foreign = foreign.map(|foreign| Foreign(read.events[foreign].to_vec()));
    read.events.truncate(own);
    Ok(Checked { own: read.events, foreign })
}

/// How many events from the first on are this system's own, and which come next that are not.
fn own(read: &Read, admissions: &Admissions, vouches: &Vouches) -> (usize, Option<Range<usize>>) {
    let Read { events, vouchers, is_all } = read;
    let mut start = 0;
    while let Some((_, next)) = events.get(start) {
        // The batch that ends next, and how many events of ours it has.
        let batch = events[start..].iter().zip(start + 1..).find_map(|((_, entry), end)| Some((end, vouchers.get(&entry.position)?)));
        let ours = batch.and_then(|(end, voucher)| Some((end, vouches(&events[start..end], voucher)?)));
        let admitted = || {
            let (last, voucher) = admissions.get(&next.position)?;
            let end = start + usize::try_from(last - next.position + 1).ok()?;
            (vouches(events.get(start..end)?, voucher)? == end - start).then_some(end)
        };
        start = match (ours, batch) {
            (Some((end, count)), _) if count == end - start => end,
            (_, None) if !is_all => break,
            _ => match admitted() {
                Some(end) => end,
                // Where a batch of ours follows, what stands before it is not.
                None => {
                    let foreign = ours.map(|(end, count)| end - count).or(batch.map(|(end, _)| end));
                    return (start, Some(start..foreign.unwrap_or(events.len())));
                }
            },
        };
    }
    (start, None)
}

/// Why nothing behind it is signed.
pub(super) fn refusal(foreign: &Foreign) -> SealError {
    let (first, last) = foreign.span();
    let which = if first == last {
        format!("the event at position {first} was")
    } else {
        format!("the events at positions {first} to {last} were")
    };
    refused(format!("{which} not recorded by a server of this system, or changed before it was sealed: see `palmares admit`"))
}

/// The first events that are not sealed and that nobody vouches for.
///
/// # Errors
/// A database that does not answer, and a log that is not the one that was signed.
pub async fn foreign(log: &Log, outside: &Outside, vouches: Vouches) -> Result<Option<Foreign>, SealError> {
    let mut session = Session::open(log.pool(), outside).await?;
    let mut after = session.position;
    loop {
        let read = reading::events(log.pool(), &mut session.streams, after).await?;
        let Checked { own, foreign } = check(log.pool(), read, vouches.clone()).await?;
        match (foreign, own.last()) {
            (Some(foreign), _) => return Ok(Some(foreign)),
            (None, None) => return Ok(None),
            (None, Some((_, last))) => after = last.position,
        }
    }
}
