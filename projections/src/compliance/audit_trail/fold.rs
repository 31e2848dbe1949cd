//! From every event to its entry.

use super::{AuditName, PROJECTION, texts};
use crate::engine::{ApplyContext, ApplyError, Delivered, OnFailure, Projector};
use async_trait::async_trait;
use palmares_domain::{
    compliance::access_record::AccessRecordEvent,
    kernel::{Event, RecordedEvent},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_audit_log}
        (organization_id, position, recorded_at, event_type, action, outcome, actor_id, on_behalf_of, stream_type, stream_id,
         correlation_id, causation_id, request_id, client_context_id, elevation_id, event_id, audit_name, session_id, subject_id,
         text_id, number)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
        $9::text[], $10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[], $16::uuid[], $17::text[],
        $18::uuid[], $19::uuid[], $20::uuid[], $21::bigint[])";

pub(super) const INSERT_TEXTS: &str = "
    INSERT INTO {compliance_audit_texts} (organization_id, text_id, text)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[]) ON CONFLICT DO NOTHING";

/// How many entries organizations have so far.
pub(super) const COUNTED: &str = "
    SELECT organization_id, COALESCE((SELECT max(l.number) FROM {compliance_audit_log} l
        WHERE l.organization_id = o.organization_id), 0)
    FROM unnest($1::uuid[]) o(organization_id)";

/// The type of the events that tell of refusals.
pub(crate) const REFUSAL: &str = "compliance.access_refused";

/// The type of the events that tell who read what.
pub(crate) const READ: &str = "compliance.sensitive_data_read";

/// The type of the events that tell who took history out.
pub(crate) const EXPORT: &str = "compliance.data_exported";

/// The fold.
pub struct AuditLog;

#[async_trait]
impl Projector for AuditLog {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        4
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_audit_log", "compliance_audit_texts"]
    }

    /// Every event.
    fn interests(&self) -> &'static [&'static str] {
        &[]
    }

    /// A trail with a hole is worse than a late one.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let entries: Vec<Entry<'_>> = batch.iter().map(|delivered| Entry::of(&delivered.event)).collect();
        insert_texts(context, &entries).await?;
        let numbers = numbers(context, &entries).await?;
        let sql = context.slot.sql(INSERT);
        sqlx::query(&sql)
            .bind(entries.iter().map(|entry| entry.event.organization_id.0).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.position).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.recorded_at).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.event_type.as_str()).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.permission.as_deref()).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.outcome).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.actor_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.on_behalf_of).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.stream.stream_type.as_str()).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.stream.id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.correlation_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.causation_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.request_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.client_context_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.elevation_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.event.id.0).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.name.map(AuditName::name)).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.metadata.session_id).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.subject).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.text_id).collect::<Vec<_>>())
            .bind(numbers)
            .execute(&mut *context.tx)
            .await?;
        Ok(())
    }
}

/// Adds the texts that are new.
async fn insert_texts(context: &mut ApplyContext<'_>, entries: &[Entry<'_>]) -> Result<(), ApplyError> {
    let texts: BTreeMap<(Uuid, Uuid), &str> =
        entries.iter().map(|entry| ((entry.event.organization_id.0, entry.text_id), entry.text.as_str())).collect();
    let sql = context.slot.sql(INSERT_TEXTS);
    let (organizations, ids): (Vec<_>, Vec<_>) = texts.keys().copied().unzip();
    let query = sqlx::query(&sql).bind(organizations).bind(ids).bind(texts.into_values().collect::<Vec<_>>());
    query.execute(&mut *context.tx).await?;
    Ok(())
}

/// The number of each entry among those of its organization: whoever has one to the last has them all.
async fn numbers(context: &mut ApplyContext<'_>, entries: &[Entry<'_>]) -> Result<Vec<i64>, ApplyError> {
    let organizations: BTreeSet<Uuid> = entries.iter().map(|entry| entry.event.organization_id.0).collect();
    let sql = context.slot.sql(COUNTED);
    let counted = sqlx::query_as(&sql).bind(organizations.into_iter().collect::<Vec<_>>());
    let counted: Vec<(Uuid, i64)> = counted.fetch_all(&mut *context.tx).await?;
    let mut counted: BTreeMap<Uuid, i64> = counted.into_iter().collect();
    let next = |entry: &Entry<'_>| {
        let count = counted.entry(entry.event.organization_id.0).or_default();
        *count += 1;
        *count
    };
    Ok(entries.iter().map(next).collect())
}

