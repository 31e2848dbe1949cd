//! Prepares what an organization needs before its people come, step by step (H-97).
//!
//! What was done is in the log, so whoever is interrupted goes on at the step that is next. A step may be
//! taken twice, by a reaction that is delivered again or by a timer beside it: it does the same thing under
//! the same id, and is recorded once.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{
    engine::{Engine, Operation, Rejection},
    identity::SeedPolicyStore,
    organizations::RecordProvisioning,
    points::DefineProgram,
    privacy::{KeyRing, PrivacyError},
};
use palmares_domain::{
    kernel::{Admission, CommandId, Idempotency, OrganizationId, derive_uuid},
    organizations::{
        organization::Organization,
        provisioning::{Provisioning, ProvisioningCommand, ProvisioningFault, ProvisioningStep},
    },
};
use palmares_projections::{
    engine::{
        Delivered, ReactError, Reactor,
        timers::{Timer, TimerHandler},
    },
    organizations::due::PROVISIONING,
};
use std::sync::Arc;

const SYSTEM: System = System { name: "organizations.provision", permission: "system.provision" };

const SETUP_BEGUN: &str = "organizations.setup_begun";

/// What the first program is called.
const PROGRAM: &str = "Points";

/// What somebody else recorded before us.
const SETTLED: [&str; 3] =
    ["organizations.provisioning_begun_already", "organizations.provisioning_not_this_step", "organizations.provisioning_attempt_stale"];

pub(super) struct Provision {
    pub engine: Arc<Engine>,
    pub ring: Arc<KeyRing>,
}

#[async_trait]
impl Reactor for Provision {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &[SETUP_BEGUN, "organizations.provisioning_retried"]
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let organization = delivered.event.organization_id;
        if delivered.event.event_type == SETUP_BEGUN {
            self.record(organization, ProvisioningCommand::Begin(organization)).await?;
        }
        self.go_on(organization).await
    }
}

#[async_trait]
impl TimerHandler for Provision {
    fn kinds(&self) -> &[&'static str] {
        &[PROVISIONING.kind]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        self.go_on(timer.organization_id).await
    }
}

impl Provision {
    /// Takes the steps that are left, until one fails: that one has its time when it is tried again.
    async fn go_on(&self, organization: OrganizationId) -> Result<(), ReactError> {
        let ended = |found: &Organization| found.profile().is_none_or(|profile| profile.status.is_end());
        if self.engine.look(organization, organization, ended).await.map_err(failed)? {
            return Ok(());
        }
        while let Some((step, attempt)) = self.engine.look(organization, organization, Provisioning::next).await.map_err(failed)? {
            let Err(rejection) = self.take(organization, step).await else {
                self.record(organization, ProvisioningCommand::CompleteStep(step)).await?;
                continue;
            };
            tracing::warn!(%organization, step = step.name(), attempt, error = %rejection, "a step of provisioning failed");
            let fault = fault(&rejection);
            return self.record(organization, ProvisioningCommand::FailStep { step, attempt, fault }).await;
        }
        Ok(())
    }

    /// Takes a step; taken a second time, it changes nothing.
    async fn take(&self, organization: OrganizationId, step: ProvisioningStep) -> Result<(), Rejection> {
        match step {
            ProvisioningStep::Keys => self.ring.prepare(organization).await.map_err(|error| Rejection::Internal(error.into())),
            ProvisioningStep::PolicyStore => self.execute(organization, step, SeedPolicyStore).await,
            ProvisioningStep::PointsProgram => self.execute(organization, step, DefineProgram { name: PROGRAM.to_owned(), floor: 0 }).await,
        }
    }

    async fn execute<O: Operation>(&self, organization: OrganizationId, step: ProvisioningStep, operation: O) -> Result<(), Rejection> {
        let command_id = CommandId(derive_uuid("provisioning", &[organization.0.as_bytes(), step.name().as_bytes()]));
        let idempotency = Some(Idempotency { command_id, request_hash: [0; 32] });
        execute(&self.engine, Admission { idempotency, ..SYSTEM.admission(organization) }, operation).await.map(drop)
    }

    /// Records what became of a step. It has no id of its own: a second time it does not fit any more.
    async fn record(&self, organization_id: OrganizationId, command: ProvisioningCommand) -> Result<(), ReactError> {
        match execute(&self.engine, SYSTEM.admission(organization_id), RecordProvisioning { organization_id, command }).await {
            Err(Rejection::Refused(refused)) if SETTLED.contains(&refused.reason.as_ref()) => Ok(()),
            recorded => recorded.map(drop).map_err(failed),
        }
    }
}

/// Why a step failed, as the checklist says it.
fn fault(rejection: &Rejection) -> ProvisioningFault {
    match rejection {
        Rejection::Refused(_) | Rejection::PreconditionFailed { .. } | Rejection::KeyReused => ProvisioningFault::Refused,
        Rejection::Unavailable(_) => ProvisioningFault::Database,
        Rejection::Internal(cause) => match cause.downcast_ref() {
            Some(PrivacyError::KeyStore(_) | PrivacyError::WrongEpochKey(..)) => ProvisioningFault::KeyStore,
            Some(PrivacyError::Database(_)) => ProvisioningFault::Database,
            _ => ProvisioningFault::Internal,
        },
    }
}

#[cfg(test)]
#[path = "provision_tests.rs"]
mod tests;
