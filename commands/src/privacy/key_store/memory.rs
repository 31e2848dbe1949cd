//! A key store that forgets everything with its process: for tests only.

use super::{Epoch, EpochKey, IndexKey, KeyStore, KeyStoreError};
use crate::privacy::Secret;
use crate::privacy::cipher::Cipher;
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Epochs = BTreeMap<(OrganizationId, Epoch), Arc<Cipher>>;

/// Keys in memory.
#[derive(Default)]
pub struct MemoryKeyStore {
    epochs: Mutex<Epochs>,
    index_keys: Mutex<HashMap<OrganizationId, Secret>>,
}

impl MemoryKeyStore {
    fn epochs(&self) -> MutexGuard<'_, Epochs> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn newest(epochs: &Epochs, organization: OrganizationId) -> Option<Epoch> {
    epochs.range((organization, Epoch::FIRST)..=(organization, Epoch(i32::MAX))).next_back().map(|((_, epoch), _)| *epoch)
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<Arc<dyn EpochKey>, KeyStoreError> {
        match self.epochs().get(&(organization, epoch)) {
            Some(key) => Ok(key.clone()),
            None => Err(KeyStoreError::NoSuchEpoch { organization, epoch }),
        }
    }

    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        let fresh = Arc::new(Cipher::new(&Secret::random()?)?);
        let mut epochs = self.epochs();
        Ok(newest(&epochs, organization).unwrap_or_else(|| {
            epochs.insert((organization, Epoch::FIRST), fresh);
            Epoch::FIRST
        }))
    }

    async fn begin_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        let fresh = Arc::new(Cipher::new(&Secret::random()?)?);
        let mut epochs = self.epochs();
        let epoch = newest(&epochs, organization).map_or(Epoch::FIRST, Epoch::next);
        epochs.insert((organization, epoch), fresh);
        Ok(epoch)
    }

    async fn destroy_epochs_before(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), KeyStoreError> {
        self.epochs().retain(|(owner, old), _| *owner != organization || *old >= epoch);
        Ok(())
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
