//! From the metadata of every event to the decision that it tells of.

use super::{PROJECTION, query::Outcome};
use crate::{
    compliance::audit_trail::{Metadata, REFUSAL},
    engine::{ApplyContext, ApplyError, Delivered, OnFailure, Projector},
};
use async_trait::async_trait;
use palmares_domain::kernel::RecordedEvent;
use uuid::Uuid;

pub(super) const INSERT: &str = "
    INSERT INTO {identity_decisions} (organization_id, position, recorded_at, actor_id, permission, outcome, request_id)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[], $7::uuid[])
    ON CONFLICT DO NOTHING";

/// The fold.
pub struct Decisions;

#[async_trait]
impl Projector for Decisions {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_decisions"]
    }

    /// Every event.
    fn interests(&self) -> &'static [&'static str] {
        &[]
    }

    /// A log of decisions with a hole is worse than a late one.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let traces: Vec<Trace<'_>> = batch.iter().filter_map(|delivered| Trace::of(&delivered.event)).collect();
        if traces.is_empty() {
            return Ok(());
        }
        let sql = context.slot.sql(INSERT);
        sqlx::query(&sql)
            .bind(traces.iter().map(|trace| trace.event.organization_id.0).collect::<Vec<_>>())
            .bind(traces.iter().map(|trace| trace.event.position).collect::<Vec<_>>())
            .bind(traces.iter().map(|trace| trace.event.recorded_at).collect::<Vec<_>>())
            .bind(traces.iter().map(|trace| trace.event.actor_id).collect::<Vec<_>>())
            .bind(traces.iter().map(|trace| trace.permission.as_str()).collect::<Vec<_>>())
            .bind(traces.iter().map(|trace| trace.outcome.name()).collect::<Vec<_>>())
            .bind(traces.iter().map(|trace| trace.request).collect::<Vec<_>>())
            .execute(&mut *context.tx)
            .await?;
        Ok(())
    }
}

/// What an event tells of the decision behind it.
struct Trace<'a> {
    event: &'a RecordedEvent,
    permission: String,
    outcome: Outcome,
    request: Uuid,
}

impl<'a> Trace<'a> {
    /// Nothing of events that nobody was asked about: imported ones, those of reactors, and what is
    /// done before anyone is known.
    fn of(event: &'a RecordedEvent) -> Option<Self> {
        let Metadata { permission, policies, request_id, .. } = Metadata::parse(event.metadata.get());
        let outcome = if event.event_type == REFUSAL { Outcome::Deny } else { Outcome::Permit };
        let decided = !policies.is_empty();
        decided.then_some(Self { event, permission: permission?, outcome, request: request_id? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        identity::user::{UserEvent, UserResumed},
        kernel::{OrganizationId, UserId},
    };
    use serde_json::{Value, json};

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const ALICE: UserId = UserId(Uuid::from_u128(2));

    fn trace(event_type: &str, metadata: &Value) -> Option<(String, Outcome)> {
        let resumed: UserEvent = UserResumed { user_id: ALICE }.into();
        let mut event = (*recorded(ACME, ("user", ALICE.0, 1), 1, &resumed).event).clone();
        event.event_type = event_type.to_owned();
        event.metadata = serde_json::value::to_raw_value(metadata).unwrap();
        Trace::of(&event).map(|trace| (trace.permission, trace.outcome))
    }

    #[test]
    fn an_event_tells_of_the_decision_that_let_it_happen() {
        let decided = json!({ "permission": "identity.user.resume", "policies": ["role.admin@1"], "request_id": Uuid::nil() });
        assert_eq!(trace("identity.user_resumed", &decided), Some(("identity.user.resume".to_owned(), Outcome::Permit)));
        assert_eq!(trace(REFUSAL, &decided), Some(("identity.user.resume".to_owned(), Outcome::Deny)));
    }

    #[test]
    fn where_nobody_was_asked_there_is_no_decision() {
        let undecided = json!({ "permission": "points.expire", "policies": [], "request_id": Uuid::nil() });
        for metadata in [undecided, json!({}), json!("imported"), json!({ "policies": ["p"] })] {
            assert_eq!(trace("identity.user_resumed", &metadata), None, "{metadata}");
        }
    }
}
