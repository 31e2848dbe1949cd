//! What people take out of what is recorded of them.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use crate::ids::new_id;
use palmares_domain::{
    compliance::subject_export::{self, ExportFault, ExportFormat, ExportStatus, SubjectExport, SubjectExportCommand},
    identity::user::{User, UserError},
    kernel::{Admission, Code, ExportId, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

pub use palmares_domain::compliance::subject_export::CompleteExport as BuiltExport;

crate::capabilities! {
    RequestExport => permit "compliance.subject_export.request", throttle Export, owner |request| Some(request.user_id);
}

/// Asks for everything that is recorded of oneself: every event that names one, and who read it. It is
/// built in a while, sealed (age-encryption.org/v1) to a key, and deleted seven days later.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestExport {
    pub user_id: UserId,
    pub format: ExportFormat,
    /// One's own public key (`age1…`). Without it a key is made and shown once, in the answer, as `identity`:
    /// nobody else has it, so whoever loses it asks for another export.
    #[schema(max_length = 100)]
    pub recipient: Option<String>,
}

pub(super) fn export_stream(admission: &Admission, export: ExportId) -> StreamRef {
    StreamRef::of::<SubjectExport>(admission.organization, export)
}

impl RequestExport {
    fn id(admission: &Admission) -> ExportId {
        ExportId(new_id(admission, "subject_export"))
    }
}

impl Operation for RequestExport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![export_stream(admission, Self::id(admission))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (export_id, user_id, format) = (Self::id(unit.admission()), self.user_id, self.format);
        if unit.admission().actor != user_id {
            return Err(Refused::new(Code::AccessDenied, "compliance.export_of_another", "an export is one's own"));
        }
        if unit.state::<User>(user_id)?.profile().is_none() {
            return Err(UserError::NotFound.into());
        }
        let recipient = self.recipient.clone().ok_or_else(|| Refused::field("recipient", "required"))?;
        let request = subject_export::RequestExport { export_id, user_id, format, recipient };
        unit.run::<SubjectExport>(export_id, &SubjectExportCommand::Request(request))?;
        Ok(Answer::new("id", export_id, ExportStatus::Requested.name()))
    }
}

fn recorded(_: &SubjectExport) -> &'static str {
    "RECORDED"
}

crate::life_cycle::steps! { SubjectExport, export_id: ExportId, export_stream;
    /// Begins to build it.
    StartExport => |_| SubjectExportCommand::Start, recorded;

    /// Says why it could not be built.
    FailExport { fault: ExportFault } => |step| SubjectExportCommand::Fail(step.fault), recorded;

    /// Records that whoever's it is downloaded it.
    DownloadExport { user_id: UserId } => |step| SubjectExportCommand::Download { user_id: step.user_id }, recorded;

    /// Records that its time is over, where it is.
    ExpireExport => |_| SubjectExportCommand::Expire, recorded;
}

/// Says that it is built.
#[derive(Debug)]
pub struct CompleteExport {
    pub export_id: ExportId,
    pub built: BuiltExport,
}

impl Operation for CompleteExport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![export_stream(admission, self.export_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<SubjectExport>(self.export_id, &SubjectExportCommand::Complete(self.built.clone()))?;
        Ok(Answer::new("id", self.export_id, ExportStatus::Ready.name()))
    }
}
