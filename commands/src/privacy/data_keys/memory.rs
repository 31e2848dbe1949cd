//! Wrapped data keys in memory, for tests.

use super::{DataKeyName, DataKeyTable, WrappedKey};
use crate::privacy::PrivacyError;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Wrapped keys by name.
#[derive(Default)]
pub struct MemoryDataKeyTable {
    keys: Mutex<BTreeMap<DataKeyName, WrappedKey>>,
}

impl MemoryDataKeyTable {
    fn keys(&self) -> MutexGuard<'_, BTreeMap<DataKeyName, WrappedKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Destroys a key, as erasure does.
    pub fn destroy(&self, name: DataKeyName) {
        self.keys().remove(&name);
    }
}

#[async_trait]
impl DataKeyTable for MemoryDataKeyTable {
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<WrappedKey>, PrivacyError> {
        let keys = self.keys();
        Ok(names.iter().filter_map(|name| keys.get(name).cloned()).collect())
    }

    async fn insert_many(&self, new: &[WrappedKey]) -> Result<Vec<WrappedKey>, PrivacyError> {
        let mut keys = self.keys();
        Ok(new.iter().map(|key| keys.entry(key.name).or_insert_with(|| key.clone()).clone()).collect())
    }

    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError> {
        Ok(self.keys().values().next().cloned())
    }
}
