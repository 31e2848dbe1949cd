//! What happens to a key.

use super::Quota;
use crate::{
    events,
    identity::Grant,
    kernel::{ApiKeyId, Digest},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a key.
    pub enum ApiKeyEvent {
        ApiKeyCreated = "identity.api_key_created" v 1 {
            key_id: ApiKeyId = internal,
            /// What the organization calls it: the name of a program, not of a person.
            name: String = internal,
            grants: Vec<Grant> = internal,
            quota: Quota = internal,
            /// The SHA-256 of 32 random bytes, from which nobody finds them again.
            secret: Digest = confidential,
            expires_at: Option<DateTime<Utc>> = internal,
        },
        ApiKeyRotated = "identity.api_key_rotated" v 1 {
            key_id: ApiKeyId = internal,
            secret: Digest = confidential,
            /// Until when the secret before it stays good; from now on it is not, where that is now.
            former_until: DateTime<Utc> = internal,
        },
        ApiKeyQuotaSet = "identity.api_key_quota_set" v 1 {
            key_id: ApiKeyId = internal,
            quota: Quota = internal,
        },
        ApiKeyRevoked = "identity.api_key_revoked" v 1 {
            key_id: ApiKeyId = internal,
        }
    }
}
