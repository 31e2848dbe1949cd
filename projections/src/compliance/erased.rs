//! Whose keys an event says are destroyed.

use super::ERASED;
use crate::engine::{ApplyContext, ApplyError, Delivered};
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

/// The events of a batch that are a read model's own: without the word that somebody is erased.
pub(crate) fn but_erased(batch: &[Delivered]) -> impl Iterator<Item = &Delivered> {
    batch.iter().filter(|delivered| delivered.event.event_type != ERASED)
}

/// Has `statements` forget whoever of a batch is erased, where the keys of `purpose` are among what was
/// destroyed. Each takes the organization as `$1` and the user as `$2`, which is NULL for everybody.
///
/// What came after the word in the same batch is forgotten too: nothing is recorded of whoever is erased.
pub(crate) async fn forget(
    context: &mut ApplyContext<'_>,
    batch: &[Delivered],
    purpose: Purpose,
    statements: &[&str],
) -> Result<(), ApplyError> {
    for erased in erased(batch)?.iter().filter(|erased| erased.purposes.contains(&purpose)) {
        for statement in statements {
            let sql = context.slot.sql(statement);
            let forget = sqlx::query(&sql).bind(erased.organization.0).bind(erased.user.map(|user| user.0));
            forget.execute(&mut *context.tx).await?;
        }
    }
    Ok(())
}
