//! What follows from events: credits are resolved, days of activity are settled, imports are run.
//!
//! A reactor's command passes no gate, because nobody asked for it. It is admitted here, in the name
//! of the reactor, and carries an id derived from the event that caused it: handling an event again
//! gives the first answer again.

pub mod audit_schedules;
pub mod erasure;
pub mod exports;
mod letters;
mod provision;
mod raise_anomalies;
mod resolve_credits;
mod run_imports;
mod set_up;
mod settle_earnings;
mod settle_recorded_days;
mod settlement;
pub mod siem;
mod tell_attempted;
mod timed;

pub use letters::{AddressBook, Post};

use crate::pipeline::TokenKeys;
use audit_schedules::Exporters;
use palmares_commands::{
    engine::{Engine, Operation, Receipt, Rejection},
    privacy::KeyRing,
};
use palmares_domain::kernel::{
    Admission, Admitted, CommandId, Event, Idempotency, OrganizationId, RecordedEvent, Tenant, UserId, derive_uuid,
};
use palmares_projections::compliance::subject_exports::ExportFiles;
use palmares_projections::engine::{ReactError, Reactor, Readers, timers::TimerHandler, watermarks::Watermarks};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// Every reactor.
pub fn all(engine: Arc<Engine>, ring: Arc<KeyRing>, readers: Readers, watermarks: Watermarks) -> Vec<Arc<dyn Reactor>> {
    vec![
        Arc::new(resolve_credits::ResolveCredits { engine: engine.clone() }),
        Arc::new(set_up::CompleteSetup { engine: engine.clone() }),
        Arc::new(provision::Provision { engine: engine.clone(), ring }),
        Arc::new(run_imports::RunImports { engine: engine.clone(), readers: readers.clone() }),
        Arc::new(raise_anomalies::RaiseAnomalies { engine: engine.clone(), readers: readers.clone(), watermarks: watermarks.clone() }),
        Arc::new(tell_attempted::TellAttempted { engine: engine.clone() }),
        Arc::new(settle_earnings::SettleDays { engine: engine.clone(), readers: readers.clone(), watermarks: watermarks.clone() }),
        Arc::new(settle_recorded_days::SettleRecordedDays { engine, readers, watermarks }),
    ]
}

/// What builds exports: those that people ask for, and those of schedules.
pub fn exports(
    engine: Arc<Engine>,
    (readers, watermarks, files): (Readers, Watermarks, ExportFiles),
    (tokens, ring): (Arc<TokenKeys>, Arc<KeyRing>),
    exporters: Exporters,
) -> Arc<dyn Reactor> {
    Arc::new(exports::BuildExports { engine, readers, watermarks, files, ring, tokens, exporters })
}

/// What sends letters, where there is a mail server to send them by.
pub fn letters(engine: Arc<Engine>, post: Post) -> Arc<dyn Reactor> {
    Arc::new(letters::SendLetters::new(engine, post))
}

/// What is done when its time has come.
pub fn timers(engine: Arc<Engine>, ring: Arc<KeyRing>) -> Vec<Arc<dyn TimerHandler>> {
    let mut timers = timed::all(&engine);
    timers.push(Arc::new(provision::Provision { engine, ring }));
    timers
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
        let actor = UserId(derive_uuid("system", &[self.name.as_bytes()]));
        Admission::of(organization, actor, self.permission, Uuid::now_v7())
    }
}

/// Executes a command of the platform itself.
async fn execute<O: Operation>(engine: &Engine, admission: Admission, operation: O) -> Result<Receipt, Rejection> {
    #[expect(clippy::disallowed_methods, reason = "these are the reactors: the platform itself asks, for what an event entails")]
    let admitted = Admitted::grant(admission, operation);
    engine.execute(admitted).await
}

/// The tenant in which a reactor reads: that of the event it reacts to.
fn tenant_of(event: &RecordedEvent) -> Tenant {
    #[expect(clippy::disallowed_methods, reason = "these are the reactors: an event that was delivered is the reason to read")]
    Tenant::grant(event.organization_id)
}

/// The tenant of which a timer or an open stream speaks.
fn tenant_at(organization: OrganizationId) -> Tenant {
    #[expect(clippy::disallowed_methods, reason = "these are the timers and streams: one that is due is the reason to read")]
    Tenant::grant(organization)
}

/// A command that did not work: tried again where that may help, else set aside for people.
fn failed(rejection: Rejection) -> ReactError {
    use palmares_commands::privacy::PrivacyError::{Database, KeyStore, WrongEpochKey};
    let passes = match &rejection {
        Rejection::Unavailable(_) => true,
        // Keys that cannot be reached, or not those of this database, are an outage for every event alike.
        // Anything else, such as an event that is too large or a state that cannot be read, stays as it is.
        Rejection::Internal(cause) => matches!(cause.downcast_ref(), Some(KeyStore(_) | Database(_) | WrongEpochKey(..))),
        Rejection::Refused(_) | Rejection::PreconditionFailed { .. } | Rejection::KeyReused => false,
    };
    if passes { ReactError::Transient(rejection.into()) } else { ReactError::Permanent(rejection.into()) }
}

/// The event that was delivered.
fn parse<E: Event>(event: &RecordedEvent) -> Result<E, ReactError> {
    let parsed = E::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes());
    parsed.map_err(|error| ReactError::Permanent(error.into()))
}
