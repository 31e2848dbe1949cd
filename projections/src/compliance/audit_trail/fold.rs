//! From every event to its entry.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, OnFailure, Projector};
use async_trait::async_trait;
use palmares_domain::kernel::RecordedEvent;
use serde::Deserialize;
use uuid::Uuid;

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_audit_log}
        (organization_id, position, recorded_at, event_type, action, outcome, actor_id, on_behalf_of, stream_type, stream_id,
         correlation_id, causation_id, request_id, client_context_id, elevation_id)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
        $9::text[], $10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[])";

/// The type of the events that tell of refusals.
pub(crate) const REFUSAL: &str = "compliance.access_refused";

/// The fold.
pub struct AuditLog;

#[async_trait]
impl Projector for AuditLog {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_audit_log"]
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
            .execute(&mut *context.tx)
            .await?;
        Ok(())
    }
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
    pub client_context_id: Option<Uuid>,
}

impl Metadata {
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

struct Entry<'a> {
    event: &'a RecordedEvent,
    metadata: Metadata,
    outcome: &'static str,
}

impl<'a> Entry<'a> {
    fn of(event: &'a RecordedEvent) -> Self {
        let outcome = if event.event_type == REFUSAL { "refused" } else { "recorded" };
        Self { event, metadata: Metadata::parse(event.metadata.get()), outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        compliance::access_record::{AccessRecordEvent, AccessRefused, HttpMethod},
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
