//! The entries of a batch as a sink gets them.
//!
//! Each carries two numbers: its place among all entries of the organization, and its place among the
//! records of this stream, which has no gap. A receiver who has 1 to n has missed nothing.

use super::ocsf;
use crate::{compliance::audit_trail::AuditEntry, engine::ReadError};
use palmares_domain::{compliance::siem_stream::SiemFormat, kernel::SiemStreamId};
use serde::Serialize;
use serde_json::{Value, json};

/// An entry with its number among the records of a stream.
#[derive(Serialize)]
pub struct Line<'a> {
    pub stream_id: SiemStreamId,
    /// From 1, without gaps; the same again where it is sent again.
    pub record: i64,
    #[serde(flatten)]
    pub entry: &'a AuditEntry,
}

/// The media type of a batch.
pub fn content_type(format: SiemFormat) -> &'static str {
    match format {
        SiemFormat::JsonLines | SiemFormat::Ocsf => "application/x-ndjson",
        SiemFormat::CloudEvents => "application/cloudevents-batch+json",
    }
}

/// The body of a batch whose first record has this number.
pub fn body(format: SiemFormat, stream: SiemStreamId, first: i64, entries: &[AuditEntry]) -> Result<Vec<u8>, ReadError> {
    let lines = (first..).zip(entries).map(|(record, entry)| Line { stream_id: stream, record, entry });
    let values: Result<Vec<Value>, serde_json::Error> = lines
        .map(|line| match format {
            SiemFormat::JsonLines => serde_json::to_value(&line),
            SiemFormat::CloudEvents => cloud_event(&line),
            SiemFormat::Ocsf => Ok(ocsf::event(&line)),
        })
        .collect();
    let values = values.map_err(|error| ReadError::Unavailable(error.into()))?;
    Ok(match format {
        SiemFormat::CloudEvents => Value::Array(values).to_string().into_bytes(),
        SiemFormat::JsonLines | SiemFormat::Ocsf => {
            values.iter().flat_map(|value| [value.to_string(), "\n".to_owned()]).collect::<String>().into_bytes()
        }
    })
}

/// CloudEvents 1.0.2, with the extension `sequence`.
fn cloud_event(line: &Line<'_>) -> serde_json::Result<Value> {
    let entry = line.entry;
    Ok(json!({
        "specversion": "1.0",
        "id": entry.event_id,
        "source": format!("urn:palmares:organization:{}", entry.organization_id),
        "type": entry.event_type,
        "subject": format!("{}/{}", entry.resource_type, entry.resource_id),
        "time": entry.timestamp,
        "datacontenttype": "application/json",
        // Ordered as texts, as the extension asks.
        "sequence": format!("{:020}", line.record),
        "data": serde_json::to_value(line)?,
    }))
}
