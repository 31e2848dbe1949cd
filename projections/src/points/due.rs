//! When something is due on an account: a timer for each moment that an event names, however many lots it concerns.

use crate::engine::due::{Apart, Due, Moment};
use chrono::{DateTime, Utc};
use palmares_domain::points::account::AccountEvent;
use serde_json::json;

/// Every expiry of a lot and every time-out of a hold; its timers say the account's key.
pub const ACCOUNTS: Due<AccountEvent> = Due {
    name: "points_due",
    kind: "points.due",
    events: &["points.credit_resolved", "points.spending_reversed", "points.transfer_received", "points.hold_placed"],
    apart: Apart::ByMoment,
    moments: |_, happened| {
        let account = happened.account();
        moments(happened).into_iter().map(|due_at| Moment::of(account.id().0, due_at).saying(json!(account))).collect()
    },
};

/// When something of what the event opened is due.
fn moments(event: &AccountEvent) -> Vec<DateTime<Utc>> {
    if let AccountEvent::HoldPlaced(hold) = event {
        return hold.expires_at.into_iter().collect();
    }
    event.lots().iter().filter_map(|change| change.terms?.expires_at).collect()
}
