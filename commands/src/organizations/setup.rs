//! The set-up of an organization before it is active (5A, E-123).

use super::{
    own_stream,
    provisioning::{is_incomplete, provisioning_stream},
    slug_claim, status,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    kernel::{Admission, Code, OrganizationId},
    organizations::organization::{Organization, OrganizationCommand, OrganizationStatus, SetupStep},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    CompleteSetupStep => permit "organizations.setup.complete", throttle Write;
    ActivateOrganization => permit "organizations.setup.activate", throttle Write;
}

/// Says that a step of the set-up is done, where that is not seen by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteSetupStep {
    pub organization_id: OrganizationId,
    pub step: SetupStep,
}

impl Operation for CompleteSetupStep {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        if !self.step.is_taken_at_word() {
            return Err(Refused::new(Code::Conflict, "organizations.step_seen_by_itself", "the step is done when it is seen to be"));
        }
        complete(unit, self.organization_id, self.step)
    }
}

fn complete(unit: &mut Unit<'_>, organization_id: OrganizationId, step: SetupStep) -> Result<Answer, Refused> {
    unit.run::<Organization>(organization_id, &OrganizationCommand::CompleteSetupStep(step))?;
    Ok(Answer::new("id", organization_id, status(unit.state::<Organization>(organization_id)?)))
}

/// Completes a step that was seen to be done. Outside of a set-up, and a second time, it is nothing.
pub struct ObserveSetupStep {
    pub organization_id: OrganizationId,
    pub step: SetupStep,
}

impl Operation for ObserveSetupStep {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let profile = unit.state::<Organization>(self.organization_id)?.profile();
        let awaited = profile.is_some_and(|profile| {
            let goes_on = matches!(profile.status, OrganizationStatus::PendingSetup | OrganizationStatus::Suspended);
            profile.setup_open && goes_on && !profile.setup_steps.contains(&self.step)
        });
        match awaited {
            true => complete(unit, self.organization_id, self.step),
            false => Ok(Answer::default()),
        }
    }
}

/// Ends the set-up: every step is done, what the platform prepares is there, and the organization is active.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateOrganization {
    pub organization_id: OrganizationId,
}

impl Operation for ActivateOrganization {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn reads(&self, _: &Admission) -> Vec<StreamRef> {
        vec![provisioning_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Organization>(self.organization_id, &OrganizationCommand::Activate)?;
        if is_incomplete(unit, self.organization_id)? {
            let reason = "organizations.provisioning_incomplete";
            return Err(Refused::new(Code::Conflict, reason, "the platform has not prepared everything yet"));
        }
        Ok(Answer::new("id", self.organization_id, status(unit.state::<Organization>(self.organization_id)?)))
    }
}

/// Gives up a set-up that was left lying, and its slug (E-126). One that went on meanwhile stays.
pub struct ExpireSetup {
    pub organization_id: OrganizationId,
    /// The last step that was done when it was last heard of.
    pub last_step: Option<SetupStep>,
}

impl Operation for ExpireSetup {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let profile = unit.state::<Organization>(self.organization_id)?.profile();
        let left = profile.filter(|found| found.status == OrganizationStatus::PendingSetup && found.last_setup_step == self.last_step);
        let Some(slug) = left.map(|profile| profile.slug.clone()) else { return Ok(Answer::default()) };
        unit.run::<Organization>(self.organization_id, &OrganizationCommand::Expire)?;
        unit.release(slug_claim(&slug));
        Ok(Answer::new("id", self.organization_id, OrganizationStatus::Expired.name()))
    }
}
