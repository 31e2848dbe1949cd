//! What people ask under data protection law, and how the organization answers it.

use super::{request_stream as deletion_stream, subject_exports::export_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use crate::ids::new_id;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::{
        deletion_request::DeletionRequest,
        subject_export::{self, ExportFormat, ExportStatus, SubjectExport, SubjectExportCommand, SubjectExportError},
        subject_request::{
            AnsweringDeletion, AnsweringExport, ReceiveRequest, RequestRefusal, SubjectRequest, SubjectRequestCommand, SubjectRequestKind,
            SubjectRequestStatus,
        },
    },
    identity::user::{User, UserError},
    kernel::{Admission, Code, DeletionRequestId, ExportId, SubjectRequestId, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    ReceiveSubjectRequest => permit "compliance.subject_request.receive", throttle Write, owner |receive| Some(receive.user_id);
    WithdrawSubjectRequest => permit "compliance.subject_request.withdraw", throttle Write, owner |withdraw| Some(withdraw.user_id);
    TakeSubjectRequest => permit "compliance.subject_request.take", throttle Write;
    ExtendSubjectRequest => permit "compliance.subject_request.extend", throttle Write;
    RequestAnswerExport => permit "compliance.subject_request.export", throttle Export;
    FulfilSubjectRequest => permit "compliance.subject_request.fulfil", throttle Write;
    RefuseSubjectRequest => permit "compliance.subject_request.refuse", throttle Write;
}

/// Asks for one's rights; somebody has a month to answer. An officer records in the same way what
/// reached them otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveSubjectRequest {
    /// Whose request it is.
    pub user_id: UserId,
    pub kind: SubjectRequestKind,
    #[schema(min_length = 1, max_length = 500)]
    pub details: Option<String>,
    /// When it reached the organization by another way, at most a year ago: the month to answer counts from
    /// then. Who asks for themselves asks now.
    pub received_at: Option<DateTime<Utc>>,
}

/// Takes one's own request back, while nobody has answered it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawSubjectRequest {
    pub user_id: UserId,
    pub request_id: SubjectRequestId,
}

fn request_stream(admission: &Admission, request: SubjectRequestId) -> StreamRef {
    StreamRef::of::<SubjectRequest>(admission.organization, request)
}

impl ReceiveSubjectRequest {
    fn id(admission: &Admission) -> SubjectRequestId {
        SubjectRequestId(new_id(admission, "subject_request"))
    }
}

impl Operation for ReceiveSubjectRequest {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, Self::id(admission))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let request_id = Self::id(unit.admission());
        if unit.state::<User>(self.user_id)?.profile().is_none() {
            return Err(UserError::NotFound.into());
        }
        if self.received_at.is_some() && unit.admission().actor == self.user_id {
            return Err(Refused::field("received_at", "compliance.request_received_now"));
        }
        let Self { user_id, kind, ref details, received_at } = *self;
        let receive = ReceiveRequest { request_id, user_id, kind, details: details.clone(), received_at };
        unit.run::<SubjectRequest>(request_id, &SubjectRequestCommand::Receive(receive))?;
        let due_at = unit.state::<SubjectRequest>(request_id)?.request().map(|request| request.due_at.to_rfc3339());
        Ok(Answer::new("id", request_id, SubjectRequestStatus::Received.name()).with("due_at", due_at))
    }
}

impl Operation for WithdrawSubjectRequest {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<SubjectRequest>(self.request_id, &SubjectRequestCommand::Withdraw { user_id: self.user_id })?;
        Ok(Answer::new("id", self.request_id, SubjectRequestStatus::Withdrawn.name()))
    }
}

fn status(request: &SubjectRequest) -> &'static str {
    request.request().map_or("", |request| request.status.name())
}

crate::life_cycle::steps! { SubjectRequest, request_id: SubjectRequestId, request_stream;
    /// Takes a request up.
    TakeSubjectRequest => |_| SubjectRequestCommand::Take, status;

    /// Gives a request one or two months more, once, with a reason that stands in the list of whoever asked.
    ExtendSubjectRequest {
        #[schema(minimum = 1, maximum = 2)] months: u32,
        #[schema(min_length = 1, max_length = 500)] reason: String
    } => |step| SubjectRequestCommand::Extend { months: step.months, reason: step.reason.clone() }, status;

    /// Refuses a request, on a ground that the law knows.
    RefuseSubjectRequest {
        ground: RequestRefusal,
        #[schema(min_length = 1, max_length = 500)] note: Option<String>
    } => |step| SubjectRequestCommand::Refuse { ground: step.ground, note: step.note.clone() }, status;

    /// Records that a request is overdue, where it is.
    MarkRequestOverdue => |_| SubjectRequestCommand::MarkOverdue, status;
}

