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

/// About as many bytes make a batch; one entry is sent whatever its size.
const BATCH_BYTES: usize = 1024 * 1024;

/// The body of a batch whose first record has this number, and how many of the entries are in it: the first
/// ones, up to about a mebibyte.
pub fn body(format: SiemFormat, stream: SiemStreamId, first: i64, entries: &[AuditEntry]) -> Result<(Vec<u8>, usize), ReadError> {
    bounded(format, stream, first, entries, BATCH_BYTES)
}

fn bounded(
    format: SiemFormat,
    stream: SiemStreamId,
    first: i64,
    entries: &[AuditEntry],
    bytes_max: usize,
) -> Result<(Vec<u8>, usize), ReadError> {
    let (opens, between, ends) = match format {
        SiemFormat::CloudEvents => ("[", ",", "]"),
        SiemFormat::JsonLines | SiemFormat::Ocsf => ("", "\n", "\n"),
    };
    let mut body = opens.to_owned();
    let mut taken = 0;
    for (record, entry) in (first..).zip(entries) {
        let line = Line { stream_id: stream, record, entry };
        let value = match format {
            SiemFormat::JsonLines => serde_json::to_value(&line),
            SiemFormat::CloudEvents => cloud_event(&line),
            SiemFormat::Ocsf => Ok(ocsf::event(&line)),
        };
        let text = value.map_err(|error| ReadError::Unavailable(error.into()))?.to_string();
        if taken > 0 && body.len() + text.len() > bytes_max {
            break;
        }
        if taken > 0 {
            body.push_str(between);
        }
        body.push_str(&text);
        taken += 1;
    }
    body.push_str(ends);
    Ok((body.into_bytes(), taken))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::audit_trail::testing::entry;
    use palmares_domain::kernel::DataClass;
    use uuid::Uuid;

    const STREAM: SiemStreamId = SiemStreamId(Uuid::from_u128(1));

    #[test]
    fn a_batch_is_cut_where_it_becomes_too_large_and_has_one_entry_at_least() {
        let entries: Vec<_> = (1..=5).map(|number| entry(number, DataClass::Restricted)).collect();
        for format in SiemFormat::ALL {
            let (whole, all) = body(format, STREAM, 1, &entries).unwrap();
            assert_eq!(all, 5);
            for (bytes_max, expected) in [(0, 1), (whole.len() / 2, 2), (whole.len() * 9 / 10, 4), (whole.len(), 5)] {
                let (cut, taken) = bounded(format, STREAM, 1, &entries, bytes_max).unwrap();
                assert_eq!(taken, expected, "{format:?} in {bytes_max} of {}", whole.len());
                let text = String::from_utf8(cut).unwrap();
                let records: Vec<Value> = match format {
                    SiemFormat::CloudEvents => serde_json::from_str(&text).unwrap(),
                    _ => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
                };
                assert_eq!(records.len(), expected);
            }
        }
    }

    #[test]
    fn each_format_says_what_was_withheld_and_by_which_elevation() {
        let entries = [entry(1, DataClass::Confidential)];
        for (format, at) in [(SiemFormat::JsonLines, ""), (SiemFormat::CloudEvents, "/data"), (SiemFormat::Ocsf, "/unmapped")] {
            let (bytes, _) = body(format, STREAM, 1, &entries).unwrap();
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            let value = if value.is_array() { value[0].clone() } else { value };
            let of = |name: &str| value.pointer(&format!("{at}/{name}")).cloned().unwrap_or_default();
            assert_eq!(of("elevation_id"), json!(Uuid::from_u128(9)), "{format:?}");
            assert_eq!(of("withheld"), json!(["before_state", "after_state"]), "{format:?}");
        }
    }
}
