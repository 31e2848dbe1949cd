//! What is seen of a user's sign-ins.

use super::{Consequence, Suspicion};
use crate::{
    events,
    kernel::{Digest, LetterId, Personal, SessionId, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What is seen of a user's sign-ins.
    pub enum SignInWatchEvent {
        /// A session began, or went on from elsewhere or by another program.
        SessionSeen = "identity.session_seen" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
            network: Digest = restricted,
            agent: Digest = restricted,
            /// What the device is known by.
            device: Digest = restricted,
            seen_at: DateTime<Utc> = internal,
        },
        /// Somebody signed in from a network or on a device that this user had not signed in from.
        NewPlaceSeen = "identity.new_place_seen" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
            address: Personal<String> = confidential of user_id for Security,
            device_name: Option<Personal<String>> = confidential of user_id for Security,
            seen_at: DateTime<Utc> = internal,
        },
        SignInFailed = "identity.sign_in_failed" v 1 {
            user_id: UserId = internal,
            network: Digest = restricted,
            failed_at: DateTime<Utc> = internal,
        },
        SuspiciousSignInDetected = "identity.suspicious_sign_in_detected" v 1 {
            user_id: UserId = internal,
            session_id: SessionId = internal,
            reasons: Vec<Suspicion> = internal,
            consequence: Consequence = internal,
            address: Personal<String> = confidential of user_id for Security,
            device_name: Option<Personal<String>> = confidential of user_id for Security,
            detected_at: DateTime<Utc> = internal,
        },
        /// The user says that it was not them: every session ended.
        SignInDisowned = "identity.sign_in_disowned" v 1 {
            user_id: UserId = internal,
            letter_id: LetterId = internal,
        }
    }
}
