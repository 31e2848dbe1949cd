//! What the gate has on record: refusals, reads of sensitive data, exports.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::access_record::{AccessRecord, AccessRecordCommand},
    kernel::{Admission, UserId},
};

/// Adds to the access record of the user who acted. The gate itself asks for it: no route does.
#[derive(Clone, Debug)]
pub struct RecordAccess(pub AccessRecordCommand);

impl RecordAccess {
    fn user(&self) -> UserId {
        match &self.0 {
            AccessRecordCommand::Refusal(refusal) => refusal.user_id,
            AccessRecordCommand::SensitiveRead(read) => read.user_id,
            AccessRecordCommand::Export(export) => export.user_id,
            AccessRecordCommand::WholeExport(export) => export.user_id,
        }
    }
}

impl Operation for RecordAccess {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![StreamRef::of::<AccessRecord>(admission.organization, self.user())]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<AccessRecord>(self.user(), &self.0)?;
        Ok(Answer::new("id", self.user(), "RECORDED"))
    }
}
