//! Wrapped data keys in memory, for tests.

use super::{DataKeyName, DataKeyTable, KeyChange, KeyFate, KeyLife, StoredKey, Subject, SubjectKeys, WrappedKey};
use crate::privacy::{Epoch, PrivacyError};
use async_trait::async_trait;
use palmares_domain::kernel::{OrganizationId, Purpose};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

enum Row {
    Key(WrappedKey),
    Tombstone(Uuid),
}

#[derive(Default)]
struct State {
    rows: BTreeMap<DataKeyName, Row>,
    hidden: BTreeSet<Subject>,
    holds: BTreeSet<(Subject, Uuid)>,
    retired: BTreeMap<OrganizationId, Epoch>,
    changes: Vec<KeyChange>,
}

impl State {
    fn stored(&self, name: &DataKeyName) -> Option<StoredKey> {
        let hidden = self.hidden.contains(&Subject { organization: name.organization, id: name.subject });
        match self.rows.get(name)? {
            Row::Key(key) => Some(StoredKey { key: key.clone(), hidden }),
            Row::Tombstone(_) => None,
        }
    }

    fn tell(&mut self, subject: Subject) {
        let seq = self.changes.len() as i64 + 1;
        self.changes.push(KeyChange { seq, subject });
    }
}

/// Wrapped keys by name.
#[derive(Default)]
pub struct MemoryDataKeyTable {
    state: Mutex<State>,
}

impl MemoryDataKeyTable {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a key, as nobody does who has a right to.
    pub fn alter(&self, name: DataKeyName, change: impl FnOnce(&mut WrappedKey)) {
        if let Some(Row::Key(key)) = self.state().rows.get_mut(&name) {
            change(key);
        }
    }

    /// Loses a key without a trace, as no erasure does.
    pub fn lose(&self, name: DataKeyName) {
        self.state().rows.remove(&name);
    }
}

#[async_trait]
impl DataKeyTable for MemoryDataKeyTable {
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<StoredKey>, PrivacyError> {
        let state = self.state();
        Ok(names.iter().filter_map(|name| state.stored(name)).collect())
    }

    async fn insert_many(&self, new: &[WrappedKey]) -> Result<Vec<StoredKey>, PrivacyError> {
        let mut state = self.state();
        for key in new {
            if state.retired.get(&key.name.organization).is_some_and(|retired| *retired >= key.epoch) {
                return Err(PrivacyError::EpochRetired(key.name.organization));
            }
        }
        for key in new {
            state.rows.entry(key.name).or_insert_with(|| Row::Key(key.clone()));
        }
        Ok(new.iter().filter_map(|key| state.stored(&key.name)).collect())
    }

    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError> {
        Ok(self.state().rows.values().find_map(|row| match row {
            Row::Key(key) => Some(key.clone()),
            Row::Tombstone(_) => None,
        }))
    }

    async fn keys_after(&self, after: Option<DataKeyName>, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError> {
        let state = self.state();
        let behind = state.rows.iter().filter(|(name, _)| after.is_none_or(|after| **name > after));
        let keys = behind.filter_map(|(_, row)| match row {
            Row::Key(key) => Some(key.clone()),
            Row::Tombstone(_) => None,
        });
        Ok(keys.take(limit).collect())
    }

    async fn last_change(&self) -> Result<i64, PrivacyError> {
        Ok(self.state().changes.len() as i64)
    }

    async fn changes_after(&self, seq: i64) -> Result<Vec<KeyChange>, PrivacyError> {
        Ok(self.state().changes.iter().filter(|change| change.seq > seq).copied().collect())
    }
}

#[async_trait]
impl KeyLife for MemoryDataKeyTable {
    async fn hide(&self, subject: Subject) -> Result<(), PrivacyError> {
        let mut state = self.state();
        state.hidden.insert(subject);
        state.tell(subject);
        Ok(())
    }

    async fn unhide(&self, subject: Subject) -> Result<(), PrivacyError> {
        let mut state = self.state();
        state.hidden.remove(&subject);
        state.tell(subject);
        Ok(())
    }

    async fn quarantine(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        self.state().holds.insert((subject, hold));
        Ok(())
    }

    async fn release(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        self.state().holds.remove(&(subject, hold));
        Ok(())
    }

    async fn destroy(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<usize, PrivacyError> {
        let mut state = self.state();
        let name = |purpose| DataKeyName { organization: subject.organization, subject: subject.id, purpose };
        let stands = purposes.iter().any(|purpose| matches!(state.rows.get(&name(*purpose)), Some(Row::Key(_))));
        if stands && state.holds.iter().any(|(held, _)| *held == subject) {
            return Err(PrivacyError::UnderLegalHold(subject));
        }
        let mut destroyed = 0;
        for purpose in purposes {
            let row = state.rows.entry(name(*purpose)).or_insert(Row::Tombstone(erasure));
            if matches!(row, Row::Key(_)) {
                *row = Row::Tombstone(erasure);
                destroyed += 1;
            }
        }
        state.tell(subject);
        Ok(destroyed)
    }

    async fn subject_keys(&self, subject: Subject) -> Result<SubjectKeys, PrivacyError> {
        let state = self.state();
        let rows = state.rows.iter().filter(|(name, _)| (name.organization, name.subject) == (subject.organization, subject.id));
        let fate = |(name, row): (&DataKeyName, &Row)| match row {
            Row::Key(_) => KeyFate::Standing(name.purpose),
            Row::Tombstone(erasure) => KeyFate::Destroyed(name.purpose, *erasure),
        };
        Ok(SubjectKeys {
            keys: rows.map(fate).collect(),
            hidden: state.hidden.contains(&subject),
            holds: state.holds.iter().filter(|(held, _)| *held == subject).map(|(_, hold)| *hold).collect(),
        })
    }

    async fn retire_epochs(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), PrivacyError> {
        let mut state = self.state();
        let retired = state.retired.entry(organization).or_insert(epoch);
        *retired = epoch.max(*retired);
        Ok(())
    }

    async fn keys_up_to(&self, organization: OrganizationId, epoch: Epoch, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError> {
        let state = self.state();
        let keys = state.rows.values().filter_map(|row| match row {
            Row::Key(key) if key.name.organization == organization && key.epoch <= epoch => Some(key.clone()),
            _ => None,
        });
        Ok(keys.take(limit).collect())
    }

    async fn rewrap(&self, organization: OrganizationId, keys: &[WrappedKey]) -> Result<(), PrivacyError> {
        let mut state = self.state();
        for key in keys.iter().filter(|key| key.name.organization == organization) {
            if let Some(Row::Key(old)) = state.rows.get_mut(&key.name)
                && old.epoch < key.epoch
            {
                *old = key.clone();
            }
        }
        Ok(())
    }
}
