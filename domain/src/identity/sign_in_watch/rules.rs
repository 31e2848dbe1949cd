//! What is suspicious, and what follows from it.

use super::{Means, Sighting};
use crate::{kernel::Digest, organizations::organization::SuspiciousSignIn};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far back the rules look.
pub const WINDOW: TimeDelta = TimeDelta::hours(1);
/// So many failures within the window, and …
pub const FAILURES_MIN: usize = 5;
/// … from so many networks are guesses of several machines, not slips of one person.
pub const FAILED_NETWORKS_MIN: usize = 3;
/// From so many networks somebody on the way may come within the window.
pub const NETWORKS_MAX: usize = 5;

/// Why something is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// A session is used by another program than the one it was last used by.
    AgentChanged,
    /// A sign-in succeeds after failures from several networks.
    GuessedFromManyNetworks,
    /// One user comes from more networks than one person passes through.
    ManyNetworks,
}

/// What followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// The user is told.
    Notified,
    /// A second factor is asked for before anything else.
    SecondFactorDemanded,
    /// The session ended.
    SessionEnded,
    /// Every other session ended; this one began with more than a password.
    OtherSessionsEnded,
    /// Nobody is let in, and every session ended.
    AllSessionsEnded,
}

/// What comes of a sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub reasons: BTreeSet<Suspicion>,
    /// Nothing where there is no reason.
    pub consequence: Option<Consequence>,
}

impl Verdict {
    /// Whether the session goes on, or begins.
    pub fn lets_in(&self) -> bool {
        matches!(self.consequence, None | Some(Consequence::Notified | Consequence::OtherSessionsEnded))
    }
}

/// What the rules know.
pub(super) struct Evidence<'a> {
    /// Who uses the session, as far as it was seen before.
    pub bound: Option<Digest>,
    pub failures: &'a [(DateTime<Utc>, Digest)],
    /// The networks of sessions, each with when it was seen last.
    pub networks: &'a [(DateTime<Utc>, Digest)],
}

/// Applies the rules.
pub(super) fn suspicions(sighting: &Sighting, evidence: &Evidence<'_>, now: DateTime<Utc>) -> BTreeSet<Suspicion> {
    let mut reasons = BTreeSet::new();
    if evidence.bound.is_some_and(|bound| bound != sighting.agent) {
        reasons.insert(Suspicion::AgentChanged);
    }
    let failed: Vec<Digest> = within(evidence.failures, now).collect();
    let failed_networks: BTreeSet<Digest> = failed.iter().copied().collect();
    if sighting.means != Means::Refresh && failed.len() >= FAILURES_MIN && failed_networks.len() >= FAILED_NETWORKS_MIN {
        reasons.insert(Suspicion::GuessedFromManyNetworks);
    }
    let networks: BTreeSet<Digest> = within(evidence.networks, now).collect();
    // Whoever stays where they are is not asked about it again and again.
    if !networks.contains(&sighting.network) && networks.len() >= NETWORKS_MAX {
        reasons.insert(Suspicion::ManyNetworks);
    }
    reasons
}

/// What follows from a suspicion: what the organization chose, as far as more was not shown already.
pub(super) fn consequence(choice: SuspiciousSignIn, means: Means) -> Consequence {
    match (choice, means) {
        (SuspiciousSignIn::Notify, _) | (SuspiciousSignIn::Challenge, Means::Strong) => Consequence::Notified,
        (SuspiciousSignIn::Challenge, Means::Weak) => Consequence::SecondFactorDemanded,
        // There is nobody to ask: the session is over, and signing in asks.
        (SuspiciousSignIn::Challenge, Means::Refresh) => Consequence::SessionEnded,
        (SuspiciousSignIn::EndSessions, Means::Strong) => Consequence::OtherSessionsEnded,
        (SuspiciousSignIn::EndSessions, Means::Weak | Means::Refresh) => Consequence::AllSessionsEnded,
    }
}

/// What was seen within the window.
pub(super) fn within(seen: &[(DateTime<Utc>, Digest)], now: DateTime<Utc>) -> impl Iterator<Item = Digest> {
    seen.iter().filter(move |(at, _)| *at > now - WINDOW).map(|(_, network)| *network)
}
