//! The key ring: seals and opens fields under data keys that it makes, unwraps and keeps prepared.

mod following;
mod prepared;
#[cfg(test)]
mod tests;
mod verifying;

pub use following::FORGOTTEN_EVERYWHERE_WITHIN;

use super::cipher::{Cipher, associated_data};
use super::data_keys::{StoredKey, Subject};
use super::{CipherError, DataKeyName, DataKeyTable, Epoch, EpochKey, KeyStore, KeyStoreError, PrivacyError, Secret, WrappedKey};
use aws_lc_rs::hmac;
use moka::sync::Cache;
use palmares_domain::kernel::{Digest, OrganizationId, Place, Purpose};
pub(super) use prepared::Prepared;
use prepared::PreparedKeys;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How many prepared data keys a node keeps by default; one takes about a kilobyte.
pub const DATA_KEYS_KEPT: usize = 65_536;
/// How many organizations' epoch and index keys a node keeps.
const ORGANIZATION_KEYS_KEPT: u64 = 4_096;
/// An epoch or index key that was destroyed is gone from here after this time, whatever else fails.
const KEY_KEPT_FOR: Duration = Duration::from_secs(600);
/// How often a key is made anew because its epoch was retired on the way.
const MAKE_TRIES: usize = 3;
/// More epochs than one rotation ends.
const EPOCHS_FORGOTTEN: usize = 64;
/// Who follows evictions and falls behind by more forgets everything.
const FORGOTTEN_WAITING: usize = 1_024;
/// Every purpose that a subject may have a key for.
pub const PURPOSES: [Purpose; 6] = Purpose::ALL;

/// A value to seal, and where it will stand.
#[derive(Clone, Copy)]
pub struct SealRequest<'a> {
    pub place: &'a Place,
    pub clear: &'a [u8],
}

/// A sealed value, and the digest that its event keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub ciphertext: Vec<u8>,
    pub digest: Digest,
}

/// Every way to a data key. One per process, shared.
pub struct KeyRing {
    store: Arc<dyn KeyStore>,
    table: Arc<dyn DataKeyTable>,
    data_keys: PreparedKeys,
    epoch_keys: Cache<(OrganizationId, Epoch), Arc<dyn EpochKey>>,
    index_keys: Cache<OrganizationId, Arc<hmac::Key>>,
    /// Counts evictions, so that a key fetched before one is not kept after it.
    evictions: AtomicU64,
    /// Tells who holds opened data which subject to forget.
    forgotten: broadcast::Sender<Subject>,
    lease: following::Lease,
}

impl KeyRing {
    pub fn new(store: Arc<dyn KeyStore>, table: Arc<dyn DataKeyTable>) -> Self {
        Self::with_capacity(store, table, DATA_KEYS_KEPT)
    }

    /// A ring that keeps at most `data_keys` prepared.
    pub fn with_capacity(store: Arc<dyn KeyStore>, table: Arc<dyn DataKeyTable>, data_keys: usize) -> Self {
        Self {
            store,
            table,
            data_keys: PreparedKeys::new(data_keys),
            epoch_keys: Cache::builder().max_capacity(ORGANIZATION_KEYS_KEPT).time_to_live(KEY_KEPT_FOR).build(),
            index_keys: Cache::builder().max_capacity(ORGANIZATION_KEYS_KEPT).time_to_live(KEY_KEPT_FOR).build(),
            evictions: AtomicU64::new(0),
            forgotten: broadcast::channel(FORGOTTEN_WAITING).0,
            lease: following::Lease::default(),
        }
    }

    /// Whether keys survive the process. Production refuses a ring that says no.
    pub fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    /// Checks that the key store belongs to this database, on one of its keys: a start with the
    /// wrong one would make new index keys and let through duplicates that claims should refuse.
    pub async fn verify_key_store(&self) -> Result<(), PrivacyError> {
        match self.table.sample().await? {
            Some(key) => self.unwrap_many(&[&key]).await.map(drop),
            None => Ok(()),
        }
    }

    /// Makes the keys of an organization, where they are not there yet.
    ///
    /// # Errors
    /// Where the key store cannot be reached.
    pub async fn prepare(&self, organization: OrganizationId) -> Result<(), PrivacyError> {
        let epoch = self.store.current_epoch(organization).await?;
        self.epoch_key(organization, epoch).await?;
        self.keyed_hash(organization, "palmares/prepared", &[]).await.map(drop)
    }

