//! The ports to the table of wrapped data keys: [`DataKeyTable`] for who seals and opens,
//! [`KeyLife`] for who hides, holds and destroys.

pub mod memory;
pub mod postgres;
pub mod postgres_life;

pub use memory::MemoryDataKeyTable;
pub use postgres::PostgresDataKeyTable;

use super::{Epoch, PrivacyError};
use async_trait::async_trait;
use palmares_domain::kernel::{OrganizationId, Place, Purpose};
use uuid::Uuid;

/// Whose data a key seals, and why it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataKeyName {
    pub organization: OrganizationId,
    pub subject: Uuid,
    pub purpose: Purpose,
}

impl DataKeyName {
    /// The key that seals what stands at `place`.
    pub fn of(place: &Place) -> Self {
        Self { organization: place.organization, subject: place.subject, purpose: place.purpose }
    }
}

/// A data key under the key of its organization's epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub name: DataKeyName,
    pub epoch: Epoch,
    pub wrapped: Vec<u8>,
}

/// A key as it stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    pub key: WrappedKey,
    /// Its subject is hidden: it seals, and opens nothing.
    pub hidden: bool,
}

/// A person in one organization, or a case of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    pub organization: OrganizationId,
    pub id: Uuid,
}

/// Something that every node has to hear of: what it holds of this subject may not be true any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    pub seq: i64,
    pub subject: Subject,
}

/// What became of the key of one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyFate {
    Standing(Purpose),
    /// By which erasure.
    Destroyed(Purpose, Uuid),
}

/// What stands of a subject, for whoever verifies an erasure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectKeys {
    /// By purpose; a purpose without a key and without a tombstone is not named.
    pub keys: Vec<KeyFate>,
    pub hidden: bool,
    /// The legal holds on it.
    pub holds: Vec<Uuid>,
}

/// Where wrapped data keys stand. A destroyed key is as absent here as one that was never made.
#[async_trait]
pub trait DataKeyTable: Send + Sync + 'static {
    /// The keys that exist among `names`, in any order.
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<StoredKey>, PrivacyError>;

    /// Stores the keys whose names are free and answers what stands under every name: the first
    /// writer's key, for all. What it answers is durable. Names do not repeat. A name with a
    /// tombstone is not free and not answered.
    ///
    /// Fails with [`PrivacyError::EpochRetired`], nothing stored, where one is under a retired epoch.
    async fn insert_many(&self, keys: &[WrappedKey]) -> Result<Vec<StoredKey>, PrivacyError>;

    /// Any key, where there is one: enough to see whether the key store belongs to this table.
    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError>;

    /// Up to `limit` keys, those of all organizations in one order, behind one of them.
    async fn keys_after(&self, after: Option<DataKeyName>, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError>;

    /// The newest change, to follow from there.
    async fn last_change(&self) -> Result<i64, PrivacyError>;

    /// What changed after `seq`, in order.
    async fn changes_after(&self, seq: i64) -> Result<Vec<KeyChange>, PrivacyError>;
}

/// The life of keys beyond their making. Everything here may be repeated, and every change is told
/// to all nodes.
#[async_trait]
pub trait KeyLife: Send + Sync + 'static {
    /// Makes the subject's data read as absent, its keys kept.
    async fn hide(&self, subject: Subject) -> Result<(), PrivacyError>;

    async fn unhide(&self, subject: Subject) -> Result<(), PrivacyError>;

    /// Keeps the subject's keys from destruction.
    async fn quarantine(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError>;

    async fn release(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError>;

    /// Destroys the keys and puts a tombstone in the place of each, whether it was there or not; an
    /// earlier tombstone stays. Answers how many keys were destroyed by this call.
    ///
    /// Fails with [`PrivacyError::UnderLegalHold`], nothing destroyed, while there is a hold.
    async fn destroy(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<usize, PrivacyError>;

    async fn subject_keys(&self, subject: Subject) -> Result<SubjectKeys, PrivacyError>;

    /// From now on no key is stored under `epoch` or one before it.
    async fn retire_epochs(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), PrivacyError>;

    /// Up to `limit` keys that stand under `epoch` or one before it.
    async fn keys_up_to(&self, organization: OrganizationId, epoch: Epoch, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError>;

    /// Puts each key in the place of the one of its name, where that stands under an older epoch;
    /// a tombstone stays.
    async fn rewrap(&self, organization: OrganizationId, keys: &[WrappedKey]) -> Result<(), PrivacyError>;
}
