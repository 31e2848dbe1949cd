//! What the tests of folds share: events as a projector gets them.

use crate::engine::Delivered;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{
    challenges::activity_log::{ActivitiesRecorded, ActivityLogEvent, RecordedBatch},
    kernel::{Digest, Event, EventId, OrganizationId, Personal, RecordedEvent, StreamVersion, UserId, derive_uuid},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// When the event at `position` was recorded: a second apart, from midnight.
pub fn recorded_at(position: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(16_902) + TimeDelta::seconds(position)
}

/// An event of `stream` (type, id, version) at `position`.
pub fn recorded(organization: OrganizationId, stream: (&str, Uuid, i64), position: i64, event: &impl Event) -> Delivered {
    let payload = String::from_utf8(event.to_payload().unwrap()).unwrap();
    Delivered {
        event: Arc::new(RecordedEvent {
            position,
            id: EventId(derive_uuid("test-event", &[&position.to_be_bytes()])),
            event_type: event.event_type().to_owned(),
            schema_version: event.schema_version(),
            stream: StreamVersion { stream_type: stream.0.to_owned(), id: stream.1, version: stream.2 },
            organization_id: organization,
            actor_id: Uuid::nil(),
            recorded_at: recorded_at(position),
            effective_at: None,
            metadata: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
            payload: serde_json::value::RawValue::from_string(payload).unwrap(),
        }),
        opened: BTreeMap::new(),
    }
}

/// A batch of reports at `position`; without `reports` the person was erased.
pub fn activities_recorded(organization: OrganizationId, user: UserId, position: i64, reports: Option<RecordedBatch>) -> Delivered {
    let records = Personal::Opened(RecordedBatch::default(), Digest([0; 32]));
    let event: ActivityLogEvent = ActivitiesRecorded { user_id: user, records, accepted: 1, corrected: 0, retracted: 0 }.into();
    let mut delivered = recorded(organization, ("activity_log", user.0, position), position, &event);
    if let Some(reports) = reports {
        delivered.opened.insert("records".to_owned(), serde_json::to_vec(&reports).unwrap());
    }
    delivered
}
