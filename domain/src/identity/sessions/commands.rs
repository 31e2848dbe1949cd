//! What may be asked of a user's sessions.

use super::{Carrier, Factor, RevocationReason, SignInMethod};
use crate::kernel::{Digest, SessionId, UserId};
use chrono::{DateTime, Utc};
use std::{collections::BTreeSet, fmt};

/// Something asked of the sessions of `user_id`, who may never have signed in.
#[derive(Clone, Debug)]
pub struct SessionsCommand {
    pub user_id: UserId,
    pub action: SessionsAction,
}

#[derive(Clone, Debug)]
pub enum SessionsAction {
    Start(StartSession),
    Rotate(RotateRefresh),
    Revoke { session_id: SessionId, reason: RevocationReason },
    RevokeAll { except: Option<SessionId>, reason: RevocationReason },
}

/// Starts a session. Of the secrets that the client keeps, these are the digests.
#[derive(Clone)]
pub struct StartSession {
    pub session_id: SessionId,
    pub method: SignInMethod,
    pub factors: BTreeSet<Factor>,
    pub carrier: Carrier,
    /// Of the secret that stays the same as long as the session lives.
    pub family: Digest,
    /// Of the secret that changes with each refresh.
    pub current: Digest,
    /// Of the id that the client gave its device: what is then asked of every refresh.
    pub device: Option<Digest>,
    /// What the device is called, for the user to know it by.
    pub device_name: Option<String>,
    pub expires_at: DateTime<Utc>,
}

/// Uses a refresh token, and puts another one in its place.
#[derive(Clone, Debug)]
pub struct RotateRefresh {
    pub session_id: SessionId,
    pub family: Digest,
    /// Of the changing secret that was presented.
    pub presented: Digest,
    /// Of the one that comes next.
    pub next: Digest,
    pub device: Option<Digest>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for StartSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartSession").field("session_id", &self.session_id).field("method", &self.method).finish_non_exhaustive()
    }
}
