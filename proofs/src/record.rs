//! An event as packages have it: its leaf, with the bytes that it stands for.

use crate::entry::{BytesHash, Entry, Id, Instant};
use serde::{Deserialize, Serialize};

/// One line of a package.
///
/// Payload and metadata are the stored bytes. Where they are not shown, their hashes are, and the
/// leaf is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number of the leaf.
    pub index: u64,
    pub position: i64,
    pub recorded_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_at: Option<Instant>,
    #[serde(rename = "type")]
    pub event_type: String,
    pub schema_version: i16,
    pub event_id: Id,
    pub stream_type: String,
    pub stream_id: Id,
    pub version: i64,
    pub actor_id: Id,
    pub metadata: Content,
    pub payload: Content,
}

/// Bytes, or what proves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The bytes as text, which events are.
    Text(String),
    /// Bytes that are no text, in hexadecimal.
    Bytes(String),
    /// Not shown.
    Sha256(BytesHash),
}

impl Content {
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.to_owned()),
            Err(_) => Content::Bytes(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }

    pub fn hash(&self) -> Option<BytesHash> {
        match self {
            Content::Text(text) => Some(BytesHash::of(text.as_bytes())),
            Content::Sha256(hash) => Some(*hash),
            Content::Bytes(hex) => {
                let bytes: Option<Vec<u8>> =
                    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
                let bytes = bytes?;
                // What could be said as text, or in capitals, has another spelling.
                (Self::of(&bytes) == *self).then(|| BytesHash::of(&bytes))
            }
        }
    }
}

impl Record {
    /// The leaf that this line stands for, in the tree of this organization.
    pub fn entry(&self, organization_id: Id) -> Option<Entry> {
        Some(Entry {
            position: self.position,
            organization_id,
            stream_type: self.stream_type.clone(),
            stream_id: self.stream_id,
            version: self.version,
            event_id: self.event_id,
            event_type: self.event_type.clone(),
            schema_version: self.schema_version,
            actor_id: self.actor_id,
            recorded_at: self.recorded_at,
            effective_at: self.effective_at,
            metadata: self.metadata.hash()?,
            payload: self.payload.hash()?,
        })
    }
}
