//! The rules of an export.

use super::{
    AnswerExportRequested, AuditExportFailed, AuditExportReady, AuditExportRequested, CompleteExport, ExportFault, ExportFormat,
    ExportStatus, RequestAnswerExport, RequestAuditExport, RequestExport, SubjectExportCommand, SubjectExportDownloaded,
    SubjectExportError, SubjectExportEvent, SubjectExportExpired, SubjectExportFailed, SubjectExportReady, SubjectExportRequested,
    SubjectExportStarted, status,
};
use crate::kernel::{Aggregate, ExportId, Facts, Personal, ScheduleId, SubjectRequestId, Transition, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long what was built can be downloaded.
pub const EXPIRES_AFTER_DAYS: i64 = 7;
/// How long somebody has who is told of it by a letter.
pub const ANSWER_EXPIRES_AFTER_DAYS: i64 = 30;

/// What was asked for, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub export_id: ExportId,
    pub user_id: UserId,
    pub format: ExportFormat,
    /// Of which schedule it is a span of the audit log.
    pub schedule_id: Option<ScheduleId>,
    /// Which request it answers.
    pub request_id: Option<SubjectRequestId>,
    /// As it was recorded last; see [`SubjectExport::status_at`].
    status: ExportStatus,
    /// Until when what was built can be fetched.
    pub expires_at: Option<DateTime<Utc>>,
}

/// An export: nothing, until asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectExport(Option<Export>);

impl SubjectExport {
    /// What was asked for.
    pub fn export(&self) -> Option<&Export> {
        self.0.as_ref()
    }

    /// Where it stands, whether or not somebody recorded yet that its time is over.
    pub fn status_at(&self, now: DateTime<Utc>) -> Option<ExportStatus> {
        self.0.as_ref().map(|export| export.status_at(now))
    }

    fn known(&self) -> Result<&Export, SubjectExportError> {
        self.0.as_ref().ok_or(SubjectExportError::NotFound)
    }

    fn request(&self, command: &RequestExport) -> Result<SubjectExportEvent, SubjectExportError> {
        if self.0.is_some() {
            return Err(SubjectExportError::AlreadyExists);
        }
        let RequestExport { export_id, user_id, format, ref recipient } = *command;
        Ok(SubjectExportRequested { export_id, user_id, format, recipient: Personal::Clear(recipient.clone()) }.into())
    }

    fn request_audit(&self, command: &RequestAuditExport) -> Result<SubjectExportEvent, SubjectExportError> {
        if self.0.is_some() {
            return Err(SubjectExportError::AlreadyExists);
        }
        let RequestAuditExport { export_id, user_id, schedule_id, format, after_position, until_position, .. } = *command;
        let (filters, recipient) = (Personal::Clear(command.filters.clone()), Personal::Clear(command.recipient.clone()));
        let requested =
            AuditExportRequested { export_id, user_id, schedule_id, format, filters, recipient, after_position, until_position };
        Ok(requested.into())
    }

    fn request_answer(&self, command: &RequestAnswerExport, requested_by: UserId) -> Result<SubjectExportEvent, SubjectExportError> {
        if self.0.is_some() {
            return Err(SubjectExportError::AlreadyExists);
        }
        let RequestAnswerExport { export_id, user_id, request_id, format } = *command;
        Ok(AnswerExportRequested { export_id, user_id, request_id, format, requested_by }.into())
    }

    fn complete(&self, built: &CompleteExport, now: DateTime<Utc>) -> Result<Vec<SubjectExportEvent>, SubjectExportError> {
        let Export { schedule_id: schedule, request_id: answered, .. } = *self.known()?;
        let (export_id, user_id) = self.known()?.leaving_by(status::COMPLETE, now)?;
        let CompleteExport { events, size_bytes, digest } = *built;
        let days = if answered.is_some() { ANSWER_EXPIRES_AFTER_DAYS } else { EXPIRES_AFTER_DAYS };
        let expires_at = now + TimeDelta::days(days);
        let ready = SubjectExportReady { export_id, user_id, events, size_bytes, digest, expires_at }.into();
        let told = schedule.map(|schedule_id| AuditExportReady { export_id, user_id, schedule_id, expires_at }.into());
        Ok([ready].into_iter().chain(told).collect())
    }

