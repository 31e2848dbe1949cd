//! What is looked for: alone, in combinations that are common and rare, and on pages far behind.
//!
//! Values are drawn from what `fill.sql` wrote: change both together.

use crate::load::mix;
use serde_json::{Value, json};

/// One kind of search.
pub struct Search {
    pub what: &'static str,
    /// The search of a number, among so many entries.
    pub asked: fn(u64, u64) -> Asked,
}

/// A search, and where its page begins.
pub struct Asked {
    pub fields: Value,
    pub before: Option<i64>,
}

fn first(fields: Value) -> Asked {
    Asked { fields, before: None }
}

/// A page somewhere in the log.
fn deep(number: u64, entries: u64, fields: Value) -> Asked {
    Asked { fields, before: Some((mix(number ^ 7 << 50) % entries) as i64 + 1) }
}

/// What `bench_audit.id` makes of it stands in its place before the search is asked.
fn id(kind: &str, number: u64) -> Value {
    json!([kind, number])
}

/// One of 20, of a context in three.
fn office(number: u64) -> String {
    format!("10.0.0.{}", mix(number) % 20)
}

fn home(actor: u64) -> String {
    let context = actor * 3 + 1;
    format!("10.1.{}.{}", context / 256, context % 256)
}

/// Somebody, drawn as entries are: few do most.
fn actor(number: u64) -> u64 {
    (15_000.0 * (mix(number) as f64 / u64::MAX as f64).powi(3)) as u64
}

fn gone(number: u64) -> u64 {
    15_000 + mix(number) % 5_000
}

/// The time of an entry.
fn at(share: f64) -> String {
    let begin = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default();
    (begin + chrono::TimeDelta::milliseconds((share * 31_536_000_000.0) as i64)).to_rfc3339()
}

fn day(number: u64) -> Value {
    let share = (mix(number) % 364) as f64 / 365.0;
    json!({ "from": at(share), "to": at(share + 1.0 / 365.0) })
}

