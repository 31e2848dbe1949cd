//! Has it recorded that the time of an invitation has run out.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{engine::Engine, identity::ExpireInvitation};
use palmares_domain::kernel::InvitationId;
use palmares_projections::{
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
    identity::invitations::TIMER_KIND,
};
use std::sync::Arc;

const SYSTEM: System = System { name: "identity.expire_invitations", permission: "system.expire_invitations" };

pub(super) struct ExpireInvitations {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl TimerHandler for ExpireInvitations {
    fn kinds(&self) -> &'static [&'static str] {
        &[TIMER_KIND]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let expire = ExpireInvitation { invitation_id: InvitationId(timer.stream_id) };
        // Without an id that would answer a repetition: expiring what is not due records nothing.
        execute(&self.engine, SYSTEM.admission(timer.organization_id), expire).await.map(drop).map_err(failed)
    }
}
