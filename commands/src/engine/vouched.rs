//! Snapshots that are known for this system's own.
//!
//! A state that is restored from a snapshot is believed without its events, so whoever writes to the
//! database could make a balance or a role of it. A snapshot therefore begins with a keyed hash of where
//! it belongs and what it says, under a key that is not in the database. One that does not is not used:
//! the stream is folded from its beginning, and it is told.

use crate::privacy::{KeyRing, PrivacyError};
use crate::store::{Snapshot, StreamName};
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// Part of the stored shape, so that snapshots of a build that did not vouch for them are of another shape.
pub(super) const VOUCHED: u16 = 0x4000;

const VOUCHER_BYTES: usize = 32;

/// The snapshot as it is stored.
pub(super) async fn vouch(ring: &KeyRing, stream: StreamName, snapshot: Snapshot) -> Result<Snapshot, PrivacyError> {
    let voucher = voucher(ring, stream, &snapshot, &snapshot.state).await?;
    Ok(Snapshot { state: [&voucher, snapshot.state.as_slice()].concat(), ..snapshot })
}

/// The state of a stored snapshot, where this system made it for this stream and version.
pub(super) async fn state<'s>(ring: &KeyRing, stream: StreamName, stored: &'s Snapshot) -> Option<&'s [u8]> {
    let (organization, id) = (stream.organization.0, stream.id);
    if let Some((said, state)) = stored.state.split_first_chunk::<VOUCHER_BYTES>() {
        match voucher(ring, stream, stored, state).await {
            Ok(expected) if verify_slices_are_equal(said, &expected).is_ok() => return Some(state),
            Ok(_) => {}
            // It may be good: without the key the events say it.
            Err(error) => {
                tracing::warn!(%organization, stream = stream.stream_type, %id, %error, "a snapshot cannot be verified; its stream is folded whole");
                return None;
            }
        }
    }
    metrics::counter!("palmares_engine_snapshots_forged_total").increment(1);
    tracing::error!(%organization, stream = stream.stream_type, %id, version = stored.version, "a snapshot is not this system's own: it is not used");
    None
}

async fn voucher(ring: &KeyRing, stream: StreamName, snapshot: &Snapshot, state: &[u8]) -> Result<[u8; VOUCHER_BYTES], PrivacyError> {
    let (version, shape) = (snapshot.version.to_be_bytes(), snapshot.shape.to_be_bytes());
    let parts = [stream.stream_type.as_bytes(), stream.id.as_bytes(), &version, &shape, state];
    ring.keyed_hash(stream.organization, "palmares/snapshot", &parts).await
}
