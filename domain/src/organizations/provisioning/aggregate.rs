//! The rules of provisioning.

use super::{
    ProvisioningBegun, ProvisioningCommand, ProvisioningCompleted, ProvisioningError, ProvisioningEvent, ProvisioningFault,
    ProvisioningGivenUp, ProvisioningRetried, ProvisioningStep, ProvisioningStepCompleted, ProvisioningStepFailed,
};
use crate::kernel::{Aggregate, Facts, OrganizationId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// So often a step is tried in one round.
pub const ATTEMPTS_MAX: u32 = 6;
/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// Where a provisioning stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProvisioningStatus {
    Running,
    GivenUp,
    Complete,
}

/// The provisioning of one organization: nothing, until it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provisioning(Option<Progress>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    organization_id: OrganizationId,
    status: ProvisioningStatus,
    done: BTreeSet<ProvisioningStep>,
    /// Failed attempts of the step that is next, in this round.
    failures: u32,
}

impl Provisioning {
    pub fn status(&self) -> Option<ProvisioningStatus> {
        self.0.as_ref().map(|progress| progress.status)
    }

    /// The step that is to be done, and the number of its next attempt.
    pub fn next(&self) -> Option<(ProvisioningStep, u32)> {
        let progress = self.0.as_ref().filter(|progress| progress.status == ProvisioningStatus::Running)?;
        let step = ProvisioningStep::ALL.into_iter().find(|step| !progress.done.contains(step))?;
        Some((step, progress.failures + 1))
    }

    fn known(&self) -> Result<&Progress, ProvisioningError> {
        self.0.as_ref().ok_or(ProvisioningError::NotFound)
    }

    fn complete(&self, step: ProvisioningStep) -> Result<Vec<ProvisioningEvent>, ProvisioningError> {
        let organization_id = self.known()?.organization_id;
        if self.next().map(|(next, _)| next) != Some(step) {
            return Err(ProvisioningError::NotThisStep);
        }
        let last = ProvisioningStep::ALL.last() == Some(&step);
        let ended = last.then(|| ProvisioningCompleted { organization_id }.into());
        Ok([ProvisioningStepCompleted { organization_id, step }.into()].into_iter().chain(ended).collect())
    }

    fn fail(
        &self,
        step: ProvisioningStep,
        attempt: u32,
        fault: ProvisioningFault,
        now: DateTime<Utc>,
    ) -> Result<Vec<ProvisioningEvent>, ProvisioningError> {
        let organization_id = self.known()?.organization_id;
        match self.next() {
            Some((next, number)) if next == step && number == attempt => {}
            Some((next, _)) if next == step => return Err(ProvisioningError::AttemptStale),
            _ => return Err(ProvisioningError::NotThisStep),
        }
        let again = attempt < ATTEMPTS_MAX;
        let retry_at = again.then(|| now + FIRST_PAUSE * 2_i32.pow(attempt.saturating_sub(1)));
        let failed = ProvisioningStepFailed { organization_id, step, fault, attempt, retry_at }.into();
        let given_up = (!again).then(|| ProvisioningGivenUp { organization_id, step }.into());
        Ok([failed].into_iter().chain(given_up).collect())
    }
}

impl Aggregate for Provisioning {
    const TYPE: &'static str = "provisioning";
    const SHAPE: u16 = 1;

    type Command = ProvisioningCommand;
    type Event = ProvisioningEvent;
    type Error = ProvisioningError;

    fn decide(&self, command: &ProvisioningCommand, facts: &Facts) -> Result<Vec<ProvisioningEvent>, ProvisioningError> {
        match *command {
            ProvisioningCommand::Begin(_) if self.0.is_some() => Err(ProvisioningError::BegunAlready),
            ProvisioningCommand::Begin(organization_id) => Ok(vec![ProvisioningBegun { organization_id }.into()]),
            ProvisioningCommand::CompleteStep(step) => self.complete(step),
            ProvisioningCommand::FailStep { step, attempt, fault } => self.fail(step, attempt, fault, facts.now),
            ProvisioningCommand::Retry => match self.known()? {
                Progress { status: ProvisioningStatus::GivenUp, organization_id, .. } => {
                    Ok(vec![ProvisioningRetried { organization_id: *organization_id }.into()])
                }
                _ => Err(ProvisioningError::NotGivenUp),
            },
        }
    }

    fn evolve(&mut self, event: &ProvisioningEvent) {
        if let ProvisioningEvent::ProvisioningBegun(begun) = event {
            let organization_id = begun.organization_id;
            self.0 = Some(Progress { organization_id, status: ProvisioningStatus::Running, done: BTreeSet::new(), failures: 0 });
        }
        let Some(progress) = &mut self.0 else { return };
        match event {
            ProvisioningEvent::ProvisioningBegun(_) => {}
            ProvisioningEvent::ProvisioningStepCompleted(completed) => {
                progress.done.insert(completed.step);
                progress.failures = 0;
            }
            ProvisioningEvent::ProvisioningStepFailed(failed) => progress.failures = failed.attempt,
            ProvisioningEvent::ProvisioningGivenUp(_) => progress.status = ProvisioningStatus::GivenUp,
            ProvisioningEvent::ProvisioningRetried(_) => {
                progress.status = ProvisioningStatus::Running;
                progress.failures = 0;
            }
            ProvisioningEvent::ProvisioningCompleted(_) => progress.status = ProvisioningStatus::Complete,
        }
    }
}
