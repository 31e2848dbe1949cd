//! A leaf: what the tree says of one event, in a form that no library can write differently.

use crate::{NodeHash, hash::sha256, time};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;

/// Of the form of a leaf. A change of the fields or of their order is another version.
const VERSION: u8 = 1;

/// An id: 16 bytes, as a UUID in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

/// SHA-256 of bytes that stand elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BytesHash(pub [u8; 32]);

/// An instant in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

/// An event as its leaf has it: everything of its row, payload and metadata by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log of the whole cell.
    pub position: i64,
    pub organization_id: Id,
    pub stream_type: String,
    pub stream_id: Id,
    /// Its place in its stream.
    pub version: i64,
    pub event_id: Id,
    pub event_type: String,
    pub schema_version: i16,
    pub actor_id: Id,
    pub recorded_at: Instant,
    pub effective_at: Option<Instant>,
    pub metadata: BytesHash,
    pub payload: BytesHash,
}

impl Entry {
    /// The data of the leaf: the version of the form, each field with its length before it, and the
    /// hash of the payload.
    pub fn leaf(&self) -> Vec<u8> {
        let effective_at = self.effective_at.map(|at| at.0.to_be_bytes());
        let fields: [&[u8]; 12] = [
            &self.position.to_be_bytes(),
            &self.organization_id.0,
            self.stream_type.as_bytes(),
            &self.stream_id.0,
            &self.version.to_be_bytes(),
            &self.event_id.0,
            self.event_type.as_bytes(),
            &self.schema_version.to_be_bytes(),
            &self.actor_id.0,
            &self.recorded_at.0.to_be_bytes(),
            effective_at.as_ref().map_or(&[], |at| at.as_slice()),
            &self.metadata.0,
        ];
        let mut leaf = Vec::with_capacity(1 + fields.iter().map(|field| 4 + field.len()).sum::<usize>() + 32);
        leaf.push(VERSION);
        for field in fields {
            // A field is a column of PostgreSQL, which has at most 1 GiB.
            leaf.extend_from_slice(&(field.len() as u32).to_be_bytes());
            leaf.extend_from_slice(field);
        }
        leaf.extend_from_slice(&self.payload.0);
        leaf
    }

    /// Reads the data of a leaf.
    pub fn from_leaf(leaf: &[u8]) -> Option<Self> {
        let (version, mut rest) = leaf.split_first()?;
        (*version == VERSION).then_some(())?;
        let mut next = || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let (field, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            rest = behind;
            Some(field)
        };
        let number = |field: &[u8]| Some(i64::from_be_bytes(field.try_into().ok()?));
        let id = |field: &[u8]| Some(Id(field.try_into().ok()?));
        let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
        Some(Self {
            position: number(next()?)?,
            organization_id: id(next()?)?,
            stream_type: text(next()?)?,
            stream_id: id(next()?)?,
            version: number(next()?)?,
            event_id: id(next()?)?,
            event_type: text(next()?)?,
            schema_version: i16::from_be_bytes(next()?.try_into().ok()?),
            actor_id: id(next()?)?,
            recorded_at: Instant(number(next()?)?),
            effective_at: match next()? {
                [] => None,
                at => Some(Instant(number(at)?)),
            },
            metadata: BytesHash(next()?.try_into().ok()?),
            payload: BytesHash(rest.try_into().ok()?),
        })
    }

    pub fn hash(&self) -> NodeHash {
        NodeHash::of_leaf(&self.leaf())
    }
}

impl BytesHash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<_>>()?;
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}

impl Id {
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(from_hex(&text.replace('-', ""))?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = hex(&self.0);
        write!(f, "{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BytesHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for BytesHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&time::to_text(self.0))
    }
}

/// Serde of what has one spelling as text.
macro_rules! as_text {
    ($($name:ident from $parse:expr, $expected:literal;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $parse(&text).ok_or_else(|| D::Error::custom(concat!("expected ", $expected)))
            }
        }
    )*};
}

as_text! {
    Id from Id::parse, "a UUID in lower case";
    BytesHash from |text: &str| from_hex(text).map(BytesHash), "64 hexadecimal digits in lower case";
    Instant from |text: &str| time::from_text(text).map(Instant), "a time such as 2026-11-21T10:12:55.123456Z";
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
