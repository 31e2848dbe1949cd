//! What follows from events: credits are resolved, days of activity are settled.
//!
//! A reactor's command passes no gate, because nobody asked for it. It is admitted here, in the name
//! of the reactor, and carries an id derived from the event that caused it: handling an event again
//! gives the first answer again.

mod expire_due;
mod resolve_credits;
mod settle_earnings;

use palmares_commands::engine::{Engine, Operation, Receipt, Rejection};
use palmares_domain::kernel::{
    Admission, Admitted, CommandId, Event, EventId, Idempotency, OrganizationId, RecordedEvent, UserId, derive_uuid,
};
use palmares_projections::engine::{ReactError, Reactor, Readers, timers::TimerHandler, watermarks::Watermarks};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// Every reactor.
pub fn all(engine: Arc<Engine>, readers: Readers, watermarks: Watermarks) -> Vec<Arc<dyn Reactor>> {
    vec![
        Arc::new(resolve_credits::ResolveCredits { engine: engine.clone() }),
        Arc::new(settle_earnings::SettleDays { engine, readers, watermarks }),
    ]
}

/// What is done when its time has come.
pub fn timers(engine: Arc<Engine>) -> Vec<Arc<dyn TimerHandler>> {
    vec![Arc::new(expire_due::ExpireDueTimers { engine })]
}

/// Who acts: a part of the platform, known in the log by an id and a permission of its own.
#[derive(Clone, Copy)]
struct System {
    name: &'static str,
    /// `system.<name>`
    permission: &'static str,
}

/// The part of an event's metadata that goes on to what follows from it.
#[derive(Deserialize)]
struct Origin {
    correlation_id: Uuid,
}

impl System {
    /// The terms of a command that follows from `event`.
    fn following(self, event: &RecordedEvent, command: CommandId) -> Admission {
        // The hash tells bodies under one key apart; this id stands for one body only.
        let idempotency = Idempotency { command_id: command, request_hash: [0; 32] };
        let correlation_id = serde_json::from_str::<Origin>(event.metadata.get()).map_or(event.id.0, |origin| origin.correlation_id);
        Admission { causation: Some(event.id), idempotency: Some(idempotency), correlation_id, ..self.admission(event.organization_id) }
    }

    /// The terms of a command that nothing but its time caused.
    fn admission(self, organization: OrganizationId) -> Admission {
        let request_id = Uuid::now_v7();
        Admission {
            organization,
            actor: UserId(derive_uuid("system", &[self.name.as_bytes()])),
            roles: Vec::new(),
            permission: self.permission,
            policies: Vec::new(),
            request_id,
            correlation_id: request_id,
            causation: None::<EventId>,
            client: None,
            idempotency: None,
            if_match: None,
            dry_run: false,
        }
    }
}

/// Executes a command of the platform itself.
async fn execute<O: Operation>(engine: &Engine, admission: Admission, operation: O) -> Result<Receipt, Rejection> {
    #[expect(clippy::disallowed_methods, reason = "these are the reactors: the platform itself asks, for what an event entails")]
    let admitted = Admitted::grant(admission, operation);
    engine.execute(admitted).await
}

/// A command that did not work: tried again where that may help, else set aside for people.
fn failed(rejection: Rejection) -> ReactError {
    match rejection {
        // What the engine cannot do now, such as reaching the store or the keys, it may do later.
        Rejection::Unavailable(_) | Rejection::Internal(_) => ReactError::Transient(rejection.into()),
        Rejection::Refused(_) | Rejection::PreconditionFailed { .. } | Rejection::KeyReused => ReactError::Permanent(rejection.into()),
    }
}

/// The event that was delivered.
fn parse<E: Event>(event: &RecordedEvent) -> Result<E, ReactError> {
    let parsed = E::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes());
    parsed.map_err(|error| ReactError::Permanent(error.into()))
}