    /// Seals every request, making the data keys that do not exist yet. They are durable before
    /// anything is sealed under them.
    pub async fn seal_many(&self, requests: &[SealRequest<'_>]) -> Result<Vec<Sealed>, PrivacyError> {
        let keys = self.sealing_keys(&names(requests)).await?;
        requests.iter().zip(&keys).map(|(request, key)| key.seal(request.place, request.clear)).collect()
    }

    /// Seals every request without waiting, or nothing at all (`None`) where a key is not at hand.
    pub fn try_seal_cached(&self, requests: &[SealRequest<'_>]) -> Result<Option<Vec<Sealed>>, PrivacyError> {
        let Some(keys) = self.sealing_keys_at_hand(&names(requests)) else { return Ok(None) };
        requests.iter().zip(&keys).map(|(request, key)| key.seal(request.place, request.clear)).collect::<Result<_, _>>().map(Some)
    }

    /// The key of every name, in order; those that do not exist yet are made, and durable.
    pub(super) async fn sealing_keys(&self, names: &[DataKeyName]) -> Result<Vec<Prepared>, PrivacyError> {
        let keys = self.keys(names, Missing::Make).await?;
        names.iter().zip(keys).map(|(name, key)| key.ok_or(PrivacyError::KeyRefused(*name))).collect()
    }

    /// The same without waiting, where all of them are at hand.
    pub(super) fn sealing_keys_at_hand(&self, names: &[DataKeyName]) -> Option<Vec<Prepared>> {
        names.iter().map(|name| self.prepared(name)).collect()
    }

    /// Whether a state may be sealed to be opened later: its subject is known here and not hidden. What
    /// was folded while it was hidden lacks what could not be opened, and must not outlast that.
    pub fn is_open(&self, name: &DataKeyName) -> bool {
        self.prepared(name).is_some_and(|key| !key.hidden)
    }

    /// Whether there is a key, and nothing is opened under it for now.
    pub async fn is_hidden(&self, name: &DataKeyName) -> Result<bool, PrivacyError> {
        let keys = self.keys(std::slice::from_ref(name), Missing::Leave).await?;
        Ok(keys.into_iter().flatten().any(|key| key.hidden))
    }

    /// Opens every ciphertext at its place: `None` where the data key does not exist any more or its
    /// subject is hidden, an error for the whole call where a ciphertext was altered or moved.
    pub async fn open_many(&self, items: &[(Place, &[u8])]) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, PrivacyError> {
        let names: Vec<DataKeyName> = items.iter().map(|(place, _)| DataKeyName::of(place)).collect();
        let keys = self.keys(&names, Missing::Leave).await?;
        let readable = keys.iter().map(|key| key.as_ref().filter(|key| !key.hidden));
        items
            .iter()
            .zip(readable)
            .map(|((place, ciphertext), key)| key.map(|key| open(&key.cipher, place, ciphertext)).transpose())
            .collect()
    }

    /// HMAC-SHA256 of a value under the organization's index key: equal values of a kind have
    /// equal hashes, and nothing else can be told from them. The caller normalises the value.
    pub async fn lookup_hash(&self, organization: OrganizationId, kind: &str, value: &str) -> Result<[u8; 32], PrivacyError> {
        self.keyed_hash(organization, "palmares/lookup", &[kind.as_bytes(), value.as_bytes()]).await
    }

    /// HMAC-SHA256 of parts under the organization's index key. `label` separates its uses.
    pub(crate) async fn keyed_hash(&self, organization: OrganizationId, label: &str, parts: &[&[u8]]) -> Result<[u8; 32], PrivacyError> {
        let key = match self.index_keys.get(&organization) {
            Some(key) => key,
            None => {
                let index_key = self.store.index_key(organization).await?;
                let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, index_key.0.bytes()));
                self.index_keys.insert(organization, Arc::clone(&key));
                key
            }
        };
        // Each part with its length before it, as in associated data, without copying the parts.
        let mut context = hmac::Context::with_key(&key);
        for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        Ok(hash)
    }

