//! What a read model tells the engine: its name, what it listens to, and its fold.

use super::{
    keys::{KeyError, PersonalKeys},
    timetable::Timetable,
};
use async_trait::async_trait;
use palmares_domain::kernel::{RecordedEvent, UnreadableEvent};
use std::{collections::BTreeMap, fmt, sync::Arc};
use uuid::Uuid;

/// Folds events into the tables of one projection.
///
/// The runner hands over events in log order, each exactly once per slot: rows and checkpoint are
/// committed in one transaction. A batch should be aggregated in memory before it is written.
#[async_trait]
pub trait Projector: Send + Sync + 'static {
    /// The public name, such as `points_balances`.
    fn name(&self) -> &'static str;

    /// Raised when the fold or its tables change; the engine then rebuilds into the idle slot.
    fn version(&self) -> i32;

    /// The read models it fills, without the slot's suffix.
    fn tables(&self) -> &'static [&'static str];

    /// The event types it folds; empty means all of them.
    fn interests(&self) -> &'static [&'static str];

    /// Whether the engine opens sealed fields into [`Delivered::opened`].
    fn opens_personal(&self) -> bool {
        false
    }

    /// What a failing event does to the rest.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Park
    }

    /// Events of one key depend on each other: when one is parked, the later ones are parked too.
    fn sequence_key(&self, event: &RecordedEvent) -> Uuid {
        event.stream.id
    }

    /// What it makes of timers, where that is what it does.
    fn timetable(&self) -> Option<&dyn Timetable> {
        None
    }

    /// Writes the effect of `batch` in the caller's transaction.
    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError>;
}

/// What a failing event does to the rest of its projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The projection stops where it is, with the error: for folds where a hole is worse than lag.
    Stop,
    /// The event's sequence key is parked with the error, everything else goes on.
    Park,
    /// The event is logged and left out.
    Skip,
}

/// An event as a projector gets it.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub event: Arc<RecordedEvent>,
    /// The sealed fields that could be opened, as JSON. A field that is missing here is not
    /// readable any more: its key was destroyed or its ciphertext redacted.
    pub opened: BTreeMap<String, Vec<u8>>,
}

impl Delivered {
    /// A sealed field in clear; `None` when it is not readable any more.
    pub fn opened<T: serde::de::DeserializeOwned>(&self, field: &str) -> Result<Option<T>, ApplyError> {
        self.opened
            .get(field)
            .map(|bytes| serde_json::from_slice(bytes))
            .transpose()
            .map_err(|error| ApplyError::Invalid(format!("the opened field `{field}` is malformed: {error}")))
    }
}

/// What a projector works with while it applies a batch.
pub struct ApplyContext<'a> {
    /// The transaction that also moves the checkpoint, as role `palmares_projector`.
    pub tx: &'a mut sqlx::PgConnection,
    /// The slot to write to.
    pub slot: Slot,
    /// Seals what a read model keeps of personal data.
    pub keys: &'a dyn PersonalKeys,
}

/// One of the two copies that every read model has, so that a rebuild needs no downtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    A,
    B,
}

impl Slot {
    /// The stored name, and the suffix of its tables.
    pub fn name(self) -> &'static str {
        match self {
            Slot::A => "a",
            Slot::B => "b",
        }
    }

    /// The slot of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "a" => Some(Slot::A),
            "b" => Some(Slot::B),
            _ => None,
        }
    }

    pub fn other(self) -> Self {
        match self {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        }
    }

    /// Names this slot's tables: `{points_balances}` becomes `points_balances_a`. Braces around
    /// anything else than a table name, such as an empty array literal, stay as they are.
    pub fn sql(self, template: &str) -> String {
        let mut sql = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            sql.push_str(before);
            match after.split_once('}') {
                Some((name, tail)) if is_table_name(name) => {
                    sql.push_str(name);
                    sql.push('_');
                    sql.push_str(self.name());
                    rest = tail;
                }
                _ => {
                    sql.push('{');
                    rest = after;
                }
            }
        }
        sql.push_str(rest);
        sql
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn is_table_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Why a batch could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The event contradicts what the read model holds or can hold.
    #[error("{0}")]
    Invalid(String),
}

impl ApplyError {
    /// Whether the same batch may succeed later without anyone's help: retried, never parked.
    pub fn is_transient(&self) -> bool {
        match self {
            ApplyError::Database(error) => super::transient::is_transient(error),
            ApplyError::Keys(error) => matches!(error, KeyError::Unavailable(_)),
            ApplyError::Unreadable(_) | ApplyError::Invalid(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_names_its_tables_and_leaves_other_braces() {
        let sql = Slot::B.sql("INSERT INTO {points_lots} SELECT '{}'::int[], '{1,2}', '{\"a\":1}' FROM {points_balances} b");
        assert_eq!(sql, "INSERT INTO points_lots_b SELECT '{}'::int[], '{1,2}', '{\"a\":1}' FROM points_balances_b b");
    }
}
