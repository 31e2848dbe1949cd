//! The rules of the watch over a user's sign-ins.

use super::{
    Consequence, NewPlaceSeen, SessionSeen, Sighting, SignInDisowned, SignInFailed, SignInWatchCommand, SignInWatchError, SignInWatchEvent,
    SuspiciousSignInDetected, Verdict, WINDOW, WatchAction,
    commands::Means,
    rules::{Evidence, consequence, suspicions},
};
use crate::kernel::{Aggregate, Digest, Facts, LetterId, Personal, SessionId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many places, failures, sessions and letters are remembered; the oldest make way.
const REMEMBERED_MAX: usize = 64;

/// What was seen of a user's sign-ins. Each list has its newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInWatch {
    /// The networks of sessions, and when each was seen last.
    networks: Vec<(DateTime<Utc>, Digest)>,
    devices: Vec<Digest>,
    failures: Vec<(DateTime<Utc>, Digest)>,
    /// The program that uses each session.
    agents: Vec<(SessionId, Digest)>,
    /// When somebody was kept out last.
    kept_out_at: Option<DateTime<Utc>>,
    disowned: Vec<LetterId>,
}

impl SignInWatch {
    /// What comes of a sighting.
    pub fn judge(&self, sighting: &Sighting, now: DateTime<Utc>) -> Verdict {
        let evidence = Evidence { bound: self.agent_of(sighting.session_id), failures: &self.failures, networks: &self.networks };
        let reasons = suspicions(sighting, &evidence, now);
        let consequence = (!reasons.is_empty()).then(|| consequence(sighting.choice, sighting.means));
        Verdict { reasons, consequence }
    }

    fn agent_of(&self, session_id: SessionId) -> Option<Digest> {
        self.agents.iter().find(|(id, _)| *id == session_id).map(|(_, agent)| *agent)
    }

    fn seen_network(&self, network: Digest) -> Option<DateTime<Utc>> {
        self.networks.iter().find(|(_, known)| *known == network).map(|(at, _)| *at)
    }

    fn observe(&self, user_id: UserId, sighting: &Sighting, now: DateTime<Utc>) -> Vec<SignInWatchEvent> {
        let verdict = self.judge(sighting, now);
        let mut events = Vec::new();
        if let Some(consequence) = verdict.consequence {
            // Who is kept out may try again and again; the log and the user hear of it once in a while.
            let told = !verdict.lets_in() && self.kept_out_at.is_some_and(|at| at > now - WINDOW) && sighting.means == Means::Weak;
            if !told {
                events.push(detected(user_id, sighting, verdict.reasons.iter().copied().collect(), consequence, now));
            }
        }
        if !verdict.lets_in() {
            return events;
        }
        let (device, session_id) = (sighting.recognized_by(), sighting.session_id);
        let begins = sighting.means != Means::Refresh;
        let known = self.seen_network(sighting.network).is_some() && self.devices.contains(&device);
        let recent = self.seen_network(sighting.network).is_some_and(|at| at > now - WINDOW);
        let stays = recent && self.agent_of(session_id) == Some(sighting.agent);
        if begins && !known && !self.devices.is_empty() && verdict.consequence.is_none() {
            let (address, device_name) = told(sighting);
            events.push(NewPlaceSeen { user_id, session_id, address, device_name, seen_at: now }.into());
        }
        if begins || !stays {
            let (network, agent) = (sighting.network, sighting.agent);
            events.push(SessionSeen { user_id, session_id, network, agent, device, seen_at: now }.into());
        }
        events
    }
}

fn detected(
    user_id: UserId,
    sighting: &Sighting,
    reasons: Vec<super::Suspicion>,
    consequence: Consequence,
    detected_at: DateTime<Utc>,
) -> SignInWatchEvent {
    let (address, device_name) = told(sighting);
    SuspiciousSignInDetected { user_id, session_id: sighting.session_id, reasons, consequence, address, device_name, detected_at }.into()
}

/// What the user is told of the place.
fn told(sighting: &Sighting) -> (Personal<String>, Option<Personal<String>>) {
    (Personal::Clear(sighting.address.clone()), sighting.device_name.clone().map(Personal::Clear))
}

/// Puts something in as the newest, and forgets the oldest.
fn remember<T>(list: &mut Vec<T>, item: T, same: impl Fn(&T) -> bool) {
    list.retain(|known| !same(known));
    list.push(item);
    list.drain(..list.len().saturating_sub(REMEMBERED_MAX));
}

impl Aggregate for SignInWatch {
    const TYPE: &'static str = "sign_in_watch";
    const SHAPE: u16 = 1;

    type Command = SignInWatchCommand;
    type Event = SignInWatchEvent;
    type Error = SignInWatchError;

    fn decide(&self, command: &SignInWatchCommand, facts: &Facts) -> Result<Vec<SignInWatchEvent>, SignInWatchError> {
        let user_id = command.user_id;
        Ok(match &command.action {
            WatchAction::Observe(sighting) => self.observe(user_id, sighting, facts.now),
            WatchAction::RecordFailure { network } => vec![SignInFailed { user_id, network: *network, failed_at: facts.now }.into()],
            WatchAction::Disown { letter_id } if self.disowned.contains(letter_id) => return Err(SignInWatchError::DisownedAlready),
            WatchAction::Disown { letter_id } => vec![SignInDisowned { user_id, letter_id: *letter_id }.into()],
        })
    }

    fn evolve(&mut self, event: &SignInWatchEvent) {
        match event {
            SignInWatchEvent::SessionSeen(seen) => {
                remember(&mut self.networks, (seen.seen_at, seen.network), |(_, known)| *known == seen.network);
                remember(&mut self.devices, seen.device, |known| *known == seen.device);
                remember(&mut self.agents, (seen.session_id, seen.agent), |(known, _)| *known == seen.session_id);
            }
            SignInWatchEvent::SignInFailed(failed) => remember(&mut self.failures, (failed.failed_at, failed.network), |_| false),
            SignInWatchEvent::SuspiciousSignInDetected(detected) => match detected.consequence {
                // The user is told of these failures, and once is enough.
                Consequence::Notified | Consequence::OtherSessionsEnded => {
                    self.failures.clear();
                    self.kept_out_at = None;
                }
                _ => self.kept_out_at = Some(detected.detected_at),
            },
            SignInWatchEvent::SignInDisowned(disowned) => {
                remember(&mut self.disowned, disowned.letter_id, |_| false);
                // Somebody else was at these places: wherever the next sign-in comes from, it is news.
                self.networks.clear();
            }
            SignInWatchEvent::NewPlaceSeen(_) => {}
        }
    }
}
