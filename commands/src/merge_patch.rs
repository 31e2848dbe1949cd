//! Merge patches (RFC 7396): what is missing stays, what is null is taken away.

use serde::{Deserialize, Deserializer};

/// A field of a merge patch: missing, null, or a value.
pub type Patch<T> = Option<Option<T>>;

/// Reads a field that is there; one that is missing needs `#[serde(default)]`.
pub(crate) fn patch<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Patch<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