/// Has the copy made that a request for access or portability asks for, while it is in progress. Whoever asked gets
/// it alone: the key that opens the file stands in the letter that fulfilling the request sends them, and nobody
/// else is shown the file or the key. It can be fetched for 30 days.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestAnswerExport {
    pub request_id: SubjectRequestId,
    /// `json`, which holds the whole of it; `csv` answers a request for portability too.
    pub format: ExportFormat,
}

impl RequestAnswerExport {
    fn id(admission: &Admission) -> ExportId {
        ExportId(new_id(admission, "subject_export"))
    }
}

impl Operation for RequestAnswerExport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![export_stream(admission, Self::id(admission))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (export_id, actor) = (Self::id(unit.admission()), unit.facts().actor);
        let Self { request_id, format } = *self;
        let user_id = unit.state::<SubjectRequest>(request_id)?.copy_by(actor, format)?;
        let request = subject_export::RequestAnswerExport { export_id, user_id, request_id, format };
        unit.run::<SubjectExport>(export_id, &SubjectExportCommand::RequestAnswer(request))?;
        Ok(Answer::new("id", export_id, ExportStatus::Requested.name()))
    }
}

/// Says that a request was answered, and tells whoever asked by a letter. A request for access or portability is
/// answered by the export that `POST /subject-requests/{request_id}/exports` made, once it is ready; any other by
/// what was done, which the note says. Palmares itself does nothing more: it restricts no processing and stops
/// none to which somebody objected, and corrects or deletes nothing by this. `effect` in the answer says so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilSubjectRequest {
    pub request_id: SubjectRequestId,
    /// What was done. Required where no copy is asked for.
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
    /// The deletion that answers a request for erasure: of whoever asked, and approved.
    pub deletion_request_id: Option<Uuid>,
    /// The export that answers a request for access or portability.
    pub export_id: Option<ExportId>,
}

impl Operation for FulfilSubjectRequest {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let export = self.export_id.map(|export| export_stream(admission, export));
        let deletion = self.deletion_request_id.map(|deletion| deletion_stream(admission, DeletionRequestId(deletion)));
        export.into_iter().chain(deletion).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { request_id, ref note, deletion_request_id, export_id } = *self;
        let export = export_id.map(|export| answering(unit, export, request_id)).transpose()?;
        let deletion = deletion_request_id.map(|deletion| erasing(unit, DeletionRequestId(deletion))).transpose()?;
        let fulfil = SubjectRequestCommand::Fulfil { note: note.clone(), deletion, export };
        unit.run::<SubjectRequest>(request_id, &fulfil)?;
        let effect = if export.is_some() { "COPY_PROVIDED" } else { "RECORDED_ONLY" };
        Ok(Answer::new("id", request_id, SubjectRequestStatus::Fulfilled.name()).with("effect", effect))
    }
}

/// The deletion that is said to answer a request, as its own stream knows it.
fn erasing(unit: &mut Unit<'_>, deletion: DeletionRequestId) -> Result<AnsweringDeletion, Refused> {
    Ok(AnsweringDeletion::of(deletion, unit.state::<DeletionRequest>(deletion)?.dossier()))
}

/// The export that was made for a request, once it can be fetched.
fn answering(unit: &mut Unit<'_>, export_id: ExportId, request: SubjectRequestId) -> Result<AnsweringExport, Refused> {
    let now = unit.facts().now;
    let state = unit.state::<SubjectExport>(export_id)?;
    let Some(export) = state.export().filter(|export| export.request_id == Some(request)) else {
        return Err(SubjectExportError::NotFound.into());
    };
    let refused = |reason, detail: &str| Err(Refused::new(Code::Conflict, reason, detail));
    match (state.status_at(now), export.expires_at) {
        (Some(ExportStatus::Ready | ExportStatus::Downloaded), Some(available_until)) => Ok(AnsweringExport { export_id, available_until }),
        (Some(ExportStatus::Failed), _) => refused("compliance.export_failed", "the export could not be built"),
        (Some(ExportStatus::Expired), _) => Err(SubjectExportError::Expired.into()),
        _ => refused("compliance.export_not_ready", "the export is being built"),
    }
}
