//! Whether an aggregate of the source is sound, and what of it the log has already.

use super::RefusalReason;
use super::source::SourceEvent;
use crate::store::StoredEvent;
use crate::store::cqrs::foreign::{self, SCHEMA_VERSION};

/// An aggregate as far as its events were looked at.
pub(super) struct Checked {
    known: Vec<StoredEvent>,
    pub events: u64,
    pub duplicates: u64,
    /// Events that were not recorded.
    pub lost: u64,
    /// Nothing was against it when all of it was looked at.
    pub sound: bool,
    /// The first reason against it.
    pub refusal: Option<RefusalReason>,
}

impl Checked {
    pub fn new(known: Vec<StoredEvent>, refusal: Option<RefusalReason>) -> Self {
        Self { known, events: 0, duplicates: 0, lost: 0, sound: false, refusal }
    }

    pub fn lose(&mut self, events: u64, reason: RefusalReason) {
        self.lost += events;
        self.refusal.get_or_insert(reason);
    }

    /// After the last event: a refused aggregate is refused whole, and what is known is needed no more.
    pub fn finish(&mut self) {
        self.known = Vec::new();
        self.sound = self.refusal.is_none();
        if !self.sound {
            self.lost = self.events;
        }
    }
}

/// Looks at the next event of an aggregate.
pub(super) fn check(checked: &mut Checked, event: &SourceEvent) {
    let expected = checked.events as i64 + 1;
    checked.events += 1;
    if checked.refusal.is_some() {
        return;
    }
    if event.sequence != expected {
        checked.refusal = Some(RefusalReason::Gap { expected, found: event.sequence });
        return;
    }
    let stored = foreign::event_name(&event.event_type)
        .and_then(|name| Ok((name, foreign::seal(&event.event_version, &event.metadata, &event.payload)?)));
    let (event_type, payload) = match stored {
        Ok(stored) => stored,
        Err(error) => {
            checked.refusal = Some(RefusalReason::Event { sequence: event.sequence, error });
            return;
        }
    };
    if let Some(known) = checked.known.get(expected as usize - 1) {
        let same = known.event_type == event_type && known.schema_version == SCHEMA_VERSION && known.payload == payload;
        if same {
            checked.duplicates += 1;
        } else {
            checked.refusal = Some(RefusalReason::Diverged(expected));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::AggregateName;
    use super::*;
    use palmares_domain::kernel::EventId;
    use uuid::Uuid;

    fn event(sequence: i64, payload: &str) -> SourceEvent {
        SourceEvent {
            aggregate: AggregateName { aggregate_type: "Customer".into(), aggregate_id: Uuid::nil().to_string() },
            sequence,
            event_type: "NameAdded".into(),
            event_version: "1.0".into(),
            payload: payload.into(),
            metadata: "{}".into(),
        }
    }

    fn known(payload: &str) -> StoredEvent {
        StoredEvent {
            id: EventId(Uuid::nil()),
            position: 1,
            version: 1,
            event_type: "NameAdded".into(),
            schema_version: SCHEMA_VERSION,
            payload: foreign::seal("1.0", "{}", payload).unwrap(),
            sealed: Vec::new(),
        }
    }

    fn checked(known: Vec<StoredEvent>, events: &[SourceEvent]) -> Checked {
        let mut checked = Checked::new(known, None);
        events.iter().for_each(|event| check(&mut checked, event));
        checked.finish();
        checked
    }

    #[test]
    fn an_aggregate_with_a_gap_or_a_sequence_below_one_is_refused_whole() {
        let gap = checked(vec![], &[event(1, "{}"), event(3, "{}")]);
        assert_eq!((gap.refusal, gap.lost), (Some(RefusalReason::Gap { expected: 2, found: 3 }), 2));
        let zero = checked(vec![], &[event(0, "{}"), event(1, "{}")]);
        assert_eq!(zero.refusal, Some(RefusalReason::Gap { expected: 1, found: 0 }));
        let twice = checked(vec![], &[event(1, "{}"), event(1, "{}")]);
        assert_eq!(twice.refusal, Some(RefusalReason::Gap { expected: 2, found: 1 }));
    }

    #[test]
    fn what_the_log_has_is_a_duplicate_only_if_it_is_the_same() {
        let same = checked(vec![known("1")], &[event(1, "1"), event(2, "2")]);
        assert_eq!((same.events, same.duplicates, same.refusal), (2, 1, None));
        let other = checked(vec![known("9")], &[event(1, "1"), event(2, "2")]);
        assert_eq!(other.refusal, Some(RefusalReason::Diverged(1)));
    }
}
