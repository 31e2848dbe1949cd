//! The decider: a pure decision over a state, and the fold that makes the state.

use super::{Event, Purpose, Refusal, UserId};
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
    /// The purpose of the personal fields that `decide` reads, if it does. It is allowed in streams of
    /// one subject, whose id is the stream's, and one purpose only: the engine opens them before
    /// `evolve` and seals the snapshot.
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = None;

    type Command: Clone + Send + Sync + std::fmt::Debug + 'static;
    type Event: Event;
    type Error: Refusal;

    fn decide(&self, command: &Self::Command, facts: &Facts) -> Result<Vec<Self::Event>, Self::Error>;
    fn evolve(&mut self, event: &Self::Event);
}
