//! The decider: a pure decision over a state, and the fold that makes the state.

use super::{Event, Refusal, UserId};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

/// What a rule may not look up itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When the command is decided.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: UserId,
}

/// Business rules of one kind of stream.
///
/// `decide` is deterministic in (state, command, facts); `evolve` cannot fail and reads no clock.
/// A refused decision changes nothing.
pub trait Aggregate: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stored name of the stream type.
    const TYPE: &'static str;
    /// The version of the state's shape: a snapshot of another shape is ignored.
    const SHAPE: u16;
    /// Whether `decide` reads personal fields, which is allowed in streams of one subject and
    /// purpose only: the engine opens them before `evolve` and seals the snapshot (design 7).
    const DECIDES_ON_PERSONAL_DATA: bool = false;

    type Command: Clone + Send + Sync + std::fmt::Debug + 'static;
    type Event: Event;
    type Error: Refusal;

    fn decide(&self, command: &Self::Command, facts: &Facts) -> Result<Vec<Self::Event>, Self::Error>;
    fn evolve(&mut self, event: &Self::Event);
}
