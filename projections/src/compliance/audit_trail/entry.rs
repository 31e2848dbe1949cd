//! One entry, with what has to be opened and folded for it.

use super::{
    AuditName,
    aimed::aimed_at,
    differences::{Detail, Difference},
    fold::{Metadata, READ, REFUSAL},
    origins::{self, Origin},
    states,
};
use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{DataClass, EventId, OrganizationId},
    registry,
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// Fields of a state, by name; a field within an object by its path, such as `lots.3.remaining`.
pub type StateFields = BTreeMap<String, Value>;

/// One entry of the audit log: the fields of document 004, section 9.3, under its names, and what else
/// is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    pub event_id: EventId,
    /// Its place in the log.
    pub position: i64,
    /// Its place among the entries of the organization, from 1 and without gaps.
    pub number: i64,
    pub timestamp: DateTime<Utc>,
    pub organization_id: OrganizationId,
    /// What document 004 calls it, where it has a name for it.
    pub audit_name: Option<AuditName>,
    pub event_type: String,
    /// Who.
    pub actor_id: Uuid,
    /// The roles that the actor had then.
    pub actor_role: Vec<String>,
    /// The user as whom the actor acted, where that was another one.
    pub on_behalf_of: Option<Uuid>,
    /// The elevation that the actor used.
    pub elevation_id: Option<Uuid>,
    /// The session in which the actor was signed in.
    pub session_id: Option<Uuid>,
    /// The permission under which it was done.
    pub action: Option<String>,
    /// What decided: each policy with the version of its set, such as `self.member@1f3c9a20d4e1`. A
    /// refusal names the rule of the gate first, such as `gate.tenant_mismatch`. Empty where nobody asked.
    pub policies: Vec<String>,
    /// `recorded` or `refused`.
    pub outcome: String,
    /// What was acted on; of a read of one person's data that person, of a refused request what its path named last,
    /// with the type of the streams in which that is kept.
    pub resource_type: String,
    pub resource_id: Uuid,
    /// The version that the event made of it; none of what was only read.
    pub resource_version: Option<i64>,
    /// From where; missing for the system's own acts, and once the person was erased.
    pub ip_address: Option<String>,
    pub device_metadata: Option<DeviceMetadata>,
    /// The fields that the event changed, as they were; missing where no state is shown. Personal
    /// fields are digests. A long list shows under `name[]` what went, and here and below what is large
    /// only its size (`left_out_bytes`), unless `states` is asked for.
    #[schema(value_type = Option<Object>)]
    pub before_state: Option<StateFields>,
    /// The same fields, as they became; of a long list what came.
    #[schema(value_type = Option<Object>)]
    pub after_state: Option<StateFields>,
    pub request_id: Option<Uuid>,
    pub correlation_id: Option<Uuid>,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
    /// What the event says; personal fields are digests.
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
    /// What is above the caller's clearance and was left out: fields of the payload, and those of where
    /// from and of what changed as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// What is there and cannot be read, because somebody wrote to the database past the application; what was
    /// erased is missing without a word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// The fields that say from where.
const FROM: [&str; 2] = ["ip_address", "device_metadata"];

/// A difference has no class of its own, so it takes the highest that a state may hold.
const STATES: DataClass = DataClass::Restricted;

impl AuditEntry {
    /// Without what is above a clearance. Where somebody was is confidential; states were not even folded
    /// for whoever may not see them, so `has_states` says whether there would be any.
    fn cleared(mut self, clearance: DataClass, schema_version: i16, has_states: bool) -> Self {
        let event = u16::try_from(schema_version).ok().and_then(|version| registry::event_spec(&self.event_type, version));
        if let Some((payload, withheld)) = registry::data_map::cleared(event, &self.payload, clearance) {
            (self.payload, self.withheld) = (payload, withheld);
        }
        let mut withhold = |name: &str, shown: bool| {
            if shown {
                self.withheld.push(name.to_owned());
            }
        };
        if clearance < DataClass::Confidential {
            let unreadable = !std::mem::take(&mut self.unreadable).is_empty();
            withhold(FROM[0], self.ip_address.take().is_some() || unreadable);
            withhold(FROM[1], self.device_metadata.take().is_some() || unreadable);
        }
        if clearance < STATES {
            (self.before_state, self.after_state) = (None, None);
            withhold("before_state", has_states);
            withhold("after_state", has_states);
        }
        self
    }
}

/// By which device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceMetadata {
    pub user_agent: Option<String>,
}

/// An entry as the tables hold it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub position: i64,
    pub number: i64,
    pub recorded_at: DateTime<Utc>,
    pub event_type: String,
    pub action: Option<String>,
    pub outcome: String,
    pub actor_id: Uuid,
    pub on_behalf_of: Option<Uuid>,
    pub elevation_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub subject_id: Option<Uuid>,
    pub stream_type: String,
    pub stream_id: Uuid,
    pub correlation_id: Option<Uuid>,
    pub causation_id: Option<Uuid>,
    pub request_id: Option<Uuid>,
    pub client_context_id: Option<Uuid>,
    pub event_id: Uuid,
    pub stream_key: i64,
    pub version: i64,
    pub metadata: Vec<u8>,
    pub schema_version: i16,
    pub payload: Vec<u8>,
}

