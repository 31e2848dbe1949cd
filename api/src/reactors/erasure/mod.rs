//! Erasure as a process: each event of a deletion leads to the next step, whatever crashes in between.
//!
//! A step is an effect that may be repeated and the command that records it, whose id comes from the event
//! before it. A crash between the two repeats the effect and records it once; a crash after both hands the
//! event over again and gets the first answer. Nothing is kept in memory between steps.

mod certificate;
mod figures;
mod holds;
mod teams;
mod timer;

pub use certificate::{Certificate, PURPOSE};
pub use timer::DeletionTimer;

use super::{System, execute, failed, parse};
use anyhow::{Context, anyhow};
use async_trait::async_trait;
use certificate::certificate;
use palmares_commands::{
    compliance::{
        CertifyErasure, RecordErasureStep,
        shredding::{Ordered, Shredder},
    },
    engine::Engine,
};
use palmares_domain::{
    compliance::deletion_request::{DeletionEvent, DeletionRequest, DeletionSubject, Dossier, ErasureStep},
    kernel::{DeletionRequestId, OrganizationId, RecordedEvent},
};
use palmares_projections::engine::{Delivered, ReactError, Reactor, Readers, reactor::command_id, watermarks::Watermarks};
use std::{sync::Arc, time::Duration};

use crate::pipeline::TokenKeys;

const SYSTEM: System = System { name: "compliance.erase", permission: "system.erase" };

/// How long read models may take to forget somebody before they are asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the process works with.
#[derive(Clone)]
pub struct Tools {
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub watermarks: Watermarks,
    pub shredder: Arc<dyn Shredder>,
    /// Signs certificates.
    pub tokens: Arc<TokenKeys>,
    /// The projections that forget whom they are told to.
    pub forgetting: Vec<&'static str>,
    /// The projections that figures over people are made from.
    pub counting: Vec<&'static str>,
}

/// Carries deletions out, step by step.
pub struct Erase(pub Tools);

const HIDDEN: &str = "compliance.subject_soft_deleted";
const RESTORED: &str = "compliance.subject_restored";
const BEGUN: &str = "compliance.erasure_begun";
const STEP_DONE: &str = "compliance.erasure_step_done";
const LIFTED: &str = "compliance.deletion_hold_lifted";
const RESCHEDULED: &str = "compliance.retention_period_set";

#[async_trait]
impl Reactor for Erase {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &[HIDDEN, RESTORED, BEGUN, STEP_DONE, LIFTED, RESCHEDULED]
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        match event.event_type.as_str() {
            RESCHEDULED => self.0.reschedule(event).await,
            _ => self.0.follow(event).await,
        }
    }
}

/// Has legal holds keep what they are on. It stands apart from the process that they stop, so that it never waits for it.
pub struct KeepHolds(pub Tools);

#[async_trait]
impl Reactor for KeepHolds {
    fn name(&self) -> &'static str {
        "compliance.keep_holds"
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.legal_hold_placed", "compliance.legal_hold_extended", "compliance.legal_hold_released"]
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        self.0.check_holds(&delivered.event).await
    }
}

fn transient(error: anyhow::Error) -> ReactError {
    ReactError::Transient(error)
}

impl Tools {
    async fn follow(&self, event: &RecordedEvent) -> Result<(), ReactError> {
        let organization = event.organization_id;
        match parse(event)? {
            DeletionEvent::SubjectSoftDeleted(deleted) => {
                // As long as everybody's data can be read.
                self.close_days(event, deleted.subject).await?;
                self.shredder.hide(organization, deleted.subject).await.map_err(transient)
            }
            DeletionEvent::SubjectRestored(restored) => self.shredder.unhide(organization, restored.subject).await.map_err(transient),
            DeletionEvent::ErasureBegun(begun) => {
                self.leave_teams(event, begun.subject).await?;
                self.take(event, begun.request_id, begun.round, None).await
            }
            DeletionEvent::ErasureStepDone(done) => self.take(event, done.request_id, done.round, Some(done.step)).await,
            DeletionEvent::DeletionHoldLifted(lifted) => self.resume(event, lifted.request_id).await,
            _ => Ok(()),
        }
    }

