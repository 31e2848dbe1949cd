//! What a hold or another schedule means for the deletions that are under way.

use super::{PATIENCE, SYSTEM, Tools, person, transient};
use crate::reactors::{execute, failed, parse, tenant_of};
use anyhow::anyhow;
use palmares_commands::compliance::{CheckDeletionHold, RescheduleRetention};
use palmares_domain::{
    compliance::{
        deletion_request::{DeletionStatus, DeletionSubject, Dossier},
        legal_holds::LegalHoldsEvent,
    },
    kernel::{Admission, DeletionRequestId, RecordedEvent},
};
use palmares_projections::{
    compliance::deletion_requests::{PROJECTION, footprint, open_requests},
    engine::{ReactError, reactor::command_id},
};

impl Tools {
    /// The deletions under way as of the event.
    async fn open(&self, event: &RecordedEvent) -> Result<Vec<DeletionRequestId>, ReactError> {
        let wait = self.watermarks.wait_for(&[PROJECTION], event.position, PATIENCE);
        wait.await.map_err(|error| transient(error.into()))?;
        let mut reader = self.readers.open(tenant_of(event), None).await.map_err(|error| transient(error.into()))?;
        open_requests(&mut reader).await.map_err(|error| transient(error.into()))
    }

    /// Keeps the keys of whom a hold names and of whose destruction is ordered, and stops or lets go on what it concerns.
    /// Whatever destroys looks at the holds itself before: this keeps what is left of what was ordered, and makes it seen.
    pub(super) async fn check_holds(&self, event: &RecordedEvent) -> Result<(), ReactError> {
        let organization = event.organization_id;
        let (hold, named, lifts) = match parse(event)? {
            LegalHoldsEvent::LegalHoldPlaced(placed) => (placed.hold_id, placed.scope.subjects, false),
            LegalHoldsEvent::LegalHoldExtended(extended) => (extended.hold_id, extended.scope.subjects, false),
            LegalHoldsEvent::LegalHoldReleased(released) => (released.hold_id, Default::default(), true),
        };
        if lifts {
            self.shredder.release(organization, hold).await.map_err(transient)?;
        }
        for subject in named {
            self.shredder.quarantine(organization, DeletionSubject::User(subject), hold).await.map_err(transient)?;
        }
        for request in self.open(event).await? {
            let dossier = self.dossier(organization, request).await.map_err(transient)?;
            let subject = dossier.subject;
            let is_ordered = !lifts && dossier.erasure.is_some() && !dossier.is_destroying();
            if is_ordered && !self.shredder.quarantine(organization, subject, hold).await.map_err(transient)? {
                // It comes too late: what was ordered is destroyed.
                continue;
            }
            if !self.is_held(event, request, subject).await? && is_ordered {
                self.shredder.let_go(organization, subject).await.map_err(transient)?;
            }
        }
        Ok(())
    }

    /// Whether a hold is on a deletion, as the log has it now; the deletion stops or goes on by it.
    pub(super) async fn is_held(
        &self,
        event: &RecordedEvent,
        request_id: DeletionRequestId,
        subject: DeletionSubject,
    ) -> Result<bool, ReactError> {
        let mut reader = self.readers.open(tenant_of(event), None).await.map_err(|error| transient(error.into()))?;
        let footprint = footprint(&mut reader, person(subject)).await.map_err(|error| transient(error.into()))?;
        drop(reader);
        // Without an id that would answer a repetition: it is asked anew each time.
        let admission = Admission { causation: Some(event.id), ..SYSTEM.admission(event.organization_id) };
        let check = CheckDeletionHold { request_id, subject, footprint: Some(footprint) };
        let checked = execute(&self.engine, admission, check).await.map_err(failed)?;
        Ok(checked.answer.0.get("status").is_some_and(|status| status == DeletionStatus::Held.name()))
    }

    /// After keys were kept that an order was to destroy: the deletion is held. Where the log has no hold on it, what kept
    /// them is left over, and it is tried again without.
    pub(super) async fn kept(&self, event: &RecordedEvent, dossier: &Dossier) -> Result<(), ReactError> {
        if self.is_held(event, dossier.request_id, dossier.subject).await? {
            return Ok(());
        }
        self.shredder.let_go(event.organization_id, dossier.subject).await.map_err(transient)?;
        Err(transient(anyhow!("a hold that the log does not have kept keys of the erasure {}", dossier.request_id)))
    }

    /// Goes on with an erasure that a hold had stopped after it was ordered.
    pub(super) async fn resume(&self, event: &RecordedEvent, request: DeletionRequestId) -> Result<(), ReactError> {
        let subject = self.dossier(event.organization_id, request).await.map_err(transient)?.subject;
        if self.is_held(event, request, subject).await? {
            return Ok(());
        }
        // After the log was asked this node knows what it has.
        let dossier = self.dossier(event.organization_id, request).await.map_err(transient)?;
        match dossier.erasure {
            Some(erasure) => self.take(event, request, dossier.rounds, erasure.done).await,
            None => Ok(()),
        }
    }

    /// Gives what is kept the dates of the schedule as it is now.
    pub(super) async fn reschedule(&self, event: &RecordedEvent) -> Result<(), ReactError> {
        for (index, request_id) in (0..).zip(self.open(event).await?) {
            let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, index));
            execute(&self.engine, admission, RescheduleRetention { request_id }).await.map_err(failed)?;
        }
        Ok(())
    }
}
