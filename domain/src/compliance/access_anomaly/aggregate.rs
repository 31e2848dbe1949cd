//! The rules of an anomaly.

use super::{
    AccessAnomalyCommand, AccessAnomalyError, AccessAnomalyEvent, AcknowledgeAnomaly, AnomalyAcknowledged, AnomalyRaised, AnomalyVerdict,
    RaiseAnomaly,
};
use crate::kernel::{Aggregate, Facts, Personal, text::is_prose};
use serde::{Deserialize, Serialize};

/// Whether people were told of it, and what somebody said who looked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessAnomaly {
    raised: bool,
    verdict: Option<AnomalyVerdict>,
}

impl AccessAnomaly {
    /// Told once, and not where somebody has looked at it already.
    fn raise(&self, raise: &RaiseAnomaly) -> Option<AccessAnomalyEvent> {
        let RaiseAnomaly { anomaly_id, rule, about, sightings, ref told } = *raise;
        let news = !self.raised && self.verdict.is_none();
        news.then(|| AnomalyRaised { anomaly_id, rule, about, sightings, told: told.iter().copied().collect() }.into())
    }
}

impl Aggregate for AccessAnomaly {
    const TYPE: &'static str = "access_anomaly";
    const SHAPE: u16 = 2;

    type Command = AccessAnomalyCommand;
    type Event = AccessAnomalyEvent;
    type Error = AccessAnomalyError;

    fn decide(&self, command: &AccessAnomalyCommand, facts: &Facts) -> Result<Vec<AccessAnomalyEvent>, AccessAnomalyError> {
        let AcknowledgeAnomaly { anomaly_id, about, verdict, ref note } = *match command {
            AccessAnomalyCommand::Raise(raise) => return Ok(self.raise(raise).into_iter().collect()),
            AccessAnomalyCommand::Acknowledge(acknowledge) => acknowledge,
        };
        if note.as_ref().is_some_and(|note| !is_prose(note)) {
            return Err(AccessAnomalyError::NoteInvalid);
        }
        if about == facts.actor {
            return Err(AccessAnomalyError::OwnAnomaly);
        }
        if self.verdict.is_some() {
            return Err(AccessAnomalyError::AlreadyAcknowledged);
        }
        Ok(vec![
            AnomalyAcknowledged { anomaly_id, about, verdict, acknowledged_by: facts.actor, note: note.clone().map(Personal::Clear) }
                .into(),
        ])
    }

    fn evolve(&mut self, event: &AccessAnomalyEvent) {
        match event {
            AccessAnomalyEvent::AnomalyRaised(_) => self.raised = true,
            AccessAnomalyEvent::AnomalyAcknowledged(acknowledged) => self.verdict = Some(acknowledged.verdict),
        }
    }
}
