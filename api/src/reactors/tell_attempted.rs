//! Tells an organization that somebody of another one reached for it (E-87): an entry in its own log, from which
//! its anomalies and its letters follow.
//!
//! It says who by their id, and by which route; nothing else of the other organization: neither which one it is,
//! nor roles, session, address or device. It is a reactor's so that the refusal takes as long whether the
//! organization that was named is there or not.

use super::{System, execute, failed, parse};
use crate::routes;
use async_trait::async_trait;
use palmares_commands::{compliance::RecordAccess, engine::Engine};
use palmares_domain::{
    compliance::access_record::{AccessRecordCommand, AccessRecordEvent, Aim, RecordRefusal},
    kernel::{Admission, OrganizationId, RecordedEvent, UserId},
    organizations::organization::Organization,
};
use palmares_projections::engine::{
    Delivered, ReactError, Reactor,
    reactor::{Start, command_id},
};
use serde::Deserialize;
use std::sync::Arc;

const SYSTEM: System = System { name: "compliance.tell_attempted", permission: "system.tell_attempted" };

/// What is recorded of it there as well.
const REASON: &str = "gate.tenant_mismatch";

pub(super) struct TellAttempted {
    pub engine: Arc<Engine>,
}

impl TellAttempted {
    async fn is_there(&self, organization: OrganizationId) -> Result<bool, ReactError> {
        let known = |found: &Organization| found.profile().is_some();
        self.engine.look(organization, organization, known).await.map_err(failed)
    }
}

#[async_trait]
impl Reactor for TellAttempted {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.access_refused"]
    }

    /// What was tried before anybody was told of it stands in the log of whoever tried.
    fn start(&self) -> Start {
        Start::Now
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        let AccessRecordEvent::AccessRefused(refused) = parse(event)? else { return Ok(()) };
        let Some(attempted) = refused.attempted_id.filter(|attempted| *attempted != event.organization_id) else { return Ok(()) };
        if !self.is_there(attempted).await? {
            return Ok(());
        }
        let record = RecordRefusal {
            user_id: refused.user_id,
            code: refused.code,
            method: refused.method,
            route: refused.route,
            status: refused.status,
            request_id: refused.request_id,
            aim: Aim::default(),
        };
        let told = SYSTEM.following(event, command_id(event.id, SYSTEM.name, 0));
        let admission = Admission {
            idempotency: told.idempotency,
            policies: vec![REASON.to_owned()],
            ..Admission::of(attempted, UserId(event.actor_id), permission(event), refused.request_id)
        };
        execute(&self.engine, admission, RecordAccess(AccessRecordCommand::Refusal(record))).await.map(drop).map_err(failed)
    }
}

/// What was to be done.
fn permission(event: &RecordedEvent) -> &'static str {
    #[derive(Deserialize)]
    struct Metadata {
        permission: String,
    }
    let wanted = serde_json::from_str::<Metadata>(event.metadata.get()).ok();
    let known = wanted.and_then(|wanted| routes::permissions().permissions().find(|known| *known == wanted.permission));
    known.unwrap_or(SYSTEM.permission)
}
