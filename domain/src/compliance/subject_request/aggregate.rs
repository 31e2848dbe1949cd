//! The rules of a subject request.

use super::{
    AnsweringDeletion, AnsweringExport, ReceiveRequest, SubjectRequestCommand, SubjectRequestError, SubjectRequestEvent,
    SubjectRequestExtended, SubjectRequestFulfilled, SubjectRequestKind, SubjectRequestOverdue, SubjectRequestReceived,
    SubjectRequestRefused, SubjectRequestStatus, SubjectRequestTaken, SubjectRequestWithdrawn, status,
};
use crate::{
    compliance::subject_export::ExportFormat,
    kernel::{Aggregate, Facts, Personal, SubjectRequestId, Transition, UserId, calendar::months_later, text::is_prose},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A month of the calendar.
const DUE_AFTER_MONTHS: u32 = 1;
/// "Two further months where necessary" (GDPR, article 12(3)).
pub const EXTENSION_MAX_MONTHS: u32 = 2;
/// What is older was answered long ago, or is a typing error.
pub const RECEIVED_MAX_MONTHS_AGO: u32 = 12;

/// What was asked, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub request_id: SubjectRequestId,
    pub user_id: UserId,
    pub kind: SubjectRequestKind,
    pub status: SubjectRequestStatus,
    received_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    extended: bool,
    /// Whether it is recorded that this due date passed.
    marked_overdue: bool,
}

/// A subject request: nothing, until received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectRequest(Option<Request>);

impl SubjectRequest {
    /// What was asked.
    pub fn request(&self) -> Option<&Request> {
        self.0.as_ref()
    }

    fn known(&self) -> Result<&Request, SubjectRequestError> {
        self.0.as_ref().ok_or(SubjectRequestError::NotFound)
    }

    /// Whose copy somebody makes who answers the request.
    ///
    /// # Errors
    /// A request that is not under way, is not for a copy, or is their own; a form that does not answer it.
    pub fn copy_by(&self, actor: UserId, format: ExportFormat) -> Result<UserId, SubjectRequestError> {
        let request = self.handled_by(actor)?.leaving_by(status::FULFIL)?;
        let kind = request.kind;
        if !kind.asks_for_copy() {
            return Err(SubjectRequestError::NoCopyAsked);
        }
        if kind.copy_formats().contains(&format) { Ok(request.user_id) } else { Err(SubjectRequestError::FormatUnfit(kind)) }
    }

    /// The request, for somebody who is not whose it is.
    fn handled_by(&self, actor: UserId) -> Result<&Request, SubjectRequestError> {
        let request = self.known()?;
        if request.user_id == actor { Err(SubjectRequestError::OwnRequest) } else { Ok(request) }
    }

    fn receive(&self, command: &ReceiveRequest, now: DateTime<Utc>) -> Result<SubjectRequestEvent, SubjectRequestError> {
        if self.0.is_some() {
            return Err(SubjectRequestError::AlreadyExists);
        }
        let received_at = command.received_at.unwrap_or(now);
        if received_at > now || months_later(received_at, RECEIVED_MAX_MONTHS_AGO) < now {
            return Err(SubjectRequestError::ReceivedAtInvalid);
        }
        Ok(SubjectRequestReceived {
            request_id: command.request_id,
            user_id: command.user_id,
            kind: command.kind,
            details: sealed(command.details.as_ref(), "details")?,
            received_at,
            due_at: months_later(received_at, DUE_AFTER_MONTHS),
        }
        .into())
    }

    fn extend(&self, months: u32, reason: &str, facts: &Facts) -> Result<SubjectRequestEvent, SubjectRequestError> {
        let request = self.handled_by(facts.actor)?;
        if !request.status.is_open() {
            return Err(request.forbidden(SubjectRequestStatus::InProgress));
        }
        if request.extended {
            return Err(SubjectRequestError::AlreadyExtended);
        }
        if !(1..=EXTENSION_MAX_MONTHS).contains(&months) {
            return Err(SubjectRequestError::ExtensionInvalid);
        }
        if !is_prose(reason) {
            return Err(SubjectRequestError::TextInvalid("reason"));
        }
        if facts.now >= request.due_at {
            return Err(SubjectRequestError::ExtendedTooLate);
        }
        // From the day of receipt, so that the end of a short month does not shorten the whole.
        let due_at = months_later(request.received_at, DUE_AFTER_MONTHS + months);
        let (request_id, user_id, extended_by) = (request.request_id, request.user_id, facts.actor);
        Ok(SubjectRequestExtended { request_id, user_id, extended_by, reason: Personal::Clear(reason.to_owned()), due_at }.into())
    }

    /// A request for a copy is answered by the copy, any other by what somebody did, which they say.
    fn fulfil(
        &self,
        note: Option<&String>,
        deletion: Option<AnsweringDeletion>,
        export: Option<AnsweringExport>,
        actor: UserId,
    ) -> Result<SubjectRequestEvent, SubjectRequestError> {
        let request = self.handled_by(actor)?.leaving_by(status::FULFIL)?;
        let deletion_request_id = deletion.map(|deletion| request.erased_by(deletion)).transpose()?;
        match (request.kind.asks_for_copy(), export) {
            (true, None) => return Err(SubjectRequestError::ExportRequired),
            (false, Some(_)) => return Err(SubjectRequestError::NoCopyAsked),
            (false, None) if note.is_none() => return Err(SubjectRequestError::NoteRequired),
            _ => {}
        }
        let (request_id, user_id, note) = (request.request_id, request.user_id, sealed(note, "note")?);
        let (export_id, available_until) = export.map(|export| (export.export_id, export.available_until)).unzip();
        let fulfilled_by = actor;
        Ok(SubjectRequestFulfilled { request_id, user_id, fulfilled_by, note, deletion_request_id, export_id, available_until }.into())
    }

