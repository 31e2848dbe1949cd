//! From the events of deletions to rows.

use super::{PROJECTION, query::PastCheck};
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::deletion_request::{Checked, DeletionEvent, DeletionSubmitted, ForcedGround},
    kernel::{Event, RecordedEvent},
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// A subject that is asked for anew begins anew, and what was before stands beside it.
pub(super) const INSERT: &str = "
    INSERT INTO {compliance_deletion_requests} AS before
        (organization_id, request_id, user_id, kind, requested_by, concerns, ground, incident, status, created_at, created_position,
         created_event_id, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $10)
    ON CONFLICT (organization_id, request_id) DO UPDATE
    SET kind = excluded.kind, requested_by = excluded.requested_by, concerns = excluded.concerns, ground = excluded.ground,
        incident = excluded.incident, status = excluded.status, created_at = excluded.created_at,
        created_position = excluded.created_position, created_event_id = excluded.created_event_id, changed_at = excluded.changed_at,
        approved_by = '{}', checks = '[]', refusal_ground = NULL, due_at = NULL, step = NULL, retained = '[]', backups_until = NULL,
        certificate = NULL,
        earlier = jsonb_build_array(jsonb_build_object(
            'kind', before.kind, 'requested_by', before.requested_by, 'ground', before.ground, 'incident', before.incident,
            'status', before.status, 'approved_by', before.approved_by, 'refusal_ground', before.refusal_ground,
            'created_at', before.created_at, 'changed_at', before.changed_at)) || before.earlier";

pub(super) const CHANGE: &str = "
    UPDATE {compliance_deletion_requests}
    SET status = coalesce($3, status), changed_at = $4, due_at = coalesce($5, due_at),
        approved_by = CASE WHEN $6::uuid IS NULL THEN approved_by ELSE array_append(approved_by, $6) END,
        checks = coalesce($7, checks), refusal_ground = coalesce($8, refusal_ground), step = coalesce($9, step),
        retained = coalesce($10, retained), backups_until = coalesce($11, backups_until), certificate = coalesce($12, certificate)
    WHERE organization_id = $1 AND request_id = $2";

/// The fold. Deletions are few, so each event is a statement of its own.
pub struct DeletionRequests;

#[async_trait]
impl Projector for DeletionRequests {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        3
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_deletion_requests"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = DeletionEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            match &happened {
                DeletionEvent::DeletionSubmitted(submitted) => insert(context, event, submitted).await?,
                _ => change(context, event, &happened).await?,
            }
        }
        Ok(())
    }
}

const INTERESTS: &[&str] = &[
    "compliance.deletion_submitted",
    "compliance.deletion_verified",
    "compliance.deletion_review_begun",
    "compliance.deletion_approved",
    "compliance.deletion_grace_begun",
    "compliance.deletion_refused",
    "compliance.deletion_cancelled",
    "compliance.deletion_held",
    "compliance.deletion_hold_lifted",
    "compliance.subject_soft_deleted",
    "compliance.subject_restored",
    "compliance.erasure_step_done",
    "compliance.subject_anonymised",
    "compliance.retention_countdown_begun",
    "compliance.retention_rescheduled",
    "compliance.erasure_certified",
    "compliance.deletion_purged",
];

async fn insert(context: &mut ApplyContext<'_>, event: &RecordedEvent, submitted: &DeletionSubmitted) -> Result<(), ApplyError> {
    let sql = context.slot.sql(INSERT);
    let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(submitted.request_id.0);
    let insert = insert.bind(submitted.subject.user().map(|user| user.0)).bind(submitted.kind.name()).bind(submitted.requested_by.0);
    let insert = insert.bind(submitted.concerns.0).bind(submitted.ground.map(ForcedGround::name)).bind(&submitted.incident);
    let insert = insert.bind("SUBMITTED").bind(event.recorded_at).bind(event.position).bind(event.id.0);
    insert.execute(&mut *context.tx).await?;
    Ok(())
}

/// What an event changes of a row.
#[derive(Default)]
struct Changed {
    approved_by: Option<Uuid>,
    checks: Option<Value>,
    refusal_ground: Option<&'static str>,
    step: Option<&'static str>,
    retained: Option<Value>,
    backups_until: Option<DateTime<Utc>>,
    certificate: Option<String>,
}

fn json(value: &impl Serialize) -> Result<Option<Value>, ApplyError> {
    serde_json::to_value(value).map(Some).map_err(|error| ApplyError::Invalid(error.to_string()))
}

impl Changed {
    fn by(event: &DeletionEvent, at: DateTime<Utc>) -> Result<Self, ApplyError> {
        let nothing = Self::default();
        Ok(match event {
            DeletionEvent::DeletionApproved(approved) => {
                let looked_at = |checked: &Checked| PastCheck { check: checked.check, outcome: checked.outcome, looked_at: Some(at) };
                let checks: Vec<_> = approved.checks.iter().map(looked_at).collect();
                Self { approved_by: Some(approved.approved_by.0), checks: json(&checks)?, ..nothing }
            }
            DeletionEvent::DeletionRefused(refused) => Self { refusal_ground: Some(refused.ground.name()), ..nothing },
            DeletionEvent::ErasureStepDone(done) => Self { step: Some(done.step.name()), ..nothing },
            DeletionEvent::SubjectAnonymised(anonymised) => Self { certificate: Some(anonymised.certificate.clone()), ..nothing },
            DeletionEvent::ErasureCertified(certified) => Self { certificate: Some(certified.certificate.clone()), ..nothing },
            DeletionEvent::RetentionCountdownBegun(begun) => {
                Self { retained: json(&begun.retained)?, backups_until: Some(begun.backups_until), ..nothing }
            }
            DeletionEvent::RetentionRescheduled(rescheduled) => {
                Self { retained: json(&rescheduled.retained)?, backups_until: Some(rescheduled.backups_until), ..nothing }
            }
            DeletionEvent::DeletionPurged(purged) => {
                Self { retained: Some(Value::Array(Vec::new())), certificate: Some(purged.certificate.clone()), ..nothing }
            }
            _ => nothing,
        })
    }
}

async fn change(context: &mut ApplyContext<'_>, event: &RecordedEvent, happened: &DeletionEvent) -> Result<(), ApplyError> {
    let changed = Changed::by(happened, event.recorded_at)?;
    let sql = context.slot.sql(CHANGE);
    let change = sqlx::query(&sql).bind(event.organization_id.0).bind(happened.request_id().0);
    let change = change.bind(happened.status().map(|status| status.name())).bind(event.recorded_at).bind(happened.due_at());
    let change = change.bind(changed.approved_by).bind(changed.checks).bind(changed.refusal_ground).bind(changed.step);
    let change = change.bind(changed.retained).bind(changed.backups_until).bind(changed.certificate);
    change.execute(&mut *context.tx).await?;
    Ok(())
}
