//! An event as it stands in the log: the shape that messages, history and the API share.

use super::{EventId, OrganizationId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Which version of which stream an event is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamVersion {
    #[serde(rename = "type")]
    pub stream_type: String,
    pub id: Uuid,
    /// 1 for the first event of the stream.
    pub version: i64,
}

/// A recorded event. `payload` and `metadata` are the bytes that were acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// Contiguous over the whole log, in commit order, from 1.
    pub position: i64,
    pub id: EventId,
    #[serde(rename = "type")]
    pub event_type: String,
    pub schema_version: u16,
    pub stream: StreamVersion,
    pub organization_id: OrganizationId,
    pub actor_id: Uuid,
    pub recorded_at: DateTime<Utc>,
    pub effective_at: Option<DateTime<Utc>>,
    pub metadata: Box<RawValue>,
    pub payload: Box<RawValue>,
}
