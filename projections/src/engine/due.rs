//! When something is due: a projector that has no table of its own and turns events into timers.
//!
//! A timer that comes in vain, because what it waited for happened meanwhile, records nothing: whoever
//! handles it looks at the stream again.

use super::{
    projector::{ApplyContext, ApplyError, Delivered, Projector},
    timers::{Timer, cancel, schedule},
    timetable::Timetable,
};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::kernel::{Event, RecordedEvent, derive_uuid};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// So much later than due: whoever records it may have a clock that is behind the database's.
pub(super) const SLACK: TimeDelta = TimeDelta::seconds(1);

/// The moments that events of one kind of stream name.
pub struct Due<E: 'static> {
    /// The name of the projection.
    pub name: &'static str,
    /// The kind of the timers.
    pub kind: &'static str,
    /// The event types that name a moment, or say that nothing is due any more.
    pub events: &'static [&'static str],
    /// Which timers of a stream are one and the same.
    pub apart: Apart,
    /// What an event says of when something is due.
    pub moments: fn(&RecordedEvent, &E) -> Vec<Moment>,
}

/// By what timers of one stream are told apart: a timer that is the same as an earlier one moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Not at all: there is one for each stream.
    ByNothing,
    /// One for each moment, however many events name it.
    ByMoment,
    /// One for each event: what was put off may be due at a moment that has passed.
    ByEvent,
}

/// Something is due, or is not any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    stream_id: Uuid,
    /// Missing where nothing is due any more.
    due_at: Option<DateTime<Utc>>,
    payload: Value,
}

impl Moment {
    /// Something is due on a stream, whose id is all that the timer says.
    pub fn of(stream_id: Uuid, due_at: DateTime<Utc>) -> Self {
        Self { stream_id, due_at: Some(due_at), payload: json!(stream_id) }
    }

    /// Nothing is due on this stream any more.
    pub fn none(stream_id: Uuid) -> Self {
        Self { stream_id, due_at: None, payload: Value::Null }
    }

    /// The same with something more to say than the stream's id: ids and amounts, never personal data.
    #[must_use]
    pub fn saying(self, payload: Value) -> Self {
        Self { payload, ..self }
    }
}

impl<E: Event> Timetable for Due<E> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn changes(&self, event: &RecordedEvent) -> Result<Vec<(Uuid, Option<Timer>)>, ApplyError> {
        let happened = E::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
        Ok((self.moments)(event, &happened).into_iter().map(|moment| self.change(event, moment)).collect())
    }
}

impl<E: Event> Due<E> {
    fn change(&self, event: &RecordedEvent, moment: Moment) -> (Uuid, Option<Timer>) {
        let Moment { stream_id, due_at, payload } = moment;
        let micros = due_at.unwrap_or_default().timestamp_micros().to_be_bytes();
        let id = match self.apart {
            Apart::ByNothing => derive_uuid(self.kind, &[stream_id.as_bytes()]),
            Apart::ByMoment => derive_uuid(self.kind, &[stream_id.as_bytes(), &micros]),
            Apart::ByEvent => derive_uuid(self.kind, &[event.id.0.as_bytes()]),
        };
        let timer = due_at.map(|due_at| Timer {
            organization_id: event.organization_id,
            id,
            kind: self.kind.to_owned(),
            stream_id,
            due_at: due_at.checked_add_signed(SLACK).unwrap_or(due_at),
            payload,
        });
        (id, timer)
    }
}

#[async_trait]
impl<E: Event + 'static> Projector for Due<E> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        self.events
    }

    fn timetable(&self) -> Option<&dyn Timetable> {
        Some(self)
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        // Of what a batch says of one timer the last word counts.
        let mut changes = BTreeMap::new();
        for Delivered { event, .. } in batch {
            changes.extend(self.changes(event)?.into_iter().map(|(id, timer)| ((event.organization_id, id), timer)));
        }
        for ((organization, id), timer) in changes {
            match timer {
                Some(timer) => schedule(&mut *context.tx, &timer).await?,
                None => cancel(&mut *context.tx, organization, id).await?,
            }
        }
        Ok(())
    }
}