    /// Forgets what this node holds of a subject's keys, and tells who holds what they opened.
    pub fn evict(&self, organization: OrganizationId, subject: Uuid) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        for purpose in PURPOSES {
            self.data_keys.forget(&DataKeyName { organization, subject, purpose });
        }
        // Nobody may be listening.
        let _ = self.forgotten.send(Subject { organization, id: subject });
    }

    /// The subjects whose keys go, from now on. Who falls behind has to forget everybody.
    pub fn forgotten(&self) -> broadcast::Receiver<Subject> {
        self.forgotten.subscribe()
    }

    /// The key as it was prepared, unless this node has been out of touch for too long to trust it.
    fn prepared(&self, name: &DataKeyName) -> Option<Prepared> {
        self.data_keys.get(name).filter(|_| self.lease.holds())
    }

    /// The prepared key of every name, in order.
    async fn keys(&self, names: &[DataKeyName], missing: Missing) -> Result<Vec<Option<Prepared>>, PrivacyError> {
        let mut keys: Vec<Option<Prepared>> = names.iter().map(|name| self.prepared(name)).collect();
        let mut absent: Vec<DataKeyName> = names.iter().zip(&keys).filter(|(_, key)| key.is_none()).map(|(name, _)| *name).collect();
        if absent.is_empty() {
            return Ok(keys);
        }
        absent.sort_unstable();
        absent.dedup();
        let fetched = self.fetch(&absent, missing).await?;
        for (name, key) in names.iter().zip(&mut keys).filter(|(_, key)| key.is_none()) {
            *key = fetched.get(name).cloned();
        }
        Ok(keys)
    }

    /// Keys from the table, made there where `missing` says so.
    async fn fetch(&self, names: &[DataKeyName], missing: Missing) -> Result<HashMap<DataKeyName, Prepared>, PrivacyError> {
        let evictions = self.evictions.load(Ordering::SeqCst);
        let stored = self.table.get_many(names).await?;
        let (mut stored, mut secrets) = self.unwrapped(stored).await?;
        if matches!(missing, Missing::Make) && stored.len() < names.len() {
            let there: HashSet<DataKeyName> = stored.iter().map(|stored| stored.key.name).collect();
            let new: Vec<DataKeyName> = names.iter().filter(|name| !there.contains(name)).copied().collect();
            let (made, made_secrets) = self.unwrapped(self.make(&new).await?).await?;
            stored.extend(made);
            secrets.extend(made_secrets);
        }
        let mut keys = HashMap::with_capacity(stored.len());
        for (stored, secret) in stored.iter().zip(&secrets) {
            keys.insert(stored.key.name, Prepared { cipher: Arc::new(Cipher::new(secret)?), hidden: stored.hidden });
        }
        for (name, key) in &keys {
            self.data_keys.insert(*name, key.clone());
        }
        if self.evictions.load(Ordering::SeqCst) != evictions {
            // Someone's keys were destroyed meanwhile, perhaps these: fetch them again next time.
            keys.keys().for_each(|name| self.data_keys.forget(name));
        }
        Ok(keys)
    }

    /// Makes keys and answers what stands in the table after it: another node may have been first. An
    /// epoch that is retired on the way is one more try.
    async fn make(&self, names: &[DataKeyName]) -> Result<Vec<StoredKey>, PrivacyError> {
        let mut tries = 0..MAKE_TRIES;
        loop {
            let mut new = Vec::with_capacity(names.len());
            for (organization, names) in by_organization(names) {
                let epoch = self.store.current_epoch(organization).await?;
                new.extend(self.wrapped(organization, epoch, names.into_iter().map(|name| Ok((name, Secret::random()?)))).await?);
            }
            match self.table.insert_many(&new).await {
                Err(PrivacyError::EpochRetired(_)) if tries.next().is_some() => {}
                stored => return stored,
            }
        }
    }

    /// Keys under an epoch of their organization.
    pub(super) async fn wrapped(
        &self,
        organization: OrganizationId,
        epoch: Epoch,
        secrets: impl Iterator<Item = Result<(DataKeyName, Secret), CipherError>>,
    ) -> Result<Vec<WrappedKey>, PrivacyError> {
        let (names, secrets): (Vec<_>, Vec<_>) =
            secrets.collect::<Result<Vec<_>, _>>()?.into_iter().map(|(name, secret)| (name, (wrapping(&name, epoch), secret))).unzip();
        let wrapped = self.epoch_key(organization, epoch).await?.wrap(&secrets).await?;
        Ok(names.into_iter().zip(wrapped).map(|(name, wrapped)| WrappedKey { name, epoch, wrapped }).collect())
    }

    /// The secrets of stored keys. Those whose epoch ends meanwhile stand under the next one by then.
    async fn unwrapped(&self, stored: Vec<StoredKey>) -> Result<(Vec<StoredKey>, Vec<Secret>), PrivacyError> {
        let secrets = self.unwrap_many(&stored.iter().map(|stored| &stored.key).collect::<Vec<_>>()).await;
        match secrets {
            Err(PrivacyError::KeyStore(KeyStoreError::NoSuchEpoch { .. })) => {
                let again = self.table.get_many(&stored.iter().map(|stored| stored.key.name).collect::<Vec<_>>()).await?;
                let secrets = self.unwrap_many(&again.iter().map(|stored| &stored.key).collect::<Vec<_>>()).await?;
                Ok((again, secrets))
            }
            secrets => secrets.map(|secrets| (stored, secrets)),
        }
    }

    /// The secret of each key, in order. One that does not unwrap is an error.
    pub(super) async fn unwrap_many(&self, keys: &[&WrappedKey]) -> Result<Vec<Secret>, PrivacyError> {
        let mut groups: HashMap<(OrganizationId, Epoch), Vec<usize>> = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            groups.entry((key.name.organization, key.epoch)).or_default().push(index);
        }
        let mut secrets: Vec<Option<Secret>> = vec![None; keys.len()];
        for ((organization, epoch), indexes) in groups {
            let epoch_key = self.epoch_key(organization, epoch).await?;
            let wrapped: Vec<_> =
                indexes.iter().map(|index| (wrapping(&keys[*index].name, epoch), keys[*index].wrapped.as_slice())).collect();
            for (index, secret) in indexes.iter().zip(epoch_key.unwrap(&wrapped).await?) {
                secrets[*index] = secret;
            }
        }
        keys.iter().zip(secrets).map(|(key, secret)| secret.ok_or(PrivacyError::WrongEpochKey(key.name, key.epoch))).collect()
    }

    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<Arc<dyn EpochKey>, PrivacyError> {
        if let Some(key) = self.epoch_keys.get(&(organization, epoch)) {
            return Ok(key);
        }
        let key = self.store.epoch_key(organization, epoch).await?;
        self.epoch_keys.insert((organization, epoch), Arc::clone(&key));
        Ok(key)
    }

    pub(super) fn store(&self) -> &Arc<dyn KeyStore> {
        &self.store
    }

    /// Forgets an organization's epoch keys.
    pub(super) fn evict_epochs(&self, organization: OrganizationId, before: Epoch) {
        for epoch in (1..before.0).rev().take(EPOCHS_FORGOTTEN).map(Epoch) {
            self.epoch_keys.invalidate(&(organization, epoch));
        }
    }
}

fn by_organization(names: &[DataKeyName]) -> HashMap<OrganizationId, Vec<DataKeyName>> {
    let mut organizations: HashMap<_, Vec<_>> = HashMap::new();
    for name in names {
        organizations.entry(name.organization).or_default().push(*name);
    }
    organizations
}

/// What to do about data keys that are not in the table.
enum Missing {
    Make,
    Leave,
}

/// The associated data of a wrapped key: it unwraps only under its own name and epoch.
fn wrapping(name: &DataKeyName, epoch: Epoch) -> Vec<u8> {
    let parts: [&[u8]; 4] =
        [name.organization.0.as_bytes(), name.subject.as_bytes(), name.purpose.name().as_bytes(), &epoch.0.to_be_bytes()];
    associated_data("palmares/data_key", &parts)
}

fn names(requests: &[SealRequest<'_>]) -> Vec<DataKeyName> {
    requests.iter().map(|request| DataKeyName::of(request.place)).collect()
}

fn open(key: &Cipher, place: &Place, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivacyError> {
    key.open(&place.associated_data(), ciphertext).map_err(|error| match error {
        CipherError::NotAuthentic => PrivacyError::NotAuthentic(Box::new(place.clone())),
        other => PrivacyError::Cipher(other),
    })
}
