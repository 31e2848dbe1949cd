//! Sealed rows of the stores in memory, for tests.

use super::{Redacted, SealedRows, sealed_streams};
use crate::privacy::client_context::MemoryClientContextTable;
use crate::privacy::data_keys::MemoryDataKeyTable;
use crate::privacy::{KeyFate, KeyLife, PrivacyError, Subject};
use crate::store::memory::MemoryStore;
use async_trait::async_trait;
use palmares_domain::kernel::Purpose;
use std::sync::Arc;
use uuid::Uuid;

/// The rows of these three.
pub struct MemorySealedRows {
    pub store: Arc<MemoryStore>,
    pub contexts: Arc<MemoryClientContextTable>,
    pub keys: Arc<MemoryDataKeyTable>,
}

#[async_trait]
impl SealedRows for MemorySealedRows {
    async fn redact(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<Redacted, PrivacyError> {
        let fates = self.keys.subject_keys(subject).await?.keys;
        let destroyed = |purpose: &Purpose| fates.contains(&KeyFate::Destroyed(*purpose, erasure));
        let purposes: Vec<Purpose> = purposes.iter().copied().filter(destroyed).collect();
        let contexts = purposes.contains(&Purpose::Security);
        Ok(Redacted {
            fields: self.store.redact(subject.organization, subject.id, &purposes),
            client_contexts: if contexts { self.contexts.redact(subject.organization, subject.id) } else { 0 },
            snapshots: self.store.drop_snapshots(subject.organization, subject.id, &sealed_streams(&purposes)),
        })
    }
}
