//! What both reactors that settle days do alike: commands of bounded size, named by what they settle.

use super::{System, execute, failed};
use chrono::NaiveDate;
use palmares_commands::{engine::Engine, points::SettleEarnings};
use palmares_domain::{
    challenges::Metric,
    kernel::{CommandId, ProgramId, RecordedEvent, UserId, derive_uuid},
};
use palmares_projections::engine::ReactError;

/// Days that one command settles, so that an append stays small.
pub(super) const DAYS_PER_COMMAND: usize = 100;

/// Settles these days of one member in one program, because of `event`.
pub(super) async fn settle(
    engine: &Engine,
    system: System,
    event: &RecordedEvent,
    program_id: ProgramId,
    user_id: UserId,
    days: &[(Metric, NaiveDate)],
) -> Result<(), ReactError> {
    for days in days.chunks(DAYS_PER_COMMAND) {
        let command = command_id(event, system, program_id, user_id, days);
        let settle = SettleEarnings { user_id, program_id, days: days.to_vec() };
        execute(engine, system.following(event, command), settle).await.map_err(failed)?;
    }
    Ok(())
}

/// A repetition may find more programs, members and days than the first time did, so the id of a
/// command says what it settles instead of its place among the commands of the event.
fn command_id(event: &RecordedEvent, system: System, program: ProgramId, user: UserId, days: &[(Metric, NaiveDate)]) -> CommandId {
    let mut target = [*program.0.as_bytes(), *user.0.as_bytes()].concat();
    days.iter().for_each(|(metric, day)| target.extend_from_slice(format!("/{}:{day}", metric.name()).as_bytes()));
    CommandId(derive_uuid("reaction", &[event.id.0.as_bytes(), system.name.as_bytes(), &target]))
}
