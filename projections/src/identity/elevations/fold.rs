//! From the events of elevations to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    identity::elevation::{ElevationEvent, Scope},
    kernel::{Event, UserId},
};

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] =
    &[("identity.elevations.insert", INSERT), ("identity.elevations.change", CHANGE)];

const INSERT: &str = "
    INSERT INTO {identity_elevations}
        (organization_id, elevation_id, requested_by, role, act_as, duration_seconds, status, created_at, created_position,
         created_event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const CHANGE: &str = "
    UPDATE {identity_elevations} SET status = $3, decided_by = coalesce($4, decided_by), due_at = coalesce($5, due_at),
        ended_by = coalesce($6, ended_by), reviewed_by = coalesce($7, reviewed_by)
    WHERE organization_id = $1 AND elevation_id = $2";

/// The fold. Elevations are few, so each event is a statement of its own.
pub struct Elevations;

#[async_trait]
impl Projector for Elevations {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_elevations"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "identity.elevation_requested",
            "identity.elevation_approved",
            "identity.elevation_refused",
            "identity.elevation_withdrawn",
            "identity.elevation_started",
            "identity.elevation_ended",
            "identity.elevation_expired",
            "identity.elevation_reviewed",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let organization = event.organization_id.0;
            let happened = ElevationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let (id, status) = (happened.elevation_id().0, happened.status().name());
            if let ElevationEvent::ElevationRequested(requested) = &happened {
                let (role, act_as) = match requested.scope {
                    Scope::Role(role) => (Some(role.to_string()), None),
                    Scope::ActingAs(user) => (None, Some(user.0)),
                };
                let sql = context.slot.sql(INSERT);
                let insert = sqlx::query(&sql).bind(organization).bind(id).bind(requested.requested_by.0).bind(role).bind(act_as);
                let insert = insert.bind(i64::from(requested.duration_seconds)).bind(status).bind(event.recorded_at);
                insert.bind(event.position).bind(event.id.0).execute(&mut *context.tx).await?;
                continue;
            }
            let (decided_by, ended_by, reviewed_by) = people(&happened);
            let sql = context.slot.sql(CHANGE);
            let change = sqlx::query(&sql).bind(organization).bind(id).bind(status).bind(decided_by.map(|user| user.0));
            let change = change.bind(happened.due_at()).bind(ended_by.map(|user| user.0)).bind(reviewed_by.map(|user| user.0));
            change.execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}

/// Who decided, ended and reviewed it, as far as the event says so.
fn people(event: &ElevationEvent) -> (Option<UserId>, Option<UserId>, Option<UserId>) {
    match event {
        ElevationEvent::ElevationApproved(approved) => (Some(approved.approved_by), None, None),
        ElevationEvent::ElevationRefused(refused) => (Some(refused.refused_by), None, None),
        ElevationEvent::ElevationEnded(ended) => (None, Some(ended.ended_by), None),
        ElevationEvent::ElevationReviewed(reviewed) => (None, None, Some(reviewed.reviewed_by)),
        _ => (None, None, None),
    }
}
