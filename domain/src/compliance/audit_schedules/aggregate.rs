//! The rules of somebody's schedules.

use super::{
    AuditScheduleClosed, AuditScheduleOpened, AuditSchedulePaused, AuditScheduleRan, AuditScheduleResumed, AuditSchedulesCommand,
    AuditSchedulesError, AuditSchedulesEvent, OpenSchedule, PauseCause, Rhythm, Run, ScheduleAction,
};
use crate::{
    compliance::{
        saved_searches::{FILTERS_MAX, SearchFilters, VALUE_MAX_CHARS, names_a_person},
        subject_export::ExportFormat,
    },
    kernel::{Aggregate, ExportId, Facts, Personal, Purpose, ScheduleId, UserId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Schedules of one user.
pub const SCHEDULES_MAX: usize = 10;

/// A schedule that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditSchedule {
    pub rhythm: Rhythm,
    pub format: ExportFormat,
    /// Missing, as the recipient, where they cannot be read any more.
    pub filters: Option<SearchFilters>,
    pub recipient: Option<String>,
    /// Everything up to here was taken out.
    pub covered: i64,
    pub due_at: DateTime<Utc>,
    pub paused: Option<PauseCause>,
    pub last_export: Option<ExportId>,
}

/// The schedules of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditSchedules(BTreeMap<ScheduleId, AuditSchedule>);

impl AuditSchedules {
    pub fn iter(&self) -> impl Iterator<Item = (ScheduleId, &AuditSchedule)> {
        self.0.iter().map(|(id, schedule)| (*id, schedule))
    }

    pub fn get(&self, schedule: ScheduleId) -> Option<&AuditSchedule> {
        self.0.get(&schedule)
    }

    fn known(&self, schedule: ScheduleId) -> Result<&AuditSchedule, AuditSchedulesError> {
        self.0.get(&schedule).ok_or(AuditSchedulesError::NotFound)
    }

    fn open(
        &self,
        (user_id, schedule_id): (UserId, ScheduleId),
        open: &OpenSchedule,
        now: DateTime<Utc>,
    ) -> Result<AuditSchedulesEvent, AuditSchedulesError> {
        let OpenSchedule { rhythm, format, filters, recipient, position } = open;
        if rhythm.hour > 23 {
            return Err(AuditSchedulesError::HourInvalid);
        }
        let due_at = rhythm.next_after(now).ok_or(AuditSchedulesError::TimeZoneUnknown)?;
        if *format == ExportFormat::Pdf {
            return Err(AuditSchedulesError::FormatInvalid);
        }
        let spans = |name: &String| matches!(name.as_str(), "from" | "to" | "cursor" | "limit");
        if filters.len() > FILTERS_MAX || filters.keys().any(spans) || filters.values().any(|value| value.chars().count() > VALUE_MAX_CHARS)
        {
            return Err(AuditSchedulesError::FiltersInvalid);
        }
        if filters.iter().any(|(name, value)| names_a_person(name, value)) {
            return Err(AuditSchedulesError::FilterAboutSomebody);
        }
        if self.0.len() >= SCHEDULES_MAX {
            return Err(AuditSchedulesError::TooMany);
        }
        Ok(AuditScheduleOpened {
            user_id,
            schedule_id,
            rhythm: rhythm.clone(),
            format: *format,
            filters: Personal::Clear(filters.clone()),
            recipient: Personal::Clear(recipient.clone()),
            after_position: *position,
            due_at,
        }
        .into())
    }

    /// Of what was missed it is one export, and the next time is one to come.
    fn run(
        &self,
        (user_id, schedule_id): (UserId, ScheduleId),
        run: Run,
        now: DateTime<Utc>,
    ) -> Result<Option<AuditSchedulesEvent>, AuditSchedulesError> {
        let schedule = self.known(schedule_id)?;
        if schedule.paused.is_some() || schedule.due_at > now {
            return Ok(None);
        }
        let next = schedule.rhythm.next_after(now).filter(|_| schedule.filters.is_some() && schedule.recipient.is_some());
        let Some(due_at) = next else {
            return Ok(Some(AuditSchedulePaused { user_id, schedule_id, cause: PauseCause::Erased }.into()));
        };
        let Run { export_id, position } = run;
        let (after_position, until_position) = (schedule.covered, position.max(schedule.covered));
        Ok(Some(AuditScheduleRan { user_id, schedule_id, export_id, after_position, until_position, due_at }.into()))
    }

    fn resume(&self, (user_id, schedule_id): (UserId, ScheduleId), now: DateTime<Utc>) -> Result<AuditSchedulesEvent, AuditSchedulesError> {
        let schedule = self.known(schedule_id)?;
        if schedule.paused.is_none() {
            return Err(AuditSchedulesError::NotPaused);
        }
        let readable = schedule.filters.is_some() && schedule.recipient.is_some();
        let due_at = schedule.rhythm.next_after(now).filter(|_| readable).ok_or(AuditSchedulesError::Unreadable)?;
        Ok(AuditScheduleResumed { user_id, schedule_id, due_at }.into())
    }
}

impl Aggregate for AuditSchedules {
    const TYPE: &'static str = "audit_schedules";
    const SHAPE: u16 = 1;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Profile);

    type Command = AuditSchedulesCommand;
    type Event = AuditSchedulesEvent;
    type Error = AuditSchedulesError;

    fn decide(&self, command: &AuditSchedulesCommand, facts: &Facts) -> Result<Vec<AuditSchedulesEvent>, AuditSchedulesError> {
        let AuditSchedulesCommand { user_id, schedule_id, ref action } = *command;
        let which = (user_id, schedule_id);
        let decided = match action {
            ScheduleAction::Open(open) => self.open(which, open, facts.now)?,
            ScheduleAction::Pause(_) if self.known(schedule_id)?.paused.is_some() => return Err(AuditSchedulesError::Paused),
            ScheduleAction::Pause(cause) => AuditSchedulePaused { user_id, schedule_id, cause: *cause }.into(),
            ScheduleAction::Resume => self.resume(which, facts.now)?,
            ScheduleAction::Close => {
                self.known(schedule_id)?;
                AuditScheduleClosed { user_id, schedule_id }.into()
            }
            ScheduleAction::Run(run) => return Ok(self.run(which, *run, facts.now)?.into_iter().collect()),
        };
        Ok(vec![decided])
    }

    fn evolve(&mut self, event: &AuditSchedulesEvent) {
        match event {
            AuditSchedulesEvent::AuditScheduleOpened(opened) => {
                let schedule = AuditSchedule {
                    rhythm: opened.rhythm.clone(),
                    format: opened.format,
                    filters: opened.filters.clear().cloned(),
                    recipient: opened.recipient.clear().cloned(),
                    covered: opened.after_position,
                    due_at: opened.due_at,
                    paused: None,
                    last_export: None,
                };
                self.0.insert(opened.schedule_id, schedule);
            }
            AuditSchedulesEvent::AuditScheduleRan(ran) => self.change(ran.schedule_id, |schedule| {
                (schedule.covered, schedule.due_at, schedule.last_export) = (ran.until_position, ran.due_at, Some(ran.export_id));
            }),
            AuditSchedulesEvent::AuditSchedulePaused(paused) => {
                self.change(paused.schedule_id, |schedule| schedule.paused = Some(paused.cause));
            }
            AuditSchedulesEvent::AuditScheduleResumed(resumed) => {
                self.change(resumed.schedule_id, |schedule| (schedule.paused, schedule.due_at) = (None, resumed.due_at));
            }
            AuditSchedulesEvent::AuditScheduleClosed(closed) => {
                self.0.remove(&closed.schedule_id);
            }
        }
    }
}

impl AuditSchedules {
    fn change(&mut self, schedule: ScheduleId, change: impl FnOnce(&mut AuditSchedule)) {
        if let Some(schedule) = self.0.get_mut(&schedule) {
            change(schedule);
        }
    }
}
