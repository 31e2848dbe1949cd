//! The port to the key store: where epoch keys live, outside PostgreSQL, so that what is destroyed
//! there makes the copies in every old backup unreadable.

pub mod memory;
pub mod sealed_file;
pub mod vault;

pub use memory::MemoryKeyStore;
pub use sealed_file::SealedFileKeyStore;
pub use vault::{VaultKeyStore, VaultSettings};

use super::cipher::Cipher;
use super::{CipherError, Secret};
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The number of an epoch of an organization, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub i32);

impl Epoch {
    pub const FIRST: Epoch = Epoch(1);

    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The epoch before this one; 0, which never was, before the first.
    pub fn before(self) -> Self {
        Self(self.0 - 1)
    }
}

/// Wraps the data keys of one organization and epoch: a key at hand, or one that never leaves its store.
#[async_trait]
pub trait EpochKey: Send + Sync {
    /// Wraps each secret, bound to its associated data.
    async fn wrap(&self, secrets: &[(Vec<u8>, Secret)]) -> Result<Vec<Vec<u8>>, KeyStoreError>;

    /// Unwraps each, `None` for one that this key has not wrapped for this associated data.
    async fn unwrap(&self, wrapped: &[(Vec<u8>, &[u8])]) -> Result<Vec<Option<Secret>>, KeyStoreError>;
}

#[async_trait]
impl EpochKey for Cipher {
    async fn wrap(&self, secrets: &[(Vec<u8>, Secret)]) -> Result<Vec<Vec<u8>>, KeyStoreError> {
        secrets.iter().map(|(associated, secret)| Ok(self.seal(associated, secret.bytes())?)).collect()
    }

    async fn unwrap(&self, wrapped: &[(Vec<u8>, &[u8])]) -> Result<Vec<Option<Secret>>, KeyStoreError> {
        let open = |(associated, wrapped): &(Vec<u8>, &[u8])| Secret::from_slice(&self.open(associated, wrapped).ok()?);
        Ok(wrapped.iter().map(open).collect())
    }
}

/// Hashes values of one organization for equality. It outlives epochs: claims depend on it.
#[derive(Clone, Debug)]
pub struct IndexKey(pub Secret);

#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    #[error("the key store has no epoch {} of organization {organization}: is this the key store of this database?", epoch.0)]
    NoSuchEpoch { organization: OrganizationId, epoch: Epoch },
    #[error("the key file {} does not open: it was altered, moved, or sealed under another master key", .0.display())]
    NotOpened(PathBuf),
    #[error("the key store cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the key store was interrupted")]
    Interrupted,
    #[error("Vault cannot be reached: {0}")]
    Unreachable(String),
    #[error("Vault refused {operation}: {reason}")]
    Refused { operation: &'static str, reason: String },
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// Where epoch keys and index keys are kept.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The key of an epoch. One that is not there is an error, here or when it is used, and not a
    /// lost key: a store that was mounted wrongly must not pass for an erasure.
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<Arc<dyn EpochKey>, KeyStoreError>;

    /// The epoch under which new data keys are wrapped; the first use makes epoch 1. Of several
    /// nodes that make it at once one wins, and all use the winner's.
    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError>;

    /// Makes an epoch after the current one, and answers it. Those before it stay.
    async fn begin_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError>;

    /// Destroys every epoch before `epoch`, which exists, for good. Others may be gone already.
    async fn destroy_epochs_before(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), KeyStoreError>;

    /// The key for lookups, made on first use, which no rotation changes.
    async fn index_key(&self, organization: OrganizationId) -> Result<IndexKey, KeyStoreError>;

    /// Whether keys survive the process. Production refuses a store that says no.
    fn is_durable(&self) -> bool;
}
