//! The port to the table of wrapped data keys.

pub mod memory;
pub mod postgres;

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

/// Where wrapped data keys stand.
#[async_trait]
pub trait DataKeyTable: Send + Sync + 'static {
    /// The keys that exist among `names`, in any order.
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<WrappedKey>, PrivacyError>;

    /// Stores the keys whose names are free and answers what stands under every name: the first
    /// writer's key, for all. What it answers is durable. Names do not repeat.
    async fn insert_many(&self, keys: &[WrappedKey]) -> Result<Vec<WrappedKey>, PrivacyError>;

    /// Any key, where there is one: enough to see whether the key store belongs to this table.
    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError>;
}