    fn withdraw(&self, user_id: UserId) -> Result<SubjectRequestEvent, SubjectRequestError> {
        let request = self.known().ok().filter(|request| request.user_id == user_id).ok_or(SubjectRequestError::NotFound)?;
        let request_id = request.leaving_by(status::WITHDRAW)?.request_id;
        Ok(SubjectRequestWithdrawn { request_id, user_id }.into())
    }

    /// That it is overdue, where that is not recorded of this due date yet.
    fn overdue(&self, now: DateTime<Utc>) -> Option<SubjectRequestEvent> {
        let request = self.0.as_ref().filter(|request| request.status.is_open() && !request.marked_overdue)?;
        let Request { request_id, user_id, due_at, .. } = *request;
        (due_at <= now).then(|| SubjectRequestOverdue { request_id, user_id, due_at }.into())
    }
}

impl Request {
    /// The deletion that answers it: of whoever asked, and no mere wish any more.
    fn erased_by(&self, deletion: AnsweringDeletion) -> Result<Uuid, SubjectRequestError> {
        if self.kind != SubjectRequestKind::Erasure {
            return Err(SubjectRequestError::NoErasure);
        }
        if deletion.user_id != Some(self.user_id) {
            return Err(SubjectRequestError::DeletionNotFound);
        }
        if deletion.approved { Ok(deletion.request_id.0) } else { Err(SubjectRequestError::DeletionNotApproved) }
    }

    fn leaving_by(&self, transition: Transition<SubjectRequestStatus>) -> Result<&Self, SubjectRequestError> {
        if transition.leads_from(self.status) { Ok(self) } else { Err(self.forbidden(transition.to)) }
    }

    fn forbidden(&self, to: SubjectRequestStatus) -> SubjectRequestError {
        SubjectRequestError::TransitionForbidden { from: self.status, to }
    }
}

impl Aggregate for SubjectRequest {
    const TYPE: &'static str = "subject_request";
    const SHAPE: u16 = 1;

    type Command = SubjectRequestCommand;
    type Event = SubjectRequestEvent;
    type Error = SubjectRequestError;

    fn decide(&self, command: &SubjectRequestCommand, facts: &Facts) -> Result<Vec<SubjectRequestEvent>, SubjectRequestError> {
        let decided = match command {
            SubjectRequestCommand::Receive(receive) => self.receive(receive, facts.now)?,
            SubjectRequestCommand::Take => {
                let request = self.handled_by(facts.actor)?.leaving_by(status::TAKE)?;
                let (request_id, user_id) = (request.request_id, request.user_id);
                SubjectRequestTaken { request_id, user_id, taken_by: facts.actor }.into()
            }
            SubjectRequestCommand::Extend { months, reason } => self.extend(*months, reason, facts)?,
            SubjectRequestCommand::Fulfil { note, deletion, export } => self.fulfil(note.as_ref(), *deletion, *export, facts.actor)?,
            SubjectRequestCommand::Refuse { ground, note } => {
                let request = self.handled_by(facts.actor)?.leaving_by(status::REFUSE)?;
                let (request_id, user_id, note) = (request.request_id, request.user_id, sealed(note.as_ref(), "note")?);
                SubjectRequestRefused { request_id, user_id, refused_by: facts.actor, ground: *ground, note }.into()
            }
            SubjectRequestCommand::Withdraw { user_id } => self.withdraw(*user_id)?,
            SubjectRequestCommand::MarkOverdue => return Ok(self.overdue(facts.now).into_iter().collect()),
        };
        Ok(self.overdue(facts.now).into_iter().chain([decided]).collect())
    }

    fn evolve(&mut self, event: &SubjectRequestEvent) {
        if let SubjectRequestEvent::SubjectRequestReceived(received) = event {
            self.0 = Some(Request {
                request_id: received.request_id,
                user_id: received.user_id,
                kind: received.kind,
                status: SubjectRequestStatus::Received,
                received_at: received.received_at,
                due_at: received.due_at,
                extended: false,
                marked_overdue: false,
            });
        }
        let Some(request) = &mut self.0 else { return };
        match event {
            SubjectRequestEvent::SubjectRequestExtended(extended) => {
                request.due_at = extended.due_at;
                request.extended = true;
                request.marked_overdue = false;
            }
            SubjectRequestEvent::SubjectRequestOverdue(_) => request.marked_overdue = true,
            _ => {}
        }
        if let Some(status) = event.status() {
            request.status = status;
        }
    }
}

fn sealed(text: Option<&String>, field: &'static str) -> Result<Option<Personal<String>>, SubjectRequestError> {
    match text {
        Some(text) if !is_prose(text) => Err(SubjectRequestError::TextInvalid(field)),
        text => Ok(text.cloned().map(Personal::Clear)),
    }
}
