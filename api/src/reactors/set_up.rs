//! Completes the steps of a set-up that are seen by themselves.

use super::{System, execute, failed, parse};
use async_trait::async_trait;
use palmares_commands::{engine::Engine, organizations::ObserveSetupStep};
use palmares_domain::{
    identity::{Role, RoleRef, user::UserEvent},
    organizations::organization::SetupStep,
};
use palmares_projections::engine::{Delivered, ReactError, Reactor, reactor::command_id};
use std::sync::Arc;

const SYSTEM: System = System { name: "organizations.complete_setup", permission: "system.complete_setup" };

const VERIFIED: &str = "organizations.domain_verified";

/// Sees that the first administrator is there or invited, and that a domain is proven.
pub(super) struct CompleteSetup {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl Reactor for CompleteSetup {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &[VERIFIED, "identity.user_created", "identity.user_invited", "identity.role_assigned"]
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        let Some(step) = step(delivered)? else { return Ok(()) };
        let observe = ObserveSetupStep { organization_id: event.organization_id, step };
        let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, 0));
        execute(&self.engine, admission, observe).await.map(drop).map_err(failed)
    }
}

/// The step that is done with this event.
fn step(delivered: &Delivered) -> Result<Option<SetupStep>, ReactError> {
    if delivered.event.event_type == VERIFIED {
        return Ok(Some(SetupStep::DomainConfigured));
    }
    let role = match parse(&delivered.event)? {
        UserEvent::UserCreated(created) => created.role.into(),
        UserEvent::UserInvited(invited) => invited.role,
        UserEvent::RoleAssigned(assigned) => assigned.role,
        _ => return Ok(None),
    };
    Ok((role == RoleRef::from(Role::OrganizationAdmin)).then_some(SetupStep::AdministratorInvited))
}
