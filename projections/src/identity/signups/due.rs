//! When the time of a sign-up runs out: one timer for each, moved with each step.
//!
//! It has no table of its own, only timers. One that fires in vain, because the sign-up was finished
//! or refused meanwhile, records nothing.

use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{
    identity::signup::SignupEvent,
    kernel::{Event, OrganizationId, UserId, derive_uuid},
};

/// The kind of the timers; the stream that they concern is all they say.
pub const TIMER_KIND: &str = "identity.signup_due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for the end of every sign-up.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "signups_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["identity.signup_link_issued", "identity.signup_approval_awaited"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let change = SignupEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            if let Some(expires_at) = change.expires_at() {
                schedule(&mut *context.tx, &timer(event.organization_id, change.user_id(), expires_at)).await?;
            }
        }
        Ok(())
    }
}

fn timer(organization_id: OrganizationId, user: UserId, expires_at: DateTime<Utc>) -> Timer {
    Timer {
        organization_id,
        id: derive_uuid(TIMER_KIND, &[user.0.as_bytes()]),
        kind: TIMER_KIND.to_owned(),
        stream_id: user.0,
        due_at: expires_at.checked_add_signed(SLACK).unwrap_or(expires_at),
        payload: serde_json::Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_event_that_says_when_a_sign_up_ends_moves_its_timer() {
        let (organization, user) = (OrganizationId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let at = |hours| timer(organization, user, DateTime::UNIX_EPOCH + TimeDelta::hours(hours));
        assert_eq!((at(48).id, at(48).stream_id), (at(720).id, user.0));
        assert!(at(48).due_at > DateTime::UNIX_EPOCH + TimeDelta::hours(48));
        let saying: Vec<_> = SignupEvent::CATALOGUE
            .iter()
            .filter(|event| event.fields.iter().any(|field| field.name == "expires_at"))
            .map(|event| event.name)
            .collect();
        assert_eq!(Due.interests(), saying);
    }
}