/// The part of an event's metadata that is searched or shown. Nothing of it is required: an
/// imported event has another kind of metadata and belongs in the trail as well.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    #[serde(default)]
    pub roles: Vec<String>,
    pub permission: Option<String>,
    #[serde(default)]
    pub policies: Vec<String>,
    pub session_id: Option<Uuid>,
    pub on_behalf_of: Option<Uuid>,
    pub elevation_id: Option<Uuid>,
    pub correlation_id: Option<Uuid>,
    pub causation_id: Option<Uuid>,
    pub request_id: Option<Uuid>,
    pub command_id: Option<Uuid>,
    pub client_context_id: Option<Uuid>,
}

impl Metadata {
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// The stable reason of a refusal, which stands before the policies.
    pub fn reason(&self) -> Option<&str> {
        self.policies.first().map(String::as_str)
    }
}

struct Entry<'a> {
    event: &'a RecordedEvent,
    metadata: Metadata,
    outcome: &'static str,
    name: Option<AuditName>,
    /// Whose data was read, or at whom a refused request was aimed, where it was one person.
    subject: Option<Uuid>,
    text: String,
    text_id: Uuid,
}

/// Whose data was read, or at whom a refused request was aimed, where it was one person.
fn subject_of(event: &RecordedEvent) -> Option<Uuid> {
    let record = AccessRecordEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes());
    let subject = match record {
        Ok(AccessRecordEvent::SensitiveDataRead(read)) => read.subject_id,
        Ok(AccessRecordEvent::AccessRefused(refused)) => refused.subject_id,
        _ => None,
    };
    subject.map(|subject| subject.0)
}

impl<'a> Entry<'a> {
    fn of(event: &'a RecordedEvent) -> Self {
        let outcome = if event.event_type == REFUSAL { "refused" } else { "recorded" };
        let metadata = Metadata::parse(event.metadata.get());
        let name = AuditName::of(event, &metadata);
        let subject = if [READ, REFUSAL].contains(&event.event_type.as_str()) { subject_of(event) } else { None };
        let text = texts::text_of(event, &metadata, name);
        let text_id = texts::text_id(&text);
        Self { event, metadata, outcome, name, subject, text, text_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        compliance::access_record::{AccessRefused, HttpMethod},
        identity::user::{UserEvent, UserResumed},
        kernel::{Code, OrganizationId, UserId},
    };

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const ALICE: UserId = UserId(Uuid::from_u128(2));

    #[test]
    fn a_refusal_of_the_gate_is_one() {
        let refused: AccessRecordEvent = AccessRefused {
            user_id: ALICE,
            code: Code::AccessDenied,
            method: HttpMethod::Post,
            route: "/api/v1/users".into(),
            status: 403,
            request_id: Uuid::nil(),
            subject_id: None,
            target_ids: None,
            role: None,
            attempted_id: None,
        }
        .into();
        let resumed: UserEvent = UserResumed { user_id: ALICE }.into();
        assert_eq!(Entry::of(&recorded(ACME, ("access_record", ALICE.0, 1), 1, &refused).event).outcome, "refused");
        assert_eq!(Entry::of(&recorded(ACME, ("user", ALICE.0, 2), 2, &resumed).event).outcome, "recorded");
    }

    #[test]
    fn metadata_of_any_other_form_is_no_reason_to_stop() {
        let id = Uuid::from_u128(7);
        let metadata = Metadata::parse(&format!(r#"{{"permission":"points.hold.place","correlation_id":"{id}","policies":["p"]}}"#));
        assert_eq!((metadata.permission.as_deref(), metadata.correlation_id), (Some("points.hold.place"), Some(id)));
        assert_eq!(metadata.policies, ["p"]);
        for json in ["{}", "[]", "null", r#"{"correlation_id":7}"#] {
            assert_eq!(Metadata::parse(json).permission, None, "{json}");
        }
    }
}
