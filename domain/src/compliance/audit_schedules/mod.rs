//! The schedules by which one user has the audit log taken out for them, in one stream under their id.

mod aggregate;
mod commands;
mod errors;
mod events;
mod rhythm;
#[cfg(test)]
mod tests;

pub use aggregate::{AuditSchedule, AuditSchedules, SCHEDULES_MAX};
pub use commands::{AuditSchedulesCommand, OpenSchedule, Run, ScheduleAction};
pub use errors::AuditSchedulesError;
pub use events::{
    AuditScheduleClosed, AuditScheduleOpened, AuditSchedulePaused, AuditScheduleRan, AuditScheduleResumed, AuditSchedulesEvent,
};
pub use rhythm::{Every, PauseCause, Rhythm};
