//! A key store that forgets everything with its process: for tests only.

use super::{Epoch, EpochKey, IndexKey, KeyStore, KeyStoreError};
use crate::privacy::Secret;
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Keys in memory.
#[derive(Default)]
pub struct MemoryKeyStore {
    epochs: Mutex<HashMap<(OrganizationId, Epoch), Secret>>,
    index_keys: Mutex<HashMap<OrganizationId, Secret>>,
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<EpochKey, KeyStoreError> {
        let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = epochs.get(&(organization, epoch)).cloned();
        secret.map(EpochKey).ok_or(KeyStoreError::NoSuchEpoch { organization, epoch })
    }

    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        let fresh = Secret::random()?;
        let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = epochs.keys().filter(|(owner, _)| *owner == organization).map(|(_, epoch)| *epoch).max();
        Ok(newest.unwrap_or_else(|| {
            epochs.insert((organization, Epoch::FIRST), fresh);
            Epoch::FIRST
        }))
    }

    async fn index_key(&self, organization: OrganizationId) -> Result<IndexKey, KeyStoreError> {
        let fresh = Secret::random()?;
        let mut keys = self.index_keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(IndexKey(keys.entry(organization).or_insert(fresh).clone()))
    }

    fn is_durable(&self) -> bool {
        false
    }
}
