//! Events of aggregates that are not of the domain: how they are named, stored and read.
//!
//! Whoever brings aggregates of their own to cqrs-es has events without a catalogue. Their stored
//! payload is an envelope with everything that cqrs-es hands over: the version is any text there
//! ("1.0"), and metadata differ event by event. Schema version 0, which no event of the domain has,
//! marks them, and the view `postgres_es_events` opens the envelope again.

use crate::store::EVENT_MAX_BYTES;
use palmares_domain::registry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Marks an event that is not of the domain.
pub const SCHEMA_VERSION: u16 = 0;

/// The contexts of the domain, built or not yet: events named after one are Palmares' own.
const CONTEXTS: [&str; 13] = [
    "identity",
    "organizations",
    "points",
    "challenges",
    "recognition",
    "rewards",
    "billing",
    "experts",
    "messaging",
    "hr",
    "work",
    "compliance",
    "operations",
];

/// Types become part of a message's subject; longer ones are nobody's names.
const NAME_MAX_CHARS: usize = 200;
const VERSION_MAX_CHARS: usize = 64;
/// Names live as long as the process. Types are few; a table with more has something else in that column.
const NAMES_MAX: usize = 10_000;

/// Why an event that is not of the domain is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    #[error("aggregate id `{0}` is not a UUID in its usual form (lower case, with hyphens)")]
    Id(String),
    #[error("aggregate type `{0}` is one of Palmares' own")]
    OwnType(String),
    #[error("aggregate type `{0}` is not 1 to {NAME_MAX_CHARS} letters, digits, `_` or `-`, with single dots between them")]
    Type(String),
    #[error("event type `{0}` is in a context of Palmares' own")]
    OwnEvent(String),
    #[error("event type `{0}` is not 1 to {NAME_MAX_CHARS} visible ASCII characters")]
    Event(String),
    #[error("event version `{0}` is not up to {VERSION_MAX_CHARS} visible ASCII characters")]
    Version(String),
    #[error("an event of {0} bytes is over the limit of {EVENT_MAX_BYTES}")]
    TooLarge(usize),
    #[error("U+0000 in its JSON, which the JSON functions of PostgreSQL cannot read")]
    Nul,
    #[error("its JSON cannot be read: {0}")]
    Json(String),
    #[error("there are more than {NAMES_MAX} different names of aggregate and event types")]
    TooManyNames,
}

/// What cqrs-es hands over beside type and sequence, as it is stored.
#[derive(Serialize)]
struct Stored<'a> {
    event_version: &'a str,
    metadata: &'a RawValue,
    payload: &'a RawValue,
}

/// A stored event, opened.
#[derive(Deserialize)]
pub(super) struct Opened {
    pub event_version: String,
    pub metadata: Value,
    pub payload: Value,
}

/// Whether aggregates of this type are the caller's own and not the domain's.
pub(super) fn is_foreign(aggregate_type: &str) -> bool {
    registry::aggregate(aggregate_type).is_none()
}

/// The stored bytes of an event, from its JSON texts as they are.
pub(super) fn seal(event_version: &str, metadata: &str, payload: &str) -> Result<Vec<u8>, ForeignError> {
    if event_version.chars().count() > VERSION_MAX_CHARS || !event_version.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ForeignError::Version(shown(event_version)));
    }
    let raw = |text: &'static str, error: serde_json::Error| ForeignError::Json(format!("{text}: {error}"));
    for (what, text) in [("payload", payload), ("metadata", metadata)] {
        if holds_nul(text) {
            return Err(ForeignError::Nul);
        }
        // As its reader will parse it: a number out of range or half a surrogate pair is well-formed JSON too.
        serde_json::from_str::<Value>(text).map_err(|error| raw(what, error))?;
    }
    let stored = Stored {
        event_version,
        metadata: serde_json::from_str(metadata).map_err(|error| raw("metadata", error))?,
        payload: serde_json::from_str(payload).map_err(|error| raw("payload", error))?,
    };
    let bytes = serde_json::to_vec(&stored).map_err(|error| raw("event", error))?;
    if bytes.len() > EVENT_MAX_BYTES { Err(ForeignError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

pub(super) fn open(bytes: &[u8]) -> serde_json::Result<Opened> {
    serde_json::from_slice(bytes)
}

/// The stored name of an aggregate type. It becomes part of a message's subject, and it is not a
/// type of the domain: nobody gets a stream in that looks like one that Palmares decided.
pub(super) fn type_name(aggregate_type: &str) -> Result<&'static str, ForeignError> {
    if !is_foreign(aggregate_type) {
        return Err(ForeignError::OwnType(shown(aggregate_type)));
    }
    let token = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if aggregate_type.len() > NAME_MAX_CHARS || !aggregate_type.split('.').all(token) {
        return Err(ForeignError::Type(shown(aggregate_type)));
    }
    interned(aggregate_type)
}

/// The stored name of an event type. Projectors go by this name alone.
pub(super) fn event_name(event_type: &str) -> Result<&'static str, ForeignError> {
    if event_type.split_once('.').is_some_and(|(context, _)| CONTEXTS.contains(&context)) {
        return Err(ForeignError::OwnEvent(shown(event_type)));
    }
    if event_type.is_empty() || event_type.len() > NAME_MAX_CHARS || !event_type.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ForeignError::Event(shown(event_type)));
    }
    interned(event_type)
}

