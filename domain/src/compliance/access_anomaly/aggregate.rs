//! The rules of an anomaly.

use super::{AccessAnomalyCommand, AccessAnomalyError, AccessAnomalyEvent, AcknowledgeAnomaly, AnomalyAcknowledged, AnomalyVerdict};
use crate::kernel::{Aggregate, Facts};
use serde::{Deserialize, Serialize};

/// What was said of it: nothing, until somebody looked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessAnomaly(Option<AnomalyVerdict>);

impl Aggregate for AccessAnomaly {
    const TYPE: &'static str = "access_anomaly";
    const SHAPE: u16 = 1;

    type Command = AccessAnomalyCommand;
    type Event = AccessAnomalyEvent;
    type Error = AccessAnomalyError;

    fn decide(&self, command: &AccessAnomalyCommand, facts: &Facts) -> Result<Vec<AccessAnomalyEvent>, AccessAnomalyError> {
        let AccessAnomalyCommand::Acknowledge(AcknowledgeAnomaly { anomaly_id, about, verdict }) = *command;
        if about == facts.actor {
            return Err(AccessAnomalyError::OwnAnomaly);
        }
        if self.0.is_some() {
            return Err(AccessAnomalyError::AlreadyAcknowledged);
        }
        Ok(vec![AnomalyAcknowledged { anomaly_id, about, verdict, acknowledged_by: facts.actor }.into()])
    }

    fn evolve(&mut self, event: &AccessAnomalyEvent) {
        let AccessAnomalyEvent::AnomalyAcknowledged(acknowledged) = event;
        self.0 = Some(acknowledged.verdict);
    }
}