/// The columns of a row, of `p`, a part of the audit log, and of its event `e`.
macro_rules! columns {
    () => {
        "p.position, COALESCE(p.number, 0) AS number, p.recorded_at, p.event_type, p.action, p.outcome, p.actor_id, p.on_behalf_of, p.elevation_id,
           p.session_id, p.subject_id, p.stream_type, p.stream_id, p.correlation_id, p.causation_id, p.request_id,
           p.client_context_id, e.event_id, e.stream_key, e.version, e.metadata,
           e.schema_version, e.payload"
    };
}
pub(crate) use columns;

/// The rows with what has to be opened and folded for them.
pub(crate) async fn entries(reader: &mut TenantReader<'_>, rows: Vec<Row>) -> Result<Vec<AuditEntry>, ReadError> {
    detailed(reader, rows, Detail::Bounded).await
}

/// The same, with as much of what changed as is asked for.
pub(super) async fn detailed(reader: &mut TenantReader<'_>, rows: Vec<Row>, detail: Detail) -> Result<Vec<AuditEntry>, ReadError> {
    let contexts: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.client_context_id).collect();
    let origins = origins::open(reader, &contexts.into_iter().collect::<Vec<_>>()).await?;
    let (organization, clearance) = (reader.organization(), reader.clearance());
    let mut wanted: BTreeMap<states::StreamKey, states::Wanted> = BTreeMap::new();
    // Nothing is folded for whom it would be withheld from.
    for row in rows.iter().filter(|_| clearance >= STATES) {
        let of_stream = wanted.entry((row.stream_type.clone(), row.stream_id)).or_default();
        of_stream.key = row.stream_key;
        of_stream.versions.insert(row.version);
    }
    let mut changes = states::differences_of(reader, wanted, detail).await?;
    rows.into_iter()
        .map(|row| {
            let client = row.client_context_id.and_then(|id| origins.get(&id)).cloned();
            let changes = changes.remove(&((row.stream_type.clone(), row.stream_id), row.version));
            let (schema_version, has_states) = (row.schema_version, states::shown(&row.stream_type).is_some());
            let unreadable = row.client_context_id.is_some_and(|id| !reader.unreadable(id).is_empty());
            let mut entry = row.entry(organization, client, changes)?;
            entry.unreadable = FROM.iter().filter(|_| unreadable).map(|field| (*field).to_owned()).collect();
            Ok(entry.cleared(clearance, schema_version, has_states))
        })
        .collect()
}

impl Row {
    fn entry(
        self,
        organization: OrganizationId,
        client: Option<Origin>,
        changes: Option<BTreeMap<String, Difference>>,
    ) -> Result<AuditEntry, ReadError> {
        let metadata = Metadata::parse(&String::from_utf8_lossy(&self.metadata));
        let payload = serde_json::from_slice(&self.payload).map_err(|error| ReadError::Unavailable(error.into()))?;
        let (before_state, after_state) = changes.map(sides).unzip();
        let aimed_at = if self.event_type == REFUSAL { aimed_at(&self.payload) } else { None };
        let person = || Some(("user".to_owned(), self.subject_id.filter(|_| self.event_type == READ || self.event_type == REFUSAL)?));
        let (resource_type, resource_id, resource_version) = match aimed_at.or_else(person) {
            Some((resource_type, id)) => (resource_type, id, None),
            None => (self.stream_type, self.stream_id, Some(self.version)),
        };
        Ok(AuditEntry {
            event_id: EventId(self.event_id),
            position: self.position,
            number: self.number,
            timestamp: self.recorded_at,
            organization_id: organization,
            audit_name: AuditName::of_type(&self.event_type, &metadata),
            event_type: self.event_type,
            actor_id: self.actor_id,
            actor_role: metadata.roles,
            on_behalf_of: self.on_behalf_of,
            elevation_id: self.elevation_id,
            session_id: self.session_id,
            action: self.action,
            policies: metadata.policies,
            outcome: self.outcome,
            resource_type,
            resource_id,
            resource_version,
            ip_address: client.as_ref().map(|origin| origin.ip.clone()),
            device_metadata: client.map(|origin| DeviceMetadata { user_agent: origin.user_agent }),
            before_state,
            after_state,
            request_id: self.request_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            payload,
            withheld: Vec::new(),
            unreadable: Vec::new(),
        })
    }
}

/// What was, and what became of it.
fn sides(changes: BTreeMap<String, Difference>) -> (StateFields, StateFields) {
    changes.into_iter().map(|(name, Difference { before, after })| ((name.clone(), before), (name, after))).unzip()
}

#[cfg(test)]
pub(in crate::compliance) mod testing {
    use super::*;

    /// An entry about a user, as a clearance shows it.
    pub(in crate::compliance) fn entry(number: i64, clearance: DataClass) -> AuditEntry {
        let id = Uuid::from_u128(7);
        let row = Row {
            position: number * 10,
            number,
            recorded_at: DateTime::UNIX_EPOCH,
            event_type: "identity.user_suspended".to_owned(),
            action: Some("identity.user.suspend".to_owned()),
            outcome: "recorded".to_owned(),
            actor_id: id,
            on_behalf_of: None,
            elevation_id: Some(Uuid::from_u128(9)),
            session_id: None,
            subject_id: None,
            stream_type: "user".to_owned(),
            stream_id: id,
            correlation_id: None,
            causation_id: None,
            request_id: Some(Uuid::from_u128(8)),
            client_context_id: None,
            event_id: Uuid::from_u128(10),
            stream_key: 1,
            version: 2,
            metadata: b"{}".to_vec(),
            schema_version: 1,
            payload: b"{}".to_vec(),
        };
        let has_states = states::shown(&row.stream_type).is_some();
        row.entry(OrganizationId(id), None, None).unwrap().cleared(clearance, 1, has_states)
    }
}
