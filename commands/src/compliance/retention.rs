//! How long an organization keeps what.

use super::{looks_after_compliance, schedule_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::retention_schedule::{self, RecordClass, RetentionCommand, RetentionSchedule},
    kernel::{Admission, Code},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    SetRetentionPeriod => permit "compliance.retention_schedule.set", throttle Write;
}

/// Sets how long a class of records is kept, within what the platform asks. To keep something for a shorter time is for
/// the organization's compliance officers and the platform: whoever administers it does not get around what has to be
/// kept (E-47).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRetentionPeriod {
    pub class: RecordClass,
    pub days: u32,
}

impl Operation for SetRetentionPeriod {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![schedule_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let organization = unit.organization();
        let shortens = self.days < unit.state::<RetentionSchedule>(organization)?.days(self.class);
        let set = retention_schedule::SetRetentionPeriod { class: self.class, days: self.days };
        unit.run::<RetentionSchedule>(organization, &RetentionCommand::Set(set))?;
        if shortens && !looks_after_compliance(unit) {
            let denied = Refused::new(Code::AccessDenied, "compliance.retention_not_yours_to_shorten", "a compliance officer shortens it");
            return Err(Refused { attempt: true, ..denied });
        }
        Ok(Answer::new("id", organization, "SET").with("class", self.class.name()).with("days", self.days))
    }
}
