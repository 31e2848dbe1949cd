//! What people ask under data protection law, and how the organization answers it.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use crate::ids::new_id;
use palmares_domain::{
    compliance::subject_request::{
        ReceiveRequest, RequestRefusal, SubjectRequest, SubjectRequestCommand, SubjectRequestKind, SubjectRequestStatus,
    },
    identity::user::{User, UserError},
    kernel::{Admission, SubjectRequestId, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    ReceiveSubjectRequest => permit "compliance.subject_request.receive", throttle Write, owner |receive| Some(receive.user_id);
    WithdrawSubjectRequest => permit "compliance.subject_request.withdraw", throttle Write, owner |withdraw| Some(withdraw.user_id);
    TakeSubjectRequest => permit "compliance.subject_request.take", throttle Write;
    ExtendSubjectRequest => permit "compliance.subject_request.extend", throttle Write;
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
        let receive = ReceiveRequest { request_id, user_id: self.user_id, kind: self.kind, details: self.details.clone() };
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

    /// Says that a request was answered as it asked; a request for erasure by which deletion.
    FulfilSubjectRequest {
        #[schema(min_length = 1, max_length = 500)] note: Option<String>,
        deletion_request_id: Option<Uuid>
    } => |step| SubjectRequestCommand::Fulfil { note: step.note.clone(), deletion_request_id: step.deletion_request_id }, status;

    /// Refuses a request, on a ground that the law knows.
    RefuseSubjectRequest {
        ground: RequestRefusal,
        #[schema(min_length = 1, max_length = 500)] note: Option<String>
    } => |step| SubjectRequestCommand::Refuse { ground: step.ground, note: step.note.clone() }, status;

    /// Records that a request is overdue, where it is.
    MarkRequestOverdue => |_| SubjectRequestCommand::MarkOverdue, status;
}
