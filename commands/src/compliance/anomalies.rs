//! What looked wrong in the audit log, looked at.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::access_anomaly::{self, AccessAnomaly, AccessAnomalyCommand, AnomalyVerdict},
    kernel::{Admission, AnomalyId, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    AcknowledgeAnomaly => permit "compliance.anomaly.acknowledge", throttle Write;
}

/// Says that somebody else than who did it looked at it, and what it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeAnomaly {
    pub anomaly_id: AnomalyId,
    pub verdict: AnomalyVerdict,
    /// Who did it, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub about: Option<UserId>,
}

impl Operation for AcknowledgeAnomaly {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![StreamRef::of::<AccessAnomaly>(admission.organization, self.anomaly_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { anomaly_id, verdict, about } = *self;
        let about = about.ok_or_else(|| Refused::field("anomaly_id", "required"))?;
        let acknowledge = access_anomaly::AcknowledgeAnomaly { anomaly_id, about, verdict };
        unit.run::<AccessAnomaly>(anomaly_id, &AccessAnomalyCommand::Acknowledge(acknowledge))?;
        Ok(Answer::new("id", anomaly_id, "ACKNOWLEDGED"))
    }
}
