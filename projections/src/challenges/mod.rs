//! Read models of challenges: what people did, and who leads.
//!
//! | Read model | The reader's question |
//! |---|---|
//! | [`activities`] | What did this person's sources report, and what does it sum up to per day? |
//! | [`closed_days`] | What did all do together on the days whose totals stay? |
//! | [`leaderboards`] | Who leads by a metric or by points, over which window, now or as of a position? |
//! | [`participation`] | How many take part, and how much do they do together? |
//!
//! What someone did is health data: its rows are sealed under that person's key and opened when
//! they are read. Days, metrics and windows stand in clear under the random user id.

pub mod activities;
pub mod closed_days;
pub mod leaderboards;
pub mod participation;

use crate::engine::{ApplyError, Delivered, Projector, ReadError, TenantReader};
use palmares_domain::{
    challenges::activity_log::{ActivityLogEvent, RecordedBatch},
    identity::user::User,
    kernel::{Aggregate, Event, UserId},
};
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![Arc::new(activities::Activities), Arc::new(closed_days::ClosedDays), Arc::new(leaderboards::Leaderboards)]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        &[("challenges.user_exists", USER_EXISTS)],
        activities::STATEMENTS,
        closed_days::STATEMENTS,
        leaderboards::STATEMENTS,
        participation::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The event type that carries a batch of reports.
const ACTIVITIES_RECORDED: &str = "challenges.activities_recorded";

/// Whose reports an event carries, and the reports. They are missing once the person was erased:
/// the key is gone for all of their events at once, so such events are left out as a whole.
fn reports(delivered: &Delivered) -> Result<(UserId, Option<RecordedBatch>), ApplyError> {
    let event = &delivered.event;
    let ActivityLogEvent::ActivitiesRecorded(recorded) =
        ActivityLogEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
    Ok((recorded.user_id, delivered.opened("records")?))
}

/// The stream of the user, so that the answer does not wait for a read model of another context.
const USER_EXISTS: &str = "SELECT EXISTS (SELECT FROM streams WHERE organization_id = $1 AND type = $2 AND id = $3)";

/// Refuses a user who is not there, or who is another tenant's: both look the same.
async fn require_user(reader: &mut TenantReader<'_>, user: UserId) -> Result<(), ReadError> {
    let organization = reader.organization().0;
    let query = sqlx::query_scalar(USER_EXISTS).bind(organization).bind(User::TYPE).bind(user.0);
    if query.fetch_one(reader.connection()).await? { Ok(()) } else { Err(ReadError::NotFound) }
}
