//! What happens to a user's sessions.

use super::{Carrier, Factor, RevocationReason, SignInMethod};
use crate::{
    events,
    kernel::{Digest, Personal, SessionId, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a user's sessions. Address and user agent stand in the client context.
    pub enum SessionsEvent {
        SessionStarted = "identity.session_started" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
            method: SignInMethod = internal,
            factors: Vec<Factor> = internal,
            carrier: Carrier = internal,
            /// Of the secret that stays the same.
            family: Digest = restricted,
            /// Of the secret that changes with each refresh.
            current: Digest = restricted,
            /// Of the client's own id of the device.
            device: Option<Digest> = restricted,
            device_name: Option<Personal<String>> = confidential of user_id for Security,
            started_at: DateTime<Utc> = internal,
            expires_at: DateTime<Utc> = internal,
        },
        RefreshRotated = "identity.refresh_rotated" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
            next: Digest = restricted,
            rotated_at: DateTime<Utc> = internal,
        },
        /// A genuine token came a second time, or from another device. It ends the session.
        RefreshReuseDetected = "identity.refresh_reuse_detected" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
        },
        SessionRevoked = "identity.session_revoked" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
            reason: RevocationReason = internal,
        },
        /// Ends every session, one perhaps excepted.
        SessionsRevoked = "identity.sessions_revoked" v 1 {
            user_id: UserId = internal,
            except: Option<SessionId> = internal,
            reason: RevocationReason = internal,
        }
    }
}
