//! How a batch is known for this system's own.
//!
//! Whoever may write to the database could append an event as the store does, and the sealer would sign
//! it. The last event of each batch therefore carries a keyed hash of what the batch says and where it
//! stands, under a key that is not in the database. Only the time is not in it, which PostgreSQL gives.

use super::{COMMITTER, statements};
use crate::privacy::{IndexKey, KeyStore, KeyStoreError};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use palmares_domain::kernel::OrganizationId;
use palmares_proofs::{Entry, entry::Instant};
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};
use std::fmt;
use uuid::Uuid;

const LABEL: &[u8] = b"palmares/batch";

/// The key of vouchers, the same on every node.
#[derive(Clone)]
pub struct VoucherKey(hmac::Key);

/// How many events the batch has, in 4 bytes, big-endian, and its HMAC-SHA256.
pub(super) type Voucher = [u8; COUNT_BYTES + 32];

const COUNT_BYTES: usize = 4;

impl VoucherKey {
    /// The key of the system whose keys these are: no rotation and no erasure changes it.
    ///
    /// # Errors
    /// A key store that does not answer.
    pub async fn of(keys: &dyn KeyStore) -> Result<Self, KeyStoreError> {
        let IndexKey(secret) = keys.index_key(OrganizationId::PLATFORM).await?;
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.bytes()), LABEL);
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())))
    }

    /// Of the events of a batch, in the order of their positions.
    pub(super) fn voucher(&self, entries: impl Iterator<Item = Entry>) -> Voucher {
        let (mut context, mut count) = (hmac::Context::with_key(&self.0), 0_u32);
        for entry in entries {
            // A leaf ends where its lengths say, so two of them cannot be read as two others.
            context.update(&Entry { recorded_at: Instant(0), ..entry }.leaf());
            count += 1;
        }
        let mut voucher = [0; COUNT_BYTES + 32];
        let (counted, hash) = voucher.split_at_mut(COUNT_BYTES);
        counted.copy_from_slice(&count.to_be_bytes());
        hash.copy_from_slice(context.sign().as_ref());
        voucher
    }

    /// How many of these events, up to the last one, this system recorded as the batch of the last
    /// one's voucher; none where it did not record that batch.
    pub fn vouches_for(&self, events: &[(Uuid, Entry)], voucher: &[u8]) -> Option<usize> {
        let (count, _) = voucher.split_first_chunk::<COUNT_BYTES>()?;
        let count = u32::from_be_bytes(*count) as usize;
        let batch = &events[events.len().checked_sub(count)?..];
        let expected = self.voucher(batch.iter().map(|(_, entry)| entry.clone()));
        (count > 0 && verify_slices_are_equal(&expected, voucher).is_ok()).then_some(count)
    }
}

/// Answers for events that nobody vouches for, from their first to their last.
///
/// # Errors
/// A database that does not answer, and events for which somebody answered before.
pub async fn admit(connect: PgConnectOptions, key: &VoucherKey, events: &[(Uuid, Entry)], reason: &str) -> Result<(), sqlx::Error> {
    let position = |event: Option<&(Uuid, Entry)>| event.map_or(0, |(_, entry)| entry.position);
    let mut connection = connect.options(COMMITTER).connect().await?;
    sqlx::query(statements::ADMIT)
        .bind(position(events.first()))
        .bind(position(events.last()))
        .bind(key.voucher(events.iter().map(|(_, entry)| entry.clone())).as_slice())
        .bind(reason)
        .execute(&mut connection)
        .await?;
    connection.close().await
}

impl fmt::Debug for VoucherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VoucherKey")
    }
}
