//! Ids of what a command creates, known before it is decided.

use palmares_domain::kernel::{Admission, derive_uuid};
use uuid::Uuid;

/// The id of the one resource of this kind that the command creates: it names a stream, so every
/// attempt has to give the same one, and a repeated command its first.
pub fn new_id(admission: &Admission, kind: &'static str) -> Uuid {
    let seed = admission.idempotency.map_or(admission.request_id, |key| key.command_id.0);
    derive_uuid(kind, &[seed.as_bytes()])
}
