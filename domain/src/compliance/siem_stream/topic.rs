//! What of the audit log is sent: events and permissions by their names, or by what stands above them.

use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, str::FromStr};

const TOPIC_MAX_CHARS: usize = 100;

/// The name of an event or of a permission, such as `identity.role_assigned`, or what it begins with,
/// such as `identity` or `points.hold`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic(String);

/// A text that names no event and no permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("compliance.topic_invalid")]
pub struct MalformedTopic;

impl Topic {
    /// Whether a name is this one or stands below it.
    pub fn covers(&self, name: &str) -> bool {
        name.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl FromStr for Topic {
    type Err = MalformedTopic;

    fn from_str(text: &str) -> Result<Self, MalformedTopic> {
        let plain = text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        if plain && text.len() <= TOPIC_MAX_CHARS { Ok(Self(text.to_owned())) } else { Err(MalformedTopic) }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Topic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
