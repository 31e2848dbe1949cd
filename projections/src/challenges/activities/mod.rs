//! What did this person's sources report, and what does it sum up to per day?
//!
//! One row per record that stands: the newest content of an id wins, a retracted record has none.
//! Day totals are rows of their own, as the events state them, so that no reader adds up.

mod fold;
mod query;

pub use fold::Activities;
pub(super) use query::malformed;
pub use query::{Activity, ActivityDay, UserActivities, UserActivityDays};

/// The projection's public name.
pub const PROJECTION: &str = "activities";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("challenges.activities.upsert", fold::UPSERT),
    ("challenges.activities.delete", fold::DELETE),
    ("challenges.activities.upsert_days", fold::UPSERT_DAYS),
    ("challenges.activities.forget", fold::FORGET),
    ("challenges.activities.forget_days", fold::FORGET_DAYS),
    ("challenges.activities.list", query::LIST),
    ("challenges.activities.days", query::DAYS),
];

use chrono::NaiveDate;
use palmares_domain::{
    challenges::Metric,
    kernel::{OrganizationId, Place, Purpose, UserId, derive_uuid},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is sealed of a record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedRecord {
    source: String,
    source_record_id: String,
    value: i64,
    time_zone: String,
}

/// The row of a record, the same for every version of it.
fn record_id(user: UserId, source: &str, source_record_id: &str) -> Uuid {
    derive_uuid("activity-record", &[user.0.as_bytes(), source.as_bytes(), source_record_id.as_bytes()])
}

fn record_place(organization: OrganizationId, user: UserId, record: Uuid) -> Place {
    place(organization, user, record, "record")
}

pub(in crate::challenges) fn day_place(organization: OrganizationId, user: UserId, metric: &str, day: NaiveDate) -> Place {
    let id = derive_uuid("activity-day", &[user.0.as_bytes(), metric.as_bytes(), day.to_string().as_bytes()]);
    place(organization, user, id, "total")
}

fn place(organization: OrganizationId, user: UserId, id: Uuid, field: &str) -> Place {
    let (container, field) = ("read_model/activities".to_owned(), field.to_owned());
    Place { organization, subject: user.0, purpose: Purpose::Health, container, id, field }
}

/// The total of a day as it is sealed: of one length, so that the ciphertext does not tell its magnitude.
pub(super) fn day_total(clear: &[u8]) -> Option<i64> {
    clear.try_into().map(i64::from_be_bytes).ok()
}

/// The metric of a stored name; rows only have names of metrics, and metrics are never removed.
fn metric(name: &str) -> Result<Metric, anyhow::Error> {
    Metric::parse(name).ok_or_else(|| anyhow::anyhow!("no metric is named `{name}`"))
}
