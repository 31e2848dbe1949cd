//! The audit log, taken out again and again for whoever asked for it.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use crate::ids::new_id;
use palmares_domain::{
    compliance::{
        audit_schedules::{AuditSchedules, AuditSchedulesCommand, Every, OpenSchedule, PauseCause, Rhythm, Run, ScheduleAction},
        saved_searches::{SavedSearches, SavedSearchesError, SearchFilters},
        subject_export::{ExportFormat, RequestAuditExport, SubjectExport, SubjectExportCommand},
    },
    identity::user::{User, UserError},
    kernel::{Admission, ExportId, ScheduleId, SearchId, UserId, derive_uuid},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    OpenAuditSchedule => permit "compliance.audit_schedule.open", throttle Write;
    PauseAuditSchedule => permit "compliance.audit_schedule.pause", throttle Write;
    ResumeAuditSchedule => permit "compliance.audit_schedule.resume", throttle Write;
    CloseAuditSchedule => permit "compliance.audit_schedule.close", throttle Write;
}

/// Has the audit log taken out for oneself, again and again: what was recorded since the last time, signed,
/// and sealed (age-encryption.org/v1) to a key. A letter tells of each export; it is among `GET /me/exports`
/// for seven days. It stops by itself once its owner may not export the audit log any more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAuditSchedule {
    /// A saved search of one's own, as it is now; or `filters`, or neither, for everything.
    #[serde(default)]
    pub search_id: Option<SearchId>,
    /// Filters of `GET /audit-logs` by their names, such as `{"audit_name": "ROLE_CHANGED"}`.
    #[serde(default)]
    pub filters: Option<SearchFilters>,
    pub every: Every,
    /// 0 to 23, on the clock of the time zone.
    #[schema(maximum = 23)]
    pub hour: u32,
    /// Its IANA name.
    #[schema(max_length = 64, example = "Europe/Paris")]
    pub time_zone: String,
    /// `json` or `csv`.
    pub format: ExportFormat,
    /// One's own public key (`age1…`). Without it a key is made and shown once, in the answer, as `identity`.
    #[schema(max_length = 100)]
    pub recipient: Option<String>,
    /// Where the log stands.
    #[serde(skip)]
    #[schema(ignore)]
    pub position: i64,
}

fn stream_of(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<AuditSchedules>(admission.organization, user)
}

fn run(unit: &mut Unit<'_>, user_id: UserId, schedule_id: ScheduleId, action: ScheduleAction) -> Result<usize, Refused> {
    unit.run::<AuditSchedules>(user_id, &AuditSchedulesCommand { user_id, schedule_id, action })
}

impl Operation for OpenAuditSchedule {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![stream_of(admission, admission.actor)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, admission.actor), StreamRef::of::<SavedSearches>(admission.organization, admission.actor)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = unit.admission().actor;
        // What is taken out is theirs to fetch with a proof of who they are: somebody of the organization.
        if unit.state::<User>(user_id)?.profile().is_none() {
            return Err(UserError::NotFound.into());
        }
        let schedule_id = ScheduleId(new_id(unit.admission(), "audit-schedule"));
        let recipient = self.recipient.clone().ok_or_else(|| Refused::field("recipient", "required"))?;
        let rhythm = Rhythm { every: self.every, hour: self.hour, time_zone: self.time_zone.clone() };
        let filters = self.wanted(unit, user_id)?;
        let open = OpenSchedule { rhythm, format: self.format, filters, recipient, position: self.position };
        run(unit, user_id, schedule_id, ScheduleAction::Open(open))?;
        Ok(Answer::new("id", schedule_id, "ACTIVE"))
    }
}

impl OpenAuditSchedule {
    /// The filters as they are given, or as the search has them that is named.
    fn wanted(&self, unit: &mut Unit<'_>, user: UserId) -> Result<SearchFilters, Refused> {
        match (self.search_id, &self.filters) {
            (Some(_), Some(_)) => Err(Refused::field("filters", "compliance.search_or_filters")),
            (None, filters) => Ok(filters.clone().unwrap_or_default()),
            (Some(search), None) => {
                let saved = unit.state::<SavedSearches>(user)?.get(search).and_then(|saved| saved.filters.clone());
                Ok(saved.ok_or(SavedSearchesError::NotFound)?)
            }
        }
    }
}

/// Declares what its owner does with a schedule.
macro_rules! of_its_owner {
    ($($(#[$doc:meta])* $step:ident => $action:expr, $status:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $step {
            pub schedule_id: ScheduleId,
        }

        impl Operation for $step {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![stream_of(admission, admission.actor)]
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                let user_id = unit.admission().actor;
                run(unit, user_id, self.schedule_id, $action)?;
                Ok(Answer::new("id", self.schedule_id, $status))
            }
        }
    )*};
}

of_its_owner! {
    /// Stops a schedule of one's own for a while. What is recorded meanwhile is not lost.
    PauseAuditSchedule => ScheduleAction::Pause(PauseCause::Asked), "PAUSED";

    /// Has it go on: the next export begins where the last one ended.
    ResumeAuditSchedule => ScheduleAction::Resume, "ACTIVE";

    /// Ends a schedule of one's own. What was taken out stays until its time is over.
    CloseAuditSchedule => ScheduleAction::Close, "CLOSED";
}

/// Takes out what was recorded since the last time, where a schedule is due; pauses it, where its owner may
/// not have it any more.
pub struct RunAuditSchedule {
    pub user_id: UserId,
    pub schedule_id: ScheduleId,
    /// Where the log stands.
    pub position: i64,
    pub permitted: bool,
}

impl RunAuditSchedule {
    /// One for each position from which it goes on: nothing is taken out twice.
    pub fn export(schedule: ScheduleId, position: i64) -> ExportId {
        ExportId(derive_uuid("audit-export", &[schedule.0.as_bytes(), &position.to_be_bytes()]))
    }

    fn export_id(&self) -> ExportId {
        Self::export(self.schedule_id, self.position)
    }
}

impl Operation for RunAuditSchedule {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![stream_of(admission, self.user_id), StreamRef::of::<SubjectExport>(admission.organization, self.export_id())]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (user_id, schedule_id, now) = (self.user_id, self.schedule_id, unit.facts().now);
        let answer = |status: &'static str| Ok(Answer::new("id", schedule_id, status));
        let found = unit.state::<AuditSchedules>(user_id)?.get(schedule_id);
        let Some(schedule) = found.filter(|schedule| schedule.paused.is_none() && schedule.due_at <= now).cloned() else {
            return answer("NOT_DUE");
        };
        if !self.permitted {
            run(unit, user_id, schedule_id, ScheduleAction::Pause(PauseCause::RightLost))?;
            return answer("PAUSED");
        }
        let export_id = self.export_id();
        run(unit, user_id, schedule_id, ScheduleAction::Run(Run { export_id, position: self.position }))?;
        let (Some(filters), Some(recipient)) = (schedule.filters, schedule.recipient) else { return answer("PAUSED") };
        let (after_position, until_position) = (schedule.covered, self.position.max(schedule.covered));
        let format = schedule.format;
        let request = RequestAuditExport { export_id, user_id, schedule_id, format, filters, recipient, after_position, until_position };
        unit.run::<SubjectExport>(export_id, &SubjectExportCommand::RequestAudit(request))?;
        answer("RAN")
    }
}
