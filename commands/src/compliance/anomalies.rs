//! What looks wrong in the audit log: told to people, and looked at.

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

fn anomaly_stream(admission: &Admission, anomaly: AnomalyId) -> StreamRef {
    StreamRef::of::<AccessAnomaly>(admission.organization, anomaly)
}

/// Tells people of an anomaly, once. What counts asks for it: no route does.
#[derive(Clone, Debug)]
pub struct RaiseAnomaly(pub access_anomaly::RaiseAnomaly);

impl Operation for RaiseAnomaly {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![anomaly_stream(admission, self.0.anomaly_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<AccessAnomaly>(self.0.anomaly_id, &AccessAnomalyCommand::Raise(self.0.clone()))?;
        Ok(Answer::new("id", self.0.anomaly_id, "RAISED"))
    }
}

/// Says that somebody else than who did it looked at it, and what it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeAnomaly {
    pub anomaly_id: AnomalyId,
    pub verdict: AnomalyVerdict,
    /// What was found out. It is sealed with the case.
    #[schema(max_length = 500)]
    pub note: Option<String>,
    /// Who did it, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub about: Option<UserId>,
}

impl Operation for AcknowledgeAnomaly {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![anomaly_stream(admission, self.anomaly_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { anomaly_id, verdict, ref note, about } = *self;
        let about = about.ok_or_else(|| Refused::field("anomaly_id", "required"))?;
        let acknowledge = access_anomaly::AcknowledgeAnomaly { anomaly_id, about, verdict, note: note.clone() };
        unit.run::<AccessAnomaly>(anomaly_id, &AccessAnomalyCommand::Acknowledge(acknowledge))?;
        Ok(Answer::new("id", anomaly_id, "ACKNOWLEDGED"))
    }
}
