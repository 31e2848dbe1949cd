//! What a transaction was made for, as its caller names it.

use serde::{Deserialize, Serialize};
use std::fmt;

const MAX_CHARS: usize = 128;

/// An opaque token of the caller, such as an order number: never a text about a person.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._:-]+$")]
pub struct SourceId(String);

/// A text that is no [`SourceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a source id has 1 to {MAX_CHARS} characters of A-Z, a-z, 0-9 and ._:-")]
pub struct InvalidSourceId;

impl SourceId {
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidSourceId> {
        let text = text.into();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        let is_right = (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_right { Ok(Self(text)) } else { Err(InvalidSourceId) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceId {
    type Error = InvalidSourceId;
    fn try_from(text: String) -> Result<Self, InvalidSourceId> {
        Self::new(text)
    }
}

impl From<SourceId> for String {
    fn from(source: SourceId) -> String {
        source.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceId({})", self.0)
    }
}
