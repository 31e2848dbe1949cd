//! An event as analysts see it: the shape of the log, with its schema.

use crate::engine::TenantReader;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_record::AccessRecord,
    kernel::{Aggregate, DataClass, EventId, OrganizationId},
    registry,
};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{FromRow, Row, postgres::PgRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// A recorded event. `metadata` and `payload` are the bytes that were acknowledged, as far as the
/// caller is cleared for what they say.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct HistoryEvent {
    /// Its place in the log; also the id to resume a stream from.
    pub position: i64,
    pub id: EventId,
    #[serde(rename = "type")]
    pub event_type: String,
    pub schema_version: i16,
    pub stream: EventStream,
    pub organization_id: OrganizationId,
    pub actor_id: Uuid,
    pub recorded_at: DateTime<Utc>,
    /// When it was true, where that is not when it was recorded.
    pub effective_at: Option<DateTime<Utc>>,
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
    /// The fields of the payload that are above the caller's clearance, and not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
}

impl HistoryEvent {
    /// Without what is above a clearance.
    pub(super) fn cleared(mut self, clearance: DataClass) -> Self {
        let event = u16::try_from(self.schema_version).ok().and_then(|version| registry::event_spec(&self.event_type, version));
        if let Some((payload, withheld)) = registry::data_map::cleared(event, &self.payload, clearance) {
            (self.payload, self.withheld) = (payload, withheld);
        }
        self
    }
}

/// Which version of which stream an event is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventStream {
    #[serde(rename = "type")]
    pub stream_type: String,
    pub id: Uuid,
    /// From 1.
    pub version: i64,
}

impl<'r> FromRow<'r, PgRow> for HistoryEvent {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        let json = |column: &str| -> Result<Box<RawValue>, sqlx::Error> {
            let decoded = serde_json::from_slice(row.try_get::<&[u8], _>(column)?);
            decoded.map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
        };
        Ok(Self {
            position: row.try_get("position")?,
            id: EventId(row.try_get("event_id")?),
            event_type: row.try_get("event_type")?,
            schema_version: row.try_get("schema_version")?,
            stream: EventStream {
                stream_type: row.try_get("stream_type")?,
                id: row.try_get("stream_id")?,
                version: row.try_get("version")?,
            },
            organization_id: OrganizationId(row.try_get("organization_id")?),
            actor_id: row.try_get("actor_id")?,
            recorded_at: row.try_get("recorded_at")?,
            effective_at: row.try_get("effective_at")?,
            metadata: json("metadata")?,
            payload: json("payload")?,
            withheld: Vec::new(),
        })
    }
}

/// The type of the streams that a reader is not shown; none for whoever may read the audit log.
pub(super) fn left_out(reader: &TenantReader<'_>) -> Option<&'static str> {
    (!reader.shows_accesses()).then_some(AccessRecord::TYPE)
}

/// A position in a query string, where numbers are text.
pub(super) fn position<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged, expecting = "a position")]
    enum NumberOrText {
        Number(i64),
        Text(String),
    }
    use serde::{Deserialize, de::Error};
    match Option::<NumberOrText>::deserialize(deserializer)? {
        None => Ok(None),
        Some(NumberOrText::Number(number)) => Ok(Some(number)),
        Some(NumberOrText::Text(text)) => text.parse().map(Some).map_err(|_| Error::custom("a position is a whole number")),
    }
}
