//! From the events of invitations to rows.

use super::PROJECTION;
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    identity::invitation::{InvitationEvent, InvitationIssued},
    kernel::{Event, Purpose, RecordedEvent},
};

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] =
    &[("identity.invitations.issue", ISSUE), ("identity.invitations.set_status", SET_STATUS), ("identity.invitations.forget", FORGET)];

/// Sent for the first time, or again.
const ISSUE: &str = "
    INSERT INTO {identity_invitations}
        (organization_id, invitation_id, user_id, role, status, generation, expires_at, invited_by,
         created_at, created_position, issued_position, issued_event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)
    ON CONFLICT (organization_id, invitation_id) DO UPDATE
    SET status = excluded.status, generation = excluded.generation, expires_at = excluded.expires_at,
        invited_by = excluded.invited_by, issued_position = excluded.issued_position, issued_event_id = excluded.issued_event_id";

const SET_STATUS: &str = "UPDATE {identity_invitations} SET status = $3 WHERE organization_id = $1 AND invitation_id = $2";

const FORGET: &str = "DELETE FROM {identity_invitations} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold. An invitation has few events, so each is a statement of its own.
pub struct Invitations;

#[async_trait]
impl Projector for Invitations {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_invitations"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            let event = &delivered.event;
            let change = InvitationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            match &change {
                InvitationEvent::InvitationIssued(issued) => issue(context, event, issued, change.status().name()).await?,
                _ => {
                    let sql = context.slot.sql(SET_STATUS);
                    let update = sqlx::query(&sql).bind(event.organization_id.0).bind(change.invitation_id().0);
                    update.bind(change.status().name()).execute(&mut *context.tx).await?;
                }
            }
        }
        forget(context, batch, Purpose::Profile, &[FORGET]).await
    }
}

const INTERESTS: &[&str] = &[
    "identity.invitation_issued",
    "identity.invitation_accepted",
    "identity.invitation_completed",
    "identity.invitation_expired",
    "identity.invitation_revoked",
    ERASED,
];

async fn issue(
    context: &mut ApplyContext<'_>,
    event: &RecordedEvent,
    issued: &InvitationIssued,
    status: &'static str,
) -> Result<(), ApplyError> {
    let generation = i32::try_from(issued.generation).map_err(|error| ApplyError::Invalid(error.to_string()))?;
    let sql = context.slot.sql(ISSUE);
    sqlx::query(&sql)
        .bind(event.organization_id.0)
        .bind(issued.invitation_id.0)
        .bind(issued.user_id.0)
        .bind(issued.role.to_string())
        .bind(status)
        .bind(generation)
        .bind(issued.expires_at)
        .bind(issued.invited_by.0)
        .bind(event.recorded_at)
        .bind(event.position)
        .bind(event.id.0)
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_an_invitation_is_of_interest() {
        let all: Vec<_> = InvitationEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(INTERESTS, all);
    }
}
