//! What happens to somebody's schedules.

use super::{PauseCause, Rhythm};
use crate::{
    compliance::{saved_searches::SearchFilters, subject_export::ExportFormat},
    events,
    kernel::{ExportId, Personal, ScheduleId, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to somebody's schedules.
    pub enum AuditSchedulesEvent {
        AuditScheduleOpened = "compliance.audit_schedule_opened" v 1 {
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            rhythm: Rhythm = internal,
            format: ExportFormat = internal,
            filters: Personal<SearchFilters> = confidential of user_id for Profile,
            recipient: Personal<String> = confidential of user_id for Profile,
            /// What is recorded behind this position is taken out.
            after_position: i64 = internal,
            due_at: DateTime<Utc> = internal,
        },
        /// It was due, and an export is on its way: of everything up to a position.
        AuditScheduleRan = "compliance.audit_schedule_ran" v 1 {
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            export_id: ExportId = internal,
            after_position: i64 = internal,
            until_position: i64 = internal,
            /// The next time.
            due_at: DateTime<Utc> = internal,
        },
        AuditSchedulePaused = "compliance.audit_schedule_paused" v 1 {
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            cause: PauseCause = internal,
        },
        /// It goes on where it stood: nothing is left out.
        AuditScheduleResumed = "compliance.audit_schedule_resumed" v 1 {
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
            due_at: DateTime<Utc> = internal,
        },
        AuditScheduleClosed = "compliance.audit_schedule_closed" v 1 {
            user_id: UserId = internal,
            schedule_id: ScheduleId = internal,
        }
    }
}

impl AuditSchedulesEvent {
    /// When which schedule is due next, where the event says so.
    pub fn due(&self) -> Option<(UserId, ScheduleId, DateTime<Utc>)> {
        match self {
            AuditSchedulesEvent::AuditScheduleOpened(event) => Some((event.user_id, event.schedule_id, event.due_at)),
            AuditSchedulesEvent::AuditScheduleRan(event) => Some((event.user_id, event.schedule_id, event.due_at)),
            AuditSchedulesEvent::AuditScheduleResumed(event) => Some((event.user_id, event.schedule_id, event.due_at)),
            AuditSchedulesEvent::AuditSchedulePaused(_) | AuditSchedulesEvent::AuditScheduleClosed(_) => None,
        }
    }
}
