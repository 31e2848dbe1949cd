//! Read models of compliance: who did what, when, from where, and what it changed.
//!
//! The log itself is the record; [`audit_trail`] is the way into it. Its table indexes every event
//! of a tenant, so that history is found through it too. Sessions show their [`audit_trail::Origin`] as
//! it does. [`proofs`] shows that nothing of it was changed, to somebody who does not trust us.

pub mod audit_trail;
pub mod proofs;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![Arc::new(audit_trail::AuditLog)]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    audit_trail::STATEMENTS.iter().chain(proofs::STATEMENTS).copied()
}
