//! What may be asked of somebody's schedules.

use super::{PauseCause, Rhythm};
use crate::{
    compliance::{saved_searches::SearchFilters, subject_export::ExportFormat},
    kernel::{ExportId, ScheduleId, UserId},
};
use std::fmt;

#[derive(Clone)]
pub struct AuditSchedulesCommand {
    pub user_id: UserId,
    pub schedule_id: ScheduleId,
    pub action: ScheduleAction,
}

#[derive(Clone)]
pub enum ScheduleAction {
    Open(OpenSchedule),
    Pause(PauseCause),
    Resume,
    Close,
    Run(Run),
}

/// Has what is recorded from here on taken out again and again.
#[derive(Clone)]
pub struct OpenSchedule {
    pub rhythm: Rhythm,
    pub format: ExportFormat,
    /// What is taken out; everything, where there are none.
    pub filters: SearchFilters,
    /// The public key that exports are sealed to.
    pub recipient: String,
    /// Where the log stands: what comes behind it is taken out.
    pub position: i64,
}

/// Takes out what was recorded since the last time, where it is due.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub export_id: ExportId,
    /// Where the log stands.
    pub position: i64,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for AuditSchedulesCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match &self.action {
            ScheduleAction::Open(_) => "open",
            ScheduleAction::Pause(_) => "pause",
            ScheduleAction::Resume => "resume",
            ScheduleAction::Close => "close",
            ScheduleAction::Run(_) => "run",
        };
        f.debug_struct("AuditSchedulesCommand").field("schedule_id", &self.schedule_id).field("action", &action).finish()
    }
}
