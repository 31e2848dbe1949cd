//! When the time of an invitation runs out: one timer for each, moved when it is sent again.
//!
//! It has no table of its own, only timers. One that fires in vain, because the invitation was
//! accepted or revoked meanwhile, records nothing.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares_domain::{
    identity::invitation::{InvitationEvent, InvitationIssued},
    kernel::{Event, derive_uuid},
};

/// The kind of the timers; the stream that they concern is all they say.
pub const TIMER_KIND: &str = "identity.invitation_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the end of every invitation.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "invitations_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["identity.invitation_issued"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let parsed = InvitationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            if let InvitationEvent::InvitationIssued(issued) = parsed {
                schedule(&mut *context.tx, &timer(delivered, &issued)).await?;
            }
        }
        Ok(())
    }
}

fn timer(delivered: &Delivered, issued: &InvitationIssued) -> Timer {
    Timer {
        organization_id: delivered.event.organization_id,
        id: derive_uuid(TIMER_KIND, &[issued.invitation_id.0.as_bytes()]),
        kind: TIMER_KIND.to_owned(),
        stream_id: issued.invitation_id.0,
        due_at: issued.expires_at.checked_add_signed(SLACK).unwrap_or(issued.expires_at),
        payload: serde_json::Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use chrono::{DateTime, Utc};
    use palmares_domain::{
        identity::Role,
        kernel::{Digest, InvitationId, OrganizationId, Personal, UserId},
    };
    use uuid::Uuid;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const INVITATION: InvitationId = InvitationId(Uuid::from_u128(2));

    fn issued(generation: u32, hours: i64) -> InvitationIssued {
        let issued_at: DateTime<Utc> = DateTime::UNIX_EPOCH;
        InvitationIssued {
            invitation_id: INVITATION,
            user_id: UserId(Uuid::from_u128(3)),
            email: Personal::Sealed(Digest([7; 32])),
            role: Role::Member.into(),
            generation,
            issued_at,
            expires_at: issued_at + TimeDelta::hours(hours),
            invited_by: UserId(Uuid::from_u128(4)),
        }
    }

    fn timer_of(issued: &InvitationIssued, version: i64) -> Timer {
        let event: InvitationEvent = issued.clone().into();
        timer(&recorded(ACME, ("invitation", INVITATION.0, version), version, &event), issued)
    }

    // covers: E-129
    #[test]
    fn sending_an_invitation_again_moves_its_timer() {
        let (first, second) = (timer_of(&issued(1, 1), 1), timer_of(&issued(2, 5), 2));
        assert_eq!((first.id, first.stream_id), (second.id, INVITATION.0));
        assert_eq!(second.due_at - first.due_at, TimeDelta::hours(4));
        assert!(first.due_at > issued(1, 1).expires_at);
    }
}
