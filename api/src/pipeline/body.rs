//! Bodies and parameters as typed values: strict in form, the first fault named by its field.

use crate::problem::Problem;
use actix_web::http::header::{self, HeaderMap};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::kernel::FieldError;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// Refuses a body that says it is something else than plain JSON.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::invalid_field("Content-Type", "content_type"));
    }
    match text(header::CONTENT_ENCODING) {
        "" | "identity" => Ok(()),
        _ => Err(Problem::invalid_field("Content-Encoding", "content_encoding")),
    }
}

/// The object in a body. A name that stands twice is refused, because readers of JSON disagree on
/// which of the two counts.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize::<_, Strict>(&mut json).map_err(|error| {
        if error.inner().is_data() { blame(&error.path().to_string(), &error.inner().to_string()) } else { malformed() }
    })?;
    json.end().map_err(|_| malformed())?;
    match value.0 {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::invalid_field("", "not_an_object")),
    }
}

fn malformed() -> Problem {
    Problem::invalid_field("", "malformed_json")
}

/// Puts the parameters of the path under their names; a body that brings one of them is refused.
pub fn merge(object: &mut Map<String, Value>, params: &[(&'static str, String)]) -> Result<(), Problem> {
    for (name, value) in params {
        storable(name, value)?;
        if object.insert((*name).to_owned(), Value::String(value.clone())).is_some() {
            return Err(Problem::invalid_field(*name, "unknown_field"));
        }
    }
    Ok(())
}

/// The typed value of an object.
pub fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| blame(&error.path().to_string(), &error.inner().to_string()))
}

/// The typed value of path parameters and query string together. Where one name comes from both,
/// it is refused, so that a query cannot speak over the path.
pub fn parameters<T: DeserializeOwned>(params: &[(&'static str, String)], query: &[(String, String)]) -> Result<T, Problem> {
    let pairs = params.iter().map(|(name, value)| (*name, value.as_str()));
    let pairs: Vec<_> = pairs.chain(query.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
    pairs.iter().try_for_each(|(name, value)| storable(name, value))?;
    let text = serde_urlencoded::to_string(pairs).map_err(Problem::internal)?;
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        // Everything in a query is text: what does not parse as a number or a flag has the wrong type.
        const UNPARSED: [&str; 4] = ["cannot parse", "invalid digit", "invalid float", "provided string was not"];
        match UNPARSED.iter().any(|start| message.starts_with(start)) {
            true => Problem::invalid_field(path, "wrong_type"),
            false => blame(&path, &message),
        }
    })
}

/// The character that no text of PostgreSQL holds: what has it would be recorded and never shown.
const NULL: char = '\0';
const NULL_CHARACTER: &str = "null_character";

/// A time whose year RFC 3339 does not have, nor PostgreSQL all of them: what was recorded with one would be in no read model.
const TIME: &str = "time";

fn storable(name: &str, value: &str) -> Result<(), Problem> {
    match value.contains(NULL) || name.contains(NULL) {
        true => Err(Problem::invalid_field(name.replace(NULL, ""), NULL_CHARACTER)),
        // In a query a plus sign that nobody encoded is a space.
        false if is_out_of_time(&value.replacen(' ', "+", 1)) => Err(Problem::invalid_field(name, TIME)),
        false => Ok(()),
    }
}

/// Whether a text is a date or time with a sign before its year, as ISO 8601 has them and `chrono` reads them.
fn is_out_of_time(value: &str) -> bool {
    value.starts_with(['+', '-']) && (value.parse::<DateTime<Utc>>().is_ok() || value.parse::<NaiveDate>().is_ok())
}

/// How `chrono` begins to say that a text is no date or time.
const UNREAD_TIMES: [&str; 4] = ["premature end of input", "input contains", "input is out of range", "trailing input"];

/// Turns serde's sentence into a field and a stable reason. A type may answer a reason of its own:
/// an error whose whole text is a key, such as `too_long`, is taken as it is.
fn blame(path: &str, message: &str) -> Problem {
    let message = message.split(" at line ").next().unwrap_or(message);
    let named = || message.split('`').nth(1).unwrap_or_default();
    let below = |name: &str| match path {
        "." | "" => name.to_owned(),
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{}.{name}", path.trim_end_matches(".?")),
    };
    let here = || if path == "." { String::new() } else { path.to_owned() };
    let (field, reason) = if message.starts_with("unknown field") {
        (below(named()), "unknown_field")
    } else if message.starts_with("missing field") {
        (below(named()), "required")
    } else if message.starts_with("duplicate field") {
        (below(named()), "duplicate_field")
    } else if message.starts_with("invalid type") {
        (here(), "wrong_type")
    } else if message.starts_with("unknown variant") {
        (here(), "not_allowed")
    } else if message.starts_with("UUID parsing failed") {
        (here(), "uuid")
    } else if message.starts_with("number too") || message.starts_with("invalid value: integer") {
        (here(), "out_of_range")
    } else if UNREAD_TIMES.iter().any(|start| message.starts_with(start)) {
        (here(), TIME)
    } else if message.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.') {
        (here(), message)
    } else {
        (here(), "invalid_value")
    };
    Problem::invalid(vec![FieldError { allowed: allowed(message), ..FieldError::new(field, reason) }])
}

/// The names that serde would have taken: `expected `a` or `b``, `expected one of `a`, `b`, `c``. Where a
/// type describes in words what it takes besides, the list is not closed, and words are of one language.
fn allowed(message: &str) -> Vec<String> {
    let names = ["unknown field", "unknown variant"].iter().any(|start| message.starts_with(start));
    let listed = message.rsplit_once(", expected ").filter(|_| names).map_or("", |(_, listed)| listed);
    let listed: Vec<_> = listed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    if listed.iter().any(|name| name.contains(' ')) { Vec::new() } else { listed }
}

/// One form for equal objects, to be hashed: names in order of their bytes, no white space, numbers
/// and texts as `serde_json` writes them. It is written out here because the order of a `Value`
/// depends on features that other crates turn on.
pub fn canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => {
            let mut names: Vec<_> = object.iter().collect();
            names.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push(b'{');
            for (index, (name, value)) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                canonical(&Value::String(name.clone()), out);
                out.push(b':');
                canonical(value, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                canonical(item, out);
            }
            out.push(b']');
        }
        scalar => out.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

/// A JSON value in which no object has a name twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }
    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        match value.contains(NULL) {
            true => Err(E::custom(NULL_CHARACTER)),
            false if is_out_of_time(&value) => Err(E::custom(TIME)),
            false => Ok(Value::String(value)),
        }
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if name.contains(NULL) {
                return Err(A::Error::custom(NULL_CHARACTER));
            }
            let Strict(value) = access.next_value()?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
