//! The port to what destroys: keys, sealed rows and what of a subject is found by them.

pub mod custody;

pub use custody::CustodyShredder;

use crate::store::ClaimKey;
use async_trait::async_trait;
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    kernel::{DeletionRequestId, LegalHoldId, OrganizationId, Purpose, derive_uuid},
};
use uuid::Uuid;

/// Destroys what an erasure orders. Each call may come again after a crash, and does then what is left to do.
#[async_trait]
pub trait Shredder: Send + Sync + 'static {
    /// Nothing of the subject is opened any more, on any node, until [`Self::unhide`].
    async fn hide(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()>;

    async fn unhide(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()>;

    /// Keeps the keys of a subject while a hold is on it. Answers whether there are any.
    async fn quarantine(&self, organization: OrganizationId, subject: DeletionSubject, hold: LegalHoldId) -> anyhow::Result<bool>;

    /// Lets go everybody whom a hold kept.
    async fn release(&self, organization: OrganizationId, hold: LegalHoldId) -> anyhow::Result<()>;

    /// Lets a subject go that no hold is on, whatever kept it.
    async fn let_go(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()>;

    /// What the subject has claimed.
    async fn claims(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<Vec<ClaimKey>>;

    /// Destroys the keys of these purposes for good, on every node; answers how many, and nothing where a hold keeps
    /// one of them.
    async fn destroy_keys(&self, order: &Ordered) -> anyhow::Result<Option<i64>>;

    /// Makes what old backups hold of the organization's keys unreadable, as far as that is due; answers how many epochs went.
    async fn rotate_epoch(&self, order: &Ordered) -> anyhow::Result<i64>;

    /// Deletes the ciphertexts beside the events; answers how many.
    async fn delete_rows(&self, order: &Ordered) -> anyhow::Result<i64>;

    /// How many keys and ciphertexts are left of what was ordered.
    async fn leftovers(&self, order: &Ordered) -> anyhow::Result<i64>;
}

/// What is to be destroyed, and by whose order.
#[derive(Clone, Debug)]
pub struct Ordered {
    pub organization: OrganizationId,
    pub request: DeletionRequestId,
    pub round: u32,
    pub subject: DeletionSubject,
    pub purposes: Vec<Purpose>,
}

impl Ordered {
    /// The id that tombstones keep: of each round another one.
    pub fn erasure(&self) -> Uuid {
        derive_uuid("erasure", &[self.organization.0.as_bytes(), self.request.0.as_bytes(), &self.round.to_be_bytes()])
    }
}
