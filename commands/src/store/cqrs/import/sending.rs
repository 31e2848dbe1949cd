//! What is new of sound aggregates, on its way to the log: several appends at once, so that they
//! share a batch, and never more than fit into memory.

use super::source::SourceEvent;
use super::{Candidate, Import, ImportError, RefusalReason, Report, place};
use crate::store::cqrs::foreign::{self, ForeignError};
use crate::store::{Append, AppendError, NewEvent, Outcome, StreamWrite};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use palmares_domain::kernel::EventId;
use std::collections::VecDeque;
use std::sync::Arc;
use uuid::Uuid;

/// What one append holds at most, but for a single larger event.
const APPEND_EVENTS: usize = 500;
const APPEND_BYTES: usize = 512 * 1024;
/// Appends that wait for their batch.
const IN_FLIGHT: usize = 64;

const METADATA: &[u8] = br#"{"import":"postgres-es"}"#;

/// An append on its way, with what it brings.
struct Sent {
    candidate: usize,
    events: u64,
    outcome: Outcome,
}

/// Appends on their way to the log, in the order of the source.
pub(super) struct Sending<'a> {
    import: &'a Import,
    sent: VecDeque<Sent>,
    report: &'a mut Report,
}

impl<'a> Sending<'a> {
    pub fn new(import: &'a Import, report: &'a mut Report) -> Self {
        Self { import, sent: VecDeque::new(), report }
    }

    /// Records what is new of the candidates that were found sound; `events` are all of theirs again.
    pub async fn record(
        &mut self,
        candidates: &mut [Candidate],
        events: &mut BoxStream<'_, Result<SourceEvent, sqlx::Error>>,
    ) -> Result<(), ImportError> {
        let (mut at, mut bytes, mut version) = (0, 0, 0);
        let mut waiting: Vec<NewEvent> = Vec::new();
        while let Some(event) = events.try_next().await? {
            let here = place(candidates, at, &event);
            if here != at || waiting.len() >= APPEND_EVENTS || bytes >= APPEND_BYTES {
                self.send(candidates, at, version, std::mem::take(&mut waiting)).await?;
                bytes = 0;
            }
            at = here;
            let checked = &mut candidates[at].checked;
            if !checked.sound || event.sequence <= checked.duplicates as i64 {
                continue;
            }
            // Behind an append that was refused, the rest of the stream has no place either.
            if let Some(reason) = checked.refusal.clone() {
                checked.lose(1, reason);
                self.report.refused += 1;
                continue;
            }
            let new = match new_event(&event) {
                Ok(new) => new,
                // It was sound a moment ago, in the same snapshot; here only for completeness.
                Err(error) => {
                    checked.lose(1, RefusalReason::Event { sequence: event.sequence, error });
                    self.report.refused += 1;
                    continue;
                }
            };
            if waiting.is_empty() {
                version = event.sequence - 1;
            }
            bytes += new.payload.len();
            waiting.push(new);
        }
        self.send(candidates, at, version, waiting).await?;
        while !self.sent.is_empty() {
            self.settle(candidates).await?;
        }
        Ok(())
    }

    async fn send(
        &mut self,
        candidates: &mut [Candidate],
        at: usize,
        expected_version: i64,
        events: Vec<NewEvent>,
    ) -> Result<(), ImportError> {
        let Candidate { stream: Ok(stream), handle, .. } = &candidates[at] else { return Ok(()) };
        if events.is_empty() {
            return Ok(());
        }
        let count = events.len() as u64;
        let append = Append {
            organization: self.import.organization,
            actor: self.import.actor,
            metadata: Arc::from(METADATA),
            writes: vec![StreamWrite { stream: *stream, expected_version, handle: *handle, events }],
            claims: Vec::new(),
            releases: Vec::new(),
            command: None,
        };
        self.sent.push_back(Sent { candidate: at, events: count, outcome: self.import.store.submit(append) });
        if self.sent.len() >= IN_FLIGHT {
            self.settle(candidates).await?;
        }
        Ok(())
    }

    /// Waits for the oldest append.
    async fn settle(&mut self, candidates: &mut [Candidate]) -> Result<(), ImportError> {
        let Some(sent) = self.sent.pop_front() else { return Ok(()) };
        let stopped = AppendError::Unavailable("the committer has stopped".into());
        let reason = match sent.outcome.await.unwrap_or(Err(stopped)) {
            Ok(committed) => {
                self.report.accepted += sent.events;
                self.report.position = self.report.position.max(Some(committed.position));
                return Ok(());
            }
            Err(error @ AppendError::Unavailable(_)) => return Err(ImportError::Store(error)),
            Err(AppendError::WrongVersion { .. }) => RefusalReason::Moved,
            Err(error) => RefusalReason::Append(error),
        };
        self.report.refused += sent.events;
        candidates[sent.candidate].checked.lose(sent.events, reason);
        Ok(())
    }
}

fn new_event(event: &SourceEvent) -> Result<NewEvent, ForeignError> {
    Ok(NewEvent {
        id: EventId(Uuid::now_v7()),
        event_type: foreign::event_name(&event.event_type)?,
        schema_version: foreign::SCHEMA_VERSION,
        effective_at: None,
        payload: foreign::seal(&event.event_version, &event.metadata, &event.payload)?,
        sealed: Vec::new(),
    })
}