    fn fail(&self, fault: ExportFault, now: DateTime<Utc>) -> Result<Vec<SubjectExportEvent>, SubjectExportError> {
        let schedule = self.known()?.schedule_id;
        let (export_id, user_id) = self.known()?.leaving_by(status::FAIL, now)?;
        let failed = SubjectExportFailed { export_id, user_id, fault }.into();
        let told = schedule.map(|schedule_id| AuditExportFailed { export_id, user_id, schedule_id, fault }.into());
        Ok([failed].into_iter().chain(told).collect())
    }

    /// Answers the person whose export it is; to anyone else it is not there.
    fn download(&self, user_id: UserId, now: DateTime<Utc>) -> Result<SubjectExportEvent, SubjectExportError> {
        let export = self.known().ok().filter(|export| export.user_id == user_id).ok_or(SubjectExportError::NotFound)?;
        if export.status_at(now) == ExportStatus::Expired {
            return Err(SubjectExportError::Expired);
        }
        let (export_id, user_id) = export.leaving_by(status::DOWNLOAD, now)?;
        Ok(SubjectExportDownloaded { export_id, user_id }.into())
    }

    /// That its time was over, where that is not recorded yet.
    fn expired(&self, now: DateTime<Utc>) -> Option<SubjectExportEvent> {
        let export = self.0.as_ref()?;
        let Export { export_id, user_id, .. } = *export;
        (export.status_at(now) != export.status).then(|| SubjectExportExpired { export_id, user_id }.into())
    }
}

impl Export {
    fn status_at(&self, now: DateTime<Utc>) -> ExportStatus {
        let over = status::EXPIRE.leads_from(self.status) && self.expires_at.is_some_and(|expires| expires <= now);
        if over { status::EXPIRE.to } else { self.status }
    }

    fn leaving_by(&self, transition: Transition<ExportStatus>, now: DateTime<Utc>) -> Result<(ExportId, UserId), SubjectExportError> {
        let from = self.status_at(now);
        if transition.leads_from(from) {
            Ok((self.export_id, self.user_id))
        } else {
            Err(SubjectExportError::TransitionForbidden { from, to: transition.to })
        }
    }
}

impl Aggregate for SubjectExport {
    const TYPE: &'static str = "subject_export";
    const SHAPE: u16 = 3;

    type Command = SubjectExportCommand;
    type Event = SubjectExportEvent;
    type Error = SubjectExportError;

    fn decide(&self, command: &SubjectExportCommand, facts: &Facts) -> Result<Vec<SubjectExportEvent>, SubjectExportError> {
        let decided = match command {
            SubjectExportCommand::Request(request) => self.request(request)?,
            SubjectExportCommand::RequestAudit(request) => self.request_audit(request)?,
            SubjectExportCommand::RequestAnswer(request) => self.request_answer(request, facts.actor)?,
            SubjectExportCommand::Start => {
                let (export_id, user_id) = self.known()?.leaving_by(status::BUILD, facts.now)?;
                SubjectExportStarted { export_id, user_id }.into()
            }
            SubjectExportCommand::Complete(built) => return self.complete(built, facts.now),
            SubjectExportCommand::Fail(fault) => return self.fail(*fault, facts.now),
            SubjectExportCommand::Download { user_id } => self.download(*user_id, facts.now)?,
            SubjectExportCommand::Expire => return Ok(self.expired(facts.now).into_iter().collect()),
        };
        Ok(vec![decided])
    }

    fn evolve(&mut self, event: &SubjectExportEvent) {
        let asked = |export_id, user_id, format| {
            let (status, expires_at) = (ExportStatus::Requested, None);
            Export { export_id, user_id, format, schedule_id: None, request_id: None, status, expires_at }
        };
        match event {
            SubjectExportEvent::SubjectExportRequested(requested) => {
                self.0 = Some(asked(requested.export_id, requested.user_id, requested.format));
            }
            SubjectExportEvent::AuditExportRequested(requested) => {
                let export = asked(requested.export_id, requested.user_id, requested.format);
                self.0 = Some(Export { schedule_id: Some(requested.schedule_id), ..export });
            }
            SubjectExportEvent::AnswerExportRequested(requested) => {
                let export = asked(requested.export_id, requested.user_id, requested.format);
                self.0 = Some(Export { request_id: Some(requested.request_id), ..export });
            }
            _ => {}
        }
        let Some(export) = &mut self.0 else { return };
        export.status = event.status();
        if let SubjectExportEvent::SubjectExportReady(ready) = event {
            export.expires_at = Some(ready.expires_at);
        }
    }
}
