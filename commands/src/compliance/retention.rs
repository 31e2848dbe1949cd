//! How long an organization keeps what.

use super::schedule_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::retention_schedule::{self, RecordClass, RetentionCommand, RetentionSchedule},
    kernel::Admission,
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    SetRetentionPeriod => permit "compliance.retention_schedule.set", throttle Write;
}

/// Sets how long a class of records is kept, within what the platform asks.
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
        let set = retention_schedule::SetRetentionPeriod { class: self.class, days: self.days };
        unit.run::<RetentionSchedule>(organization, &RetentionCommand::Set(set))?;
        Ok(Answer::new("id", organization, "SET").with("class", self.class.name()).with("days", self.days))
    }
}
