//! From the events of sign-ups to rows.

use super::PROJECTION;
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    identity::{
        signup::{SignupEvent, SignupRequested},
        signup_policy::SignupHook,
    },
    kernel::{Event, Purpose, RecordedEvent},
};
use uuid::Uuid;

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.signups.request", REQUEST),
    ("identity.signups.pass", PASS),
    ("identity.signups.change", CHANGE),
    ("identity.signups.forget", FORGET),
];

const REQUEST: &str = "
    INSERT INTO {identity_signups}
        (organization_id, user_id, status, steps, passed, requested_at, requested_position, requested_event_id)
    VALUES ($1, $2, $3, $4, 0, $5, $6, $7)";

const PASS: &str = "UPDATE {identity_signups} SET passed = passed + 1 WHERE organization_id = $1 AND user_id = $2";

const CHANGE: &str = "
    UPDATE {identity_signups}
    SET status = $3, expires_at = coalesce($4, expires_at), decided_by = coalesce($5, decided_by)
    WHERE organization_id = $1 AND user_id = $2";

const FORGET: &str = "DELETE FROM {identity_signups} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold. A sign-up has few events, so each is a statement of its own.
pub struct Signups;

#[async_trait]
impl Projector for Signups {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_signups"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            let event = &delivered.event;
            let change = SignupEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            match &change {
                SignupEvent::SignupRequested(requested) => request(context, event, requested, &change).await?,
                SignupEvent::SignupHookPassed(passed) => {
                    let sql = context.slot.sql(PASS);
                    sqlx::query(&sql).bind(event.organization_id.0).bind(passed.user_id.0).execute(&mut *context.tx).await?;
                }
                _ => apply(context, event, &change).await?,
            }
        }
        forget(context, batch, Purpose::Profile, &[FORGET]).await
    }
}

const INTERESTS: &[&str] = &[
    "identity.signup_requested",
    "identity.signup_phone_given",
    "identity.signup_hook_passed",
    "identity.signup_hook_failed",
    "identity.signup_link_issued",
    "identity.signup_code_issued",
    "identity.signup_code_failed",
    "identity.signup_approval_awaited",
    "identity.signup_completed",
    "identity.signup_refused",
    "identity.signup_expired",
    ERASED,
];

async fn request(
    context: &mut ApplyContext<'_>,
    event: &RecordedEvent,
    requested: &SignupRequested,
    change: &SignupEvent,
) -> Result<(), ApplyError> {
    let steps: Vec<&str> = requested.steps.iter().map(|hook: &SignupHook| hook.name()).collect();
    let sql = context.slot.sql(REQUEST);
    let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(requested.user_id.0);
    let insert = insert.bind(change.status().map(|status| status.name())).bind(steps).bind(event.recorded_at);
    insert.bind(event.position).bind(event.id.0).execute(&mut *context.tx).await?;
    Ok(())
}

/// What changes where it stands, until when, or says who decided.
async fn apply(context: &mut ApplyContext<'_>, event: &RecordedEvent, change: &SignupEvent) -> Result<(), ApplyError> {
    let Some(status) = change.status() else { return Ok(()) };
    let sql = context.slot.sql(CHANGE);
    let update = sqlx::query(&sql).bind(event.organization_id.0).bind(change.user_id().0);
    let update = update.bind(status.name()).bind(change.expires_at()).bind(decided_by(change));
    update.execute(&mut *context.tx).await?;
    Ok(())
}

fn decided_by(change: &SignupEvent) -> Option<Uuid> {
    match change {
        SignupEvent::SignupCompleted(completed) => completed.approved_by.map(Uuid::from),
        SignupEvent::SignupRefused(refused) => Some(refused.refused_by.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_a_sign_up_is_of_interest() {
        let all: Vec<_> = SignupEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(INTERESTS, all);
    }
}