    /// Takes the step that follows the last one that is done; none is left once it is certified.
    async fn take(
        &self,
        event: &RecordedEvent,
        request: DeletionRequestId,
        round: u32,
        done: Option<ErasureStep>,
    ) -> Result<(), ReactError> {
        let organization = event.organization_id;
        let dossier = self.dossier(organization, request).await.map_err(transient)?;
        // This node may not have heard of the event that it is handed.
        let erasure = dossier.erasure.as_ref().filter(|erasure| dossier.rounds == round && erasure.done >= done);
        let Some(erasure) = erasure else {
            let over = dossier.rounds > round || (dossier.rounds == round && dossier.erasure.is_none());
            return if over { Ok(()) } else { Err(transient(anyhow!("this node is behind the erasure {request}"))) };
        };
        // Nothing is destroyed yet, and a hold may have come since it was ordered.
        if done.is_none() && self.is_held(event, request, dossier.subject).await? {
            return Ok(());
        }
        let order = Ordered { organization, request, round, subject: dossier.subject, purposes: erasure.purposes.clone() };
        let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, 0));
        let Some(step) = ErasureStep::after(done) else {
            let certificate = certificate(self, event, &dossier).await.map_err(transient)?;
            let certify = CertifyErasure { request_id: request, subject: dossier.subject, certificate };
            execute(&self.engine, admission, certify).await.map_err(failed)?;
            // A hold that came too late for these keys is on what is kept.
            return self.is_held(event, request, dossier.subject).await.map(drop);
        };
        let (count, claims) = match step {
            ErasureStep::KeysDestroyed => {
                // Looked up first: what is claimed under the keys goes in the append that says they are gone.
                let claims = self.shredder.claims(organization, dossier.subject).await.map_err(transient)?;
                match self.shredder.destroy_keys(&order).await.map_err(transient)? {
                    Some(destroyed) => (destroyed, claims),
                    None => return self.kept(event, &dossier).await,
                }
            }
            ErasureStep::ProjectionsPurged => (self.forgotten(event).await?, Vec::new()),
            ErasureStep::EpochRotated => (self.shredder.rotate_epoch(&order).await.map_err(transient)?, Vec::new()),
            ErasureStep::RowsDeleted => (self.shredder.delete_rows(&order).await.map_err(transient)?, Vec::new()),
            ErasureStep::Verified => (self.nothing_left(&order).await?, Vec::new()),
        };
        let record = RecordErasureStep { request_id: request, step, count, claims };
        execute(&self.engine, admission, record).await.map(drop).map_err(failed)
    }

    /// Waits until every read model has passed the word that the subject is erased.
    async fn forgotten(&self, event: &RecordedEvent) -> Result<i64, ReactError> {
        // The word follows the step in the same append.
        let wait = self.watermarks.wait_for(&self.forgetting, event.position + 1, PATIENCE);
        wait.await.map_err(|error| transient(error.into()))?;
        Ok(i64::try_from(self.forgetting.len()).unwrap_or(i64::MAX))
    }

    async fn nothing_left(&self, order: &Ordered) -> Result<i64, ReactError> {
        match self.shredder.leftovers(order).await.map_err(transient)? {
            0 => Ok(0),
            left => Err(transient(anyhow!("{left} keys or ciphertexts of the erasure {} are left", order.request))),
        }
    }

    async fn dossier(&self, organization: OrganizationId, request: DeletionRequestId) -> anyhow::Result<Dossier> {
        let found = self.engine.look(organization, request, |found: &DeletionRequest| found.dossier().cloned()).await?;
        found.with_context(|| format!("no deletion request {request}"))
    }
}

/// Who is to be looked for in the log.
fn person(subject: DeletionSubject) -> Option<palmares_domain::kernel::UserId> {
    subject.user()
}
