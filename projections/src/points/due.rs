//! When something is due on an account: a timer for each moment that an event names.
//!
//! It has no table of its own, only timers. One that fires in vain, because the lot was spent or the
//! hold was posted meanwhile, records nothing.

use super::account_events::parse;
use crate::engine::{
    ApplyContext, ApplyError, Delivered, Projector,
    timers::{Timer, schedule},
};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{kernel::derive_uuid, points::account::AccountEvent};
use std::collections::BTreeMap;

/// The kind of the timers; their payload is the account's key.
pub const TIMER_KIND: &str = "points.due";

/// So much later than due: whoever records it may have a clock that is behind the database's.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Schedules a timer for every expiry of a lot and every time-out of a hold.
pub struct Due;

#[async_trait]
impl Projector for Due {
    fn name(&self) -> &'static str {
        "points_due"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["points.credit_resolved", "points.spending_reversed", "points.transfer_received", "points.hold_placed"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let mut timers = BTreeMap::new();
        for delivered in batch {
            let event: AccountEvent = parse(delivered)?;
            for due_at in moments(&event) {
                let timer = timer(delivered, &event, due_at)?;
                timers.insert(timer.id, timer);
            }
        }
        for timer in timers.values() {
            schedule(&mut *context.tx, timer).await?;
        }
        Ok(())
    }
}

/// When something of what the event opened is due.
fn moments(event: &AccountEvent) -> Vec<DateTime<Utc>> {
    if let AccountEvent::HoldPlaced(hold) = event {
        return hold.expires_at.into_iter().collect();
    }
    event.lots().iter().filter_map(|change| change.terms?.expires_at).collect()
}

/// One timer for each account and moment, however many lots it concerns.
fn timer(delivered: &Delivered, event: &AccountEvent, due_at: DateTime<Utc>) -> Result<Timer, ApplyError> {
    let account = event.account();
    Ok(Timer {
        organization_id: delivered.event.organization_id,
        id: derive_uuid(TIMER_KIND, &[account.id().0.as_bytes(), &due_at.timestamp_micros().to_be_bytes()]),
        kind: TIMER_KIND.to_owned(),
        stream_id: account.id().0,
        due_at: due_at.checked_add_signed(SLACK).unwrap_or(due_at),
        payload: serde_json::to_value(account).map_err(|error| ApplyError::Invalid(error.to_string()))?,
    })
}
