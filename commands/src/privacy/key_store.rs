//! The port to the key store: where epoch keys live, outside PostgreSQL, so that what is destroyed
//! there makes the copies in every old backup unreadable.

pub mod memory;
pub mod sealed_file;

pub use memory::MemoryKeyStore;
pub use sealed_file::SealedFileKeyStore;

use super::{CipherError, Secret};
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use std::io;
use std::path::PathBuf;

/// The number of an epoch of an organization, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub i32);

impl Epoch {
    pub const FIRST: Epoch = Epoch(1);
}

/// Wraps the data keys of one organization and epoch.
#[derive(Clone, Debug)]
pub struct EpochKey(pub Secret);

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
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// Where epoch keys and index keys are kept.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The key of an epoch that exists. One that is not there is an error, not a lost key: a store
    /// that was mounted wrongly must not pass for an erasure.
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<EpochKey, KeyStoreError>;

    /// The epoch under which new data keys are wrapped; the first use makes epoch 1. Of several
    /// nodes that make it at once one wins, and all use the winner's.
    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError>;

    /// The key for lookups, made on first use.
    async fn index_key(&self, organization: OrganizationId) -> Result<IndexKey, KeyStoreError>;

    /// Whether keys survive the process. Production refuses a store that says no.
    fn is_durable(&self) -> bool;
}