/// Both of them.
fn with(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

/// One session in a hundred of those that are drawn is of a day on which nobody signed in.
fn session(number: u64) -> Value {
    json!({ "session_id": id("session", actor(number) * 1_000 + mix(number + 1) % 365) })
}

pub const SEARCHES: &[Search] = &[
    Search { what: "nothing but the newest", asked: |_, _| first(json!({})) },
    Search { what: "a page anywhere", asked: |n, e| deep(n, e, json!({})) },
    Search { what: "actor", asked: |n, _| first(json!({ "actor_id": id("actor", actor(n)) })) },
    Search { what: "actor, a page anywhere", asked: |n, e| deep(n, e, json!({ "actor_id": id("actor", actor(n)) })) },
    Search { what: "actor who left long ago", asked: |n, _| first(json!({ "actor_id": id("actor", gone(n)) })) },
    Search { what: "actor who never was", asked: |n, _| first(json!({ "actor_id": id("nobody", n) })) },
    Search { what: "action, a common group (points)", asked: |_, _| first(json!({ "action": "points" })) },
    Search { what: "action, a common group, a page anywhere", asked: |n, e| deep(n, e, json!({ "action": "points.hold" })) },
    Search { what: "action, a rare group (identity.role)", asked: |_, _| first(json!({ "action": "identity.role" })) },
    Search { what: "action, a rare group, a page anywhere", asked: |n, e| deep(n, e, json!({ "action": "identity.role" })) },
    Search { what: "action, a very rare one (organizations)", asked: |_, _| first(json!({ "action": "organizations" })) },
    Search { what: "action, long ago only (system.run_imports)", asked: |_, _| first(json!({ "action": "system.run_imports" })) },
    Search { what: "event type, a rare one", asked: |_, _| first(json!({ "event_type": "identity.totp_disabled" })) },
    Search { what: "name of document 004", asked: |_, _| first(json!({ "audit_name": "ROLE_CHANGED" })) },
    Search { what: "refused", asked: |n, e| deep(n, e, json!({ "outcome": "refused" })) },
    Search { what: "target, a user (changed or read)", asked: |n, _| first(json!({ "target_id": id("actor", mix(n) % 20_000) })) },
    Search {
        what: "target, a user, and who did it",
        asked: |n, _| first(json!({ "target_id": id("actor", mix(n) % 20_000), "actor_id": id("actor", mix(n) % 20) })),
    },
    Search { what: "target, a user who is read most", asked: |_, _| first(json!({ "target_id": id("actor", 0) })) },
    Search { what: "target, an account", asked: |n, e| deep(n, e, json!({ "target_id": id("stream", 1 + mix(n) % (e / 100)) })) },
    Search { what: "type of target, a common one", asked: |n, e| deep(n, e, json!({ "target_type": "points_program" })) },
    Search { what: "type of target, users (changed or read)", asked: |n, e| deep(n, e, json!({ "target_type": "user" })) },
    Search { what: "type of target, a very rare one", asked: |_, _| first(json!({ "target_type": "role_catalogue" })) },
    Search { what: "session", asked: |n, _| first(session(n)) },
    Search { what: "correlation", asked: |n, e| first(json!({ "correlation_id": id("request", mix(n) % (e / 2)) })) },
    Search { what: "address of a home", asked: |n, _| first(json!({ "ip": home(actor(n)) })) },
    Search { what: "address of an office, 1,000 people", asked: |n, _| first(json!({ "ip": office(n) })) },
    Search { what: "address of an office, a page anywhere", asked: |n, e| deep(n, e, json!({ "ip": office(n) })) },
    Search { what: "text, a common one", asked: |_, _| first(json!({ "text": "hold placed" })) },
    Search { what: "text, a part of many (area-7)", asked: |n, e| deep(n, e, json!({ "text": format!("area-{}", mix(n) % 50) })) },
    Search { what: "text, a rare one (note-1234)", asked: |n, _| first(json!({ "text": format!("note-{}", 1_000 + mix(n) % 1_000) })) },
    Search { what: "text, long ago only (run_imports)", asked: |_, _| first(json!({ "text": "run_imports" })) },
    Search { what: "text that nothing has", asked: |_, _| first(json!({ "text": "xylophone" })) },
    Search { what: "a day", asked: |n, _| first(day(n)) },
    Search { what: "since a time", asked: |n, _| first(json!({ "from": at((mix(n) % 364) as f64 / 365.0) })) },
    Search { what: "actor and a day", asked: |n, _| first(with(day(n), json!({ "actor_id": id("actor", actor(n)) }))) },
    Search { what: "actor who left, lately", asked: |n, _| first(json!({ "actor_id": id("actor", gone(n)), "from": at(0.9) })) },
    Search {
        what: "busy actor and a rare group of actions",
        asked: |n, _| first(json!({ "actor_id": id("actor", mix(n) % 20), "action": "identity.role" })),
    },
    Search {
        what: "busy actor and a common group of actions",
        asked: |n, _| first(json!({ "actor_id": id("actor", mix(n) % 20), "action": "points" })),
    },
    Search {
        what: "actor and a text",
        asked: |n, _| first(json!({ "actor_id": id("actor", actor(n)), "text": format!("area-{}", mix(n) % 50) })),
    },
    Search {
        what: "common type and a rare text",
        asked: |n, _| first(json!({ "event_type": "points.hold_placed", "text": format!("note-{}", 1_000 + mix(n) % 1_000) })),
    },
    Search { what: "refused and a day", asked: |n, _| first(with(day(n), json!({ "outcome": "refused" }))) },
    Search { what: "text and a day", asked: |n, _| first(with(day(n), json!({ "text": format!("area-{}", mix(n) % 50) }))) },
    Search { what: "action and a day", asked: |n, _| first(with(day(n), json!({ "action": "identity.role" }))) },
    Search {
        what: "two common ones that never meet",
        asked: |_, _| first(json!({ "event_type": "points.hold_placed", "action": "points.hold.post" })),
    },
    Search { what: "office and a rare group of actions", asked: |n, _| first(json!({ "ip": office(n), "action": "identity.role" })) },
    Search { what: "session and refused", asked: |n, _| first(with(session(n), json!({ "outcome": "refused" }))) },
];
