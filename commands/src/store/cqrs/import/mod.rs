//! Imports a table of postgres-es: every aggregate becomes a stream of the log, sequence by sequence.
//!
//! It may be stopped and run again at any time: what is there already is compared and counted as a
//! duplicate, and a stream of which only a part is there goes on from it. An aggregate is checked as
//! a whole before anything of it is recorded. The table passes through row by row; of the log, memory
//! holds the streams of one group of aggregates, as their loading gives them.
//!
//! Payloads are stored in clear, as they are. They have no declared classes, so nothing in them
//! could be sealed for its subject and erased later: whoever calls this has made sure that they hold
//! no personal data. Sealing all of it instead would need a subject for every event, and neither
//! postgres-es nor a rule could read it.

mod check;
mod sending;
mod source;

pub use source::{AggregateName, STATEMENTS, Source};

use super::foreign::{self, ForeignError};
use crate::store::{AppendError, EventStore, LoadRequest, StreamHandle, StreamName};
use check::{Checked, check};
use futures::TryStreamExt;
use palmares_domain::kernel::{OrganizationId, UserId};
use sending::Sending;
use source::{Page, SourceEvent};
use std::collections::VecDeque;
use std::sync::Arc;

/// Aggregates of one snapshot of the source.
const PAGE_AGGREGATES: i64 = 256;
/// Aggregates are looked at in groups of about this size; a larger one is a group of its own.
const GROUP_BYTES: i64 = 4 * 1024 * 1024;

/// What stops the whole import. What was recorded before stays, and running again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("there is no table `{0}`")]
    NoTable(String),
    #[error("the table cannot be read")]
    Source(#[from] sqlx::Error),
    #[error("the log does not take it: {0}")]
    Store(AppendError),
}

/// Why an aggregate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    #[error(transparent)]
    Name(ForeignError),
    #[error("sequence {sequence}: {error}")]
    Event { sequence: i64, error: ForeignError },
    #[error("sequence {found} stands where {expected} belongs")]
    Gap { expected: i64, found: i64 },
    #[error("sequence {0} is in the log already, with another content")]
    Diverged(i64),
    #[error("somebody else appended to the stream meanwhile: run the import again")]
    Moved,
    #[error("{0}")]
    Append(AppendError),
}

/// What the import says on its way.
#[derive(Debug)]
pub enum Step {
    /// So many more events are done.
    Done(u64),
    /// Nothing of the aggregate was recorded, or nothing more.
    Refused { aggregate: AggregateName, events: u64, reason: RefusalReason },
}

/// Events by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub aggregates: u64,
    pub accepted: u64,
    pub duplicate: u64,
    pub refused: u64,
    /// The last position that was written.
    pub position: Option<i64>,
}

/// Where the events go.
pub struct Import {
    pub store: Arc<dyn EventStore>,
    pub organization: OrganizationId,
    pub actor: UserId,
}

/// An aggregate of the source and its stream in the log.
struct Candidate {
    aggregate: AggregateName,
    stream: Result<StreamName, ForeignError>,
    handle: Option<StreamHandle>,
    checked: Checked,
}

impl Import {
    /// Imports every aggregate of `source`.
    ///
    /// # Errors
    /// What stops the whole import; a refused aggregate does not.
    pub async fn run(&self, source: &mut Source, tell: &mut (dyn FnMut(Step) + Send)) -> Result<Report, ImportError> {
        let mut report = Report::default();
        let mut last = None;
        loop {
            let mut page = source.page().await?;
            let mut aggregates: VecDeque<_> = page.aggregates(last.as_ref(), PAGE_AGGREGATES).await?.into();
            let Some((name, _)) = aggregates.back() else { return Ok(report) };
            last = Some(name.clone());
            report.aggregates += aggregates.len() as u64;
            while let Some((first, mut bytes)) = aggregates.pop_front() {
                let mut group = vec![first];
                while let Some((next, more)) = aggregates.pop_front_if(|(_, more)| bytes + *more <= GROUP_BYTES) {
                    group.push(next);
                    bytes += more;
                }
                self.group(&mut page, group, &mut report, tell).await?;
            }
            page.close().await?;
        }
    }

    /// Checks the aggregates of a group, then records what is new of the sound ones.
    async fn group(
        &self,
        page: &mut Page<'_>,
        group: Vec<AggregateName>,
        report: &mut Report,
        tell: &mut (dyn FnMut(Step) + Send),
    ) -> Result<(), ImportError> {
        let mut candidates = futures::future::try_join_all(group.into_iter().map(|aggregate| self.candidate(aggregate))).await?;
        let sql = page.events_sql();
        let (Some(from), Some(to)) = (candidates.first(), candidates.last()) else { return Ok(()) };
        let (from, to) = (from.aggregate.clone(), to.aggregate.clone());
        let mut events = page.events(&sql, &from, &to);
        let mut at = 0;
        while let Some(event) = events.try_next().await? {
            at = place(&candidates, at, &event);
            check(&mut candidates[at].checked, &event);
        }
        drop(events);
        for candidate in &mut candidates {
            candidate.checked.finish();
            match &candidate.checked.refusal {
                Some(_) => report.refused += candidate.checked.events,
                None => report.duplicate += candidate.checked.duplicates,
            }
        }
        if candidates.iter().any(Candidate::brings_something) {
            let mut events = page.events(&sql, &from, &to);
            Sending::new(self, report).record(&mut candidates, &mut events).await?;
        }
        for candidate in candidates {
            tell(Step::Done(candidate.checked.events));
            if let Some(reason) = candidate.checked.refusal {
                tell(Step::Refused { aggregate: candidate.aggregate, events: candidate.checked.lost, reason });
            }
        }
        Ok(())
    }

    /// What the log has of an aggregate.
    async fn candidate(&self, aggregate: AggregateName) -> Result<Candidate, ImportError> {
        let stream = foreign::type_name(&aggregate.aggregate_type).and_then(|stream_type| {
            Ok(StreamName { organization: self.organization, stream_type, id: foreign::stream_id(&aggregate.aggregate_id)? })
        });
        let loaded = match &stream {
            Ok(stream) => {
                let request = LoadRequest { stream: *stream, shape: 0, with_sealed: false };
                self.store.load(request).await.map_err(ImportError::Store)?
            }
            Err(_) => Default::default(),
        };
        let refusal = stream.as_ref().err().cloned().map(RefusalReason::Name);
        Ok(Candidate { aggregate, stream, handle: loaded.handle, checked: Checked::new(loaded.events, refusal) })
    }
}

impl Candidate {
    fn brings_something(&self) -> bool {
        self.checked.sound && self.checked.events > self.checked.duplicates
    }
}

/// The candidate of an event; both come in the same order.
fn place(candidates: &[Candidate], at: usize, event: &SourceEvent) -> usize {
    let here = candidates[at..].iter().position(|candidate| candidate.aggregate == event.aggregate);
    at + here.unwrap_or_default()
}
