//! Whose keys an event says are destroyed.

use super::ERASED;
use crate::engine::{ApplyError, Delivered};
use palmares_domain::{
    compliance::deletion_request::DeletionEvent,
    kernel::{Event, OrganizationId, Purpose, UserId},
};

/// A subject that is to be forgotten.
pub(crate) struct Erased {
    pub organization: OrganizationId,
    /// None where it is everybody of the organization.
    pub user: Option<UserId>,
    pub purposes: Vec<Purpose>,
}

/// Who of a batch is to be forgotten.
pub(crate) fn erased(batch: &[Delivered]) -> Result<Vec<Erased>, ApplyError> {
    let mut erased = Vec::new();
    for delivered in batch.iter().filter(|delivered| delivered.event.event_type == ERASED) {
        let event = &delivered.event;
        let happened = DeletionEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
        if let DeletionEvent::SubjectErased(of) = happened {
            erased.push(Erased { organization: event.organization_id, user: of.subject.user(), purposes: of.purposes });
        }
    }
    Ok(erased)
}
