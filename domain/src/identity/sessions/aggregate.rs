//! The rules of a user's sessions.

use super::{
    Carrier, Factor, RefreshReuseDetected, RefreshRotated, RevocationReason, RotateRefresh, SessionRevoked, SessionStarted, SessionsAction,
    SessionsCommand, SessionsError, SessionsEvent, SessionsRevoked, SignInMethod, StartSession,
};
use crate::kernel::{Aggregate, Digest, Facts, Personal, SessionId, UserId, text::is_label};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// On how many devices a user may be signed in at once; one more ends the oldest session.
pub const LIVE_SESSIONS_MAX: usize = 50;
const DEVICE_NAME_MAX_CHARS: usize = 100;

/// The sessions of a user that did not end before their time. Those that expired are dropped when
/// the next one starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sessions(BTreeMap<SessionId, Session>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub method: SignInMethod,
    pub factors: Vec<Factor>,
    pub carrier: Carrier,
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    family: Digest,
    current: Digest,
    device: Option<Digest>,
}

impl Sessions {
    /// A session that has not ended at `now`.
    pub fn live(&self, session_id: SessionId, now: DateTime<Utc>) -> Option<&Session> {
        self.0.get(&session_id).filter(|session| session.expires_at > now)
    }

    pub fn is_live(&self, session_id: SessionId, now: DateTime<Utc>) -> bool {
        self.live(session_id, now).is_some()
    }

    /// The session, where it is live and this is the digest of its family's secret. How long the
    /// comparison takes tells nothing of the secret: both sides are digests.
    pub fn held_by(&self, session_id: SessionId, family: Digest, now: DateTime<Utc>) -> Option<&Session> {
        self.live(session_id, now).filter(|session| session.family == family)
    }

    pub fn holds(&self, session_id: SessionId, family: Digest, now: DateTime<Utc>) -> bool {
        self.held_by(session_id, family, now).is_some()
    }

    /// Every session that has not ended at `now`.
    pub fn all_live(&self, now: DateTime<Utc>) -> impl Iterator<Item = (SessionId, &Session)> {
        self.0.iter().filter(move |(_, session)| session.expires_at > now).map(|(id, session)| (*id, session))
    }

    fn start(&self, user_id: UserId, start: &StartSession, now: DateTime<Utc>) -> Result<Vec<SessionsEvent>, SessionsError> {
        if self.0.contains_key(&start.session_id) {
            return Err(SessionsError::AlreadyExists);
        }
        if start.expires_at <= now {
            return Err(SessionsError::Over);
        }
        if start.device_name.as_ref().is_some_and(|name| !is_label(name, DEVICE_NAME_MAX_CHARS)) {
            return Err(SessionsError::DeviceNameInvalid);
        }
        let mut live: Vec<_> = self.all_live(now).map(|(session_id, session)| (session.started_at, session_id)).collect();
        live.sort_unstable();
        let surplus = (live.len() + 1).saturating_sub(LIVE_SESSIONS_MAX);
        let displaced = live.into_iter().take(surplus);
        let displaced = displaced.map(|(_, session_id)| SessionRevoked { user_id, session_id, reason: RevocationReason::Displaced }.into());
        let started = SessionStarted {
            user_id,
            session_id: start.session_id,
            method: start.method,
            factors: start.factors.iter().copied().collect(),
            carrier: start.carrier,
            family: start.family,
            current: start.current,
            device: start.device,
            device_name: start.device_name.clone().map(Personal::Clear),
            started_at: now,
            expires_at: start.expires_at,
        };
        Ok(displaced.chain([started.into()]).collect())
    }

    /// Who has the family's secret had a genuine token once. If it is not the current one, or comes
    /// from elsewhere, two have it, and nobody can tell the thief from the user.
    fn rotate(&self, user_id: UserId, rotate: &RotateRefresh, now: DateTime<Utc>) -> Result<SessionsEvent, SessionsError> {
        let session_id = rotate.session_id;
        let session = self.held_by(session_id, rotate.family, now).ok_or(SessionsError::Ended)?;
        let elsewhere = session.device.is_some() && session.device != rotate.device;
        if elsewhere || session.current != rotate.presented {
            return Ok(RefreshReuseDetected { user_id, session_id }.into());
        }
        Ok(RefreshRotated { user_id, session_id, next: rotate.next, rotated_at: now }.into())
    }
}

impl Aggregate for Sessions {
    const TYPE: &'static str = "sessions";
    const SHAPE: u16 = 1;

    type Command = SessionsCommand;
    type Event = SessionsEvent;
    type Error = SessionsError;

    fn decide(&self, command: &SessionsCommand, facts: &Facts) -> Result<Vec<SessionsEvent>, SessionsError> {
        let (user_id, now) = (command.user_id, facts.now);
        Ok(match &command.action {
            SessionsAction::Start(start) => self.start(user_id, start, now)?,
            SessionsAction::Rotate(rotate) => vec![self.rotate(user_id, rotate, now)?],
            SessionsAction::Revoke { session_id, .. } if !self.is_live(*session_id, now) => return Err(SessionsError::NotFound),
            SessionsAction::Revoke { session_id, reason } => {
                vec![SessionRevoked { user_id, session_id: *session_id, reason: *reason }.into()]
            }
            SessionsAction::RevokeAll { except, reason } => {
                let any = self.all_live(now).any(|(session_id, _)| Some(session_id) != *except);
                any.then(|| SessionsRevoked { user_id, except: *except, reason: *reason }.into()).into_iter().collect()
            }
        })
    }

    fn evolve(&mut self, event: &SessionsEvent) {
        match event {
            SessionsEvent::SessionStarted(started) => {
                self.0.retain(|_, session| session.expires_at > started.started_at);
                self.0.insert(started.session_id, Session::of(started));
            }
            SessionsEvent::RefreshRotated(rotated) => {
                if let Some(session) = self.0.get_mut(&rotated.session_id) {
                    session.current = rotated.next;
                }
            }
            SessionsEvent::RefreshReuseDetected(reused) => {
                self.0.remove(&reused.session_id);
            }
            SessionsEvent::SessionRevoked(revoked) => {
                self.0.remove(&revoked.session_id);
            }
            SessionsEvent::SessionsRevoked(revoked) => self.0.retain(|session_id, _| Some(*session_id) == revoked.except),
        }
    }
}

impl Session {
    /// Whether a second factor was shown, be it one that was sent.
    pub fn showed_two_factors(&self) -> bool {
        self.factors.contains(&Factor::Multiple)
    }

    /// Whether a second factor was shown that opens what administrators may: nothing that was sent, since
    /// whoever reads the user's letters has that as well.
    pub fn showed_second_factor(&self) -> bool {
        self.showed_two_factors() && !self.factors.contains(&Factor::SentCode)
    }

    fn of(started: &SessionStarted) -> Self {
        Self {
            method: started.method,
            factors: started.factors.clone(),
            carrier: started.carrier,
            started_at: started.started_at,
            expires_at: started.expires_at,
            family: started.family,
            current: started.current,
            device: started.device,
        }
    }
}
