//! What the platform prepares for an organization before its people come (H-97). The reactor that
//! provisions asks for the steps; a request only asks for another round (E-126).

use super::own_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    kernel::{Admission, OrganizationId},
    organizations::{
        organization::{Organization, OrganizationError},
        provisioning::{Provisioning, ProvisioningCommand, ProvisioningStatus},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    RetryProvisioning => permit "organizations.provisioning.retry", throttle Write;
}

pub(super) fn provisioning_stream(organization: OrganizationId) -> StreamRef {
    StreamRef::of::<Provisioning>(organization, organization)
}

/// Whether an organization that is provisioned lacks something yet.
pub(super) fn is_incomplete(unit: &mut Unit<'_>, organization: OrganizationId) -> Result<bool, Refused> {
    let status = unit.state::<Provisioning>(organization)?.status();
    Ok(status.is_some_and(|status| status != ProvisioningStatus::Complete))
}

/// Records what became of a step of an organization's provisioning.
pub struct RecordProvisioning {
    pub organization_id: OrganizationId,
    pub command: ProvisioningCommand,
}

impl Operation for RecordProvisioning {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![provisioning_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Provisioning>(self.organization_id, &self.command)?;
        Ok(Answer::new("id", self.organization_id, "RECORDED"))
    }
}

/// Asks for another round of what was given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryProvisioning {
    pub organization_id: OrganizationId,
}

impl Operation for RetryProvisioning {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![provisioning_stream(self.organization_id)]
    }

    fn reads(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let profile = unit.state::<Organization>(self.organization_id)?.profile();
        if profile.is_some_and(|profile| profile.status.is_end()) {
            return Err(OrganizationError::Ended.into());
        }
        unit.run::<Provisioning>(self.organization_id, &ProvisioningCommand::Retry)?;
        Ok(Answer::new("id", self.organization_id, "RUNNING"))
    }
}
