//! The port to what was sealed under data keys, for whoever deletes it once the keys are gone.

pub mod memory;
pub mod postgres;

pub use memory::MemorySealedRows;
pub use postgres::PostgresSealedRows;

use super::{PrivacyError, Subject};
use async_trait::async_trait;
use palmares_domain::kernel::Purpose;
use palmares_domain::registry::AGGREGATES;
use uuid::Uuid;

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// Personal fields of events.
    pub fields: u64,
    /// Where requests came from.
    pub client_contexts: u64,
    /// Sealed states.
    pub snapshots: u64,
}

/// Ciphertexts of a subject, wherever they stand on the write side.
#[async_trait]
pub trait SealedRows: Send + Sync + 'static {
    /// Deletes what was sealed for the subject and purposes, as far as `erasure` destroyed the keys:
    /// a row whose key stands, or was destroyed by another erasure, stays.
    async fn redact(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<Redacted, PrivacyError>;
}

/// The stream types whose snapshots are sealed for one of these purposes.
fn sealed_streams(purposes: &[Purpose]) -> Vec<&'static str> {
    let sealed = AGGREGATES.iter().filter(|aggregate| aggregate.decides_on.is_some_and(|purpose| purposes.contains(&purpose)));
    sealed.map(|aggregate| aggregate.stream_type).collect()
}
