//! What a hold or another schedule means for the deletions that are under way.

use super::{PATIENCE, SYSTEM, Tools, person, transient};
use crate::reactors::{execute, failed, parse, tenant_of};
use palmares_commands::compliance::{CheckDeletionHold, RescheduleRetention};
use palmares_domain::{
    compliance::legal_holds::LegalHoldsEvent,
    kernel::{DeletionRequestId, RecordedEvent},
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

    /// Keeps the keys of whom a hold names, and stops or lets go on what it concerns. Whatever destroys
    /// looks at the holds itself: this only makes it seen.
    pub(super) async fn check_holds(&self, event: &RecordedEvent) -> Result<(), ReactError> {
        let organization = event.organization_id;
        let (hold, named, lifts) = match parse(event)? {
            LegalHoldsEvent::LegalHoldPlaced(placed) => (placed.hold_id, placed.scope.subjects, false),
            LegalHoldsEvent::LegalHoldExtended(extended) => (extended.hold_id, extended.scope.subjects, false),
            LegalHoldsEvent::LegalHoldReleased(released) => (released.hold_id, Default::default(), true),
        };
        match lifts {
            true => self.shredder.release(organization, hold).await.map_err(transient)?,
            false => {
                for subject in named {
                    self.shredder.quarantine(organization, subject, hold).await.map_err(transient)?;
                }
            }
        }
        for (index, request_id) in (0..).zip(self.open(event).await?) {
            let subject = self.dossier(organization, request_id).await.map_err(transient)?.subject;
            let mut reader = self.readers.open(tenant_of(event), None).await.map_err(|error| transient(error.into()))?;
            let footprint = footprint(&mut reader, person(subject)).await.map_err(|error| transient(error.into()))?;
            let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, index));
            let check = CheckDeletionHold { request_id, subject, footprint: Some(footprint) };
            execute(&self.engine, admission, check).await.map_err(failed)?;
        }
        Ok(())
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
