//! From the events of subject requests to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    compliance::subject_request::{SubjectRequestEvent, SubjectRequestStatus},
    kernel::Event,
};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_subject_requests}
        (organization_id, request_id, user_id, kind, status, received_at, due_at, received_position, received_event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// What an event does not say stays as it is.
pub(super) const CHANGE: &str = "
    UPDATE {compliance_subject_requests} SET
        status = coalesce($3, status), due_at = coalesce($4, due_at), taken_by = coalesce($5, taken_by),
        decided_by = coalesce($6, decided_by), ground = coalesce($7, ground), deletion_request_id = coalesce($8, deletion_request_id),
        extended = extended OR $9, extended_position = CASE WHEN $9 THEN $11 ELSE extended_position END,
        extended_event_id = CASE WHEN $9 THEN $12 ELSE extended_event_id END,
        decided_at = CASE WHEN $10 THEN $13 ELSE decided_at END, decided_position = CASE WHEN $10 THEN $11 ELSE decided_position END,
        decided_event_id = CASE WHEN $10 THEN $12 ELSE decided_event_id END, export_id = coalesce($14, export_id)
    WHERE organization_id = $1 AND request_id = $2";

/// The fold. Requests are few, so each event is a statement of its own.
pub struct SubjectRequests;

#[async_trait]
impl Projector for SubjectRequests {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_subject_requests"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.subject_request_received",
            "compliance.subject_request_taken",
            "compliance.subject_request_extended",
            "compliance.subject_request_fulfilled",
            "compliance.subject_request_refused",
            "compliance.subject_request_withdrawn",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = SubjectRequestEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let (organization, request) = (event.organization_id.0, happened.request_id().0);
            if let SubjectRequestEvent::SubjectRequestReceived(received) = &happened {
                let sql = context.slot.sql(INSERT);
                let insert = sqlx::query(&sql).bind(organization).bind(request).bind(received.user_id.0).bind(received.kind.name());
                let insert = insert.bind(SubjectRequestStatus::Received.name()).bind(received.received_at).bind(received.due_at);
                insert.bind(event.position).bind(event.id.0).execute(&mut *context.tx).await?;
                continue;
            }
            let change = Change::of(&happened);
            let sql = context.slot.sql(CHANGE);
            let update = sqlx::query(&sql).bind(organization).bind(request).bind(happened.status().map(SubjectRequestStatus::name));
            let update = update.bind(happened.due_at()).bind(change.taken_by).bind(change.decided_by).bind(change.ground);
            let update = update.bind(change.deletion).bind(change.extends).bind(change.decides);
            let update = update.bind(event.position).bind(event.id.0).bind(event.recorded_at).bind(change.export);
            update.execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}

/// What an event changes beside status and due date.
#[derive(Default)]
struct Change {
    taken_by: Option<uuid::Uuid>,
    decided_by: Option<uuid::Uuid>,
    ground: Option<&'static str>,
    deletion: Option<uuid::Uuid>,
    export: Option<uuid::Uuid>,
    extends: bool,
    decides: bool,
}

impl Change {
    fn of(event: &SubjectRequestEvent) -> Self {
        match event {
            SubjectRequestEvent::SubjectRequestTaken(taken) => Self { taken_by: Some(taken.taken_by.0), ..Self::default() },
            SubjectRequestEvent::SubjectRequestExtended(_) => Self { extends: true, ..Self::default() },
            SubjectRequestEvent::SubjectRequestFulfilled(fulfilled) => {
                let decided_by = Some(fulfilled.fulfilled_by.0);
                let (deletion, export) = (fulfilled.deletion_request_id, fulfilled.export_id.map(|export| export.0));
                Self { decided_by, deletion, export, decides: true, ..Self::default() }
            }
            SubjectRequestEvent::SubjectRequestRefused(refused) => {
                let (decided_by, ground) = (Some(refused.refused_by.0), Some(refused.ground.name()));
                Self { decided_by, ground, decides: true, ..Self::default() }
            }
            SubjectRequestEvent::SubjectRequestWithdrawn(_) => Self { decides: true, ..Self::default() },
            SubjectRequestEvent::SubjectRequestReceived(_) | SubjectRequestEvent::SubjectRequestOverdue(_) => Self::default(),
        }
    }
}