/// The id of a stream. Only the usual form: the view gives ids back in it.
pub(super) fn stream_id(aggregate_id: &str) -> Result<uuid::Uuid, ForeignError> {
    let id = uuid::Uuid::try_parse(aggregate_id).ok().filter(|id| id.to_string() == aggregate_id);
    id.ok_or_else(|| ForeignError::Id(shown(aggregate_id)))
}

fn interned(name: &str) -> Result<&'static str, ForeignError> {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Default::default);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Ok(known);
    }
    if names.len() >= NAMES_MAX {
        return Err(ForeignError::TooManyNames);
    }
    let leaked: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(leaked);
    Ok(leaked)
}

/// Whether JSON holds `\u0000` that is not itself behind an escaped backslash.
fn holds_nul(json: &str) -> bool {
    json.match_indices(r"\u0000").any(|(at, _)| {
        let before = json.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        before % 2 == 0
    })
}

/// Text of somebody else in a sentence of ours.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_stored_with_its_texts_as_they_are() {
        let bytes = seal("1.0", r#"{ "b":1,"a":2 }"#, r#"{"Deposited": {"amount": 1.50}}"#).unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"event_version":"1.0","metadata":{ "b":1,"a":2 },"payload":{"Deposited": {"amount": 1.50}}}"#
        );
        assert_eq!(open(&bytes).unwrap().event_version, "1.0");
    }

    #[test]
    fn what_no_reader_could_read_again_is_refused() {
        let refusal = |payload: &str| seal("1", "{}", payload).unwrap_err();
        assert_eq!(refusal(r#""a\u0000b""#), ForeignError::Nul);
        assert!(seal("1", "{}", r#""a\\u0000b""#).is_ok());
        assert!(matches!(refusal(r#""\ud800""#), ForeignError::Json(_)));
        assert!(matches!(refusal("1e999"), ForeignError::Json(_)));
        assert!(matches!(refusal(&format!("\"{}\"", "x".repeat(EVENT_MAX_BYTES))), ForeignError::TooLarge(_)));
        assert!(matches!(seal("one zero", "{}", "{}"), Err(ForeignError::Version(_))));
    }

    #[test]
    fn nobody_gets_a_stream_or_an_event_in_that_looks_like_one_of_the_domain() {
        assert!(matches!(type_name("points_account"), Err(ForeignError::OwnType(_))));
        for name in ["points.credited", "rewards.redeemed", "hr.anything"] {
            assert!(matches!(event_name(name), Err(ForeignError::OwnEvent(_))), "{name}");
        }
        for spec in registry::event_catalogue() {
            assert!(event_name(spec.name).is_err(), "{}", spec.name);
            assert_ne!(spec.schema_version, SCHEMA_VERSION, "{}", spec.name);
        }
        assert_eq!(event_name("CustomerDepositedMoney"), Ok("CustomerDepositedMoney"));
        assert_eq!(event_name("account.opened"), Ok("account.opened"));
    }

    #[test]
    fn a_type_fits_into_a_subject() {
        assert_eq!(type_name("crm.Account-2"), Ok("crm.Account-2"));
        for name in ["", "a b", "a..b", ".a", "a.*", ">", "é"] {
            assert!(matches!(type_name(name), Err(ForeignError::Type(_))), "{name}");
        }
    }

    #[test]
    fn an_id_is_a_uuid_that_reads_back_as_it_was() {
        let id = "0198c0de-0000-7000-8000-00000000beef";
        assert_eq!(stream_id(id).unwrap().to_string(), id);
        for other in ["", "customer-1", "0198C0DE-0000-7000-8000-00000000BEEF", "0198c0de000070008000000000000beef"] {
            assert!(stream_id(other).is_err(), "{other}");
        }
    }
}
