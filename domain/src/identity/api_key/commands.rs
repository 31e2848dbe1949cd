//! What may be asked of a key.

use super::Quota;
use crate::{
    identity::Grant,
    kernel::{ApiKeyId, Digest},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub enum ApiKeyCommand {
    Create(CreateApiKey),
    Rotate(RotateApiKey),
    /// Ends the key at once and for good.
    Revoke,
    SetQuota(Quota),
}

/// Makes a key. Whoever asks keeps the secret; the log keeps its digest.
#[derive(Clone, Debug)]
pub struct CreateApiKey {
    pub key_id: ApiKeyId,
    pub name: String,
    pub grants: BTreeSet<Grant>,
    pub quota: Quota,
    pub secret: Digest,
    /// Without it, the key is good until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Gives a key another secret.
#[derive(Clone, Debug)]
pub struct RotateApiKey {
    pub secret: Digest,
    /// How long the present secret stays good beside the new one.
    pub overlap: TimeDelta,
}
