//! Sealed client contexts in memory, for tests.

use super::{ClientContextTable, SealedClientContext};
use crate::privacy::PrivacyError;
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Contexts by organization and id.
#[derive(Default)]
pub struct MemoryClientContextTable {
    rows: Mutex<BTreeMap<(OrganizationId, Uuid), SealedClientContext>>,
}

impl MemoryClientContextTable {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<(OrganizationId, Uuid), SealedClientContext>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes the contexts of a subject and answers how many there were.
    pub fn redact(&self, organization: OrganizationId, subject: Uuid) -> u64 {
        let mut rows = self.rows();
        let before = rows.len();
        rows.retain(|_, row| (row.organization, row.subject) != (organization, subject));
        (before - rows.len()) as u64
    }
}

#[cfg(test)]
impl MemoryClientContextTable {
    pub fn count(&self) -> usize {
        self.rows().len()
    }

    /// Puts a row in place of another, as an attacker with the database would.
    pub fn replace(&self, row: SealedClientContext) {
        self.rows().insert((row.organization, row.id), row);
    }
}

#[async_trait]
impl ClientContextTable for MemoryClientContextTable {
    async fn insert(&self, context: &SealedClientContext, _: &[u8; 32]) -> Result<(), PrivacyError> {
        self.rows().entry((context.organization, context.id)).or_insert_with(|| context.clone());
        Ok(())
    }

    async fn get_many(&self, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<SealedClientContext>, PrivacyError> {
        let rows = self.rows();
        Ok(ids.iter().filter_map(|id| rows.get(&(organization, *id)).cloned()).collect())
    }
}
