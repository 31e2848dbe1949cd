//! What changed between two states of an aggregate.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// In place of a value that is too large to be shown.
const LEFT_OUT_BYTES: &str = "left_out_bytes";

/// One field of an aggregate's state, before and after an event; personal fields show the digest of
/// their ciphertext.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Difference {
    pub before: Value,
    pub after: Value,
}

/// How much of a difference is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Detail {
    /// What changed, and of what is large how large it is: an entry stays small however large its aggregate grows.
    #[default]
    Bounded,
    /// Every field that changed, whole.
    Whole,
}

/// Of a longer list only what went and what came is shown.
const LIST_MAX: usize = 16;
/// What takes more, before and after together, is named with its size.
const FIELD_BYTES_MAX: usize = 4 * 1024;
/// So many fields are shown; of the others it is said how many they are.
const FIELDS_MAX: usize = 64;
/// What all of them may take, before and after together.
const ENTRY_BYTES_MAX: usize = 16 * 1024;

/// The fields that differ, by name. A field of an object within the state is named by its path,
/// such as `lots.3.remaining`, so that a large state shows only what an event touched. Lists are
/// compared whole, unless they are long: of `order` is shown as `order[]` what went and what came.
pub(super) fn differences(before: &Value, after: &Value, detail: Detail) -> BTreeMap<String, Difference> {
    let mut found = BTreeMap::new();
    // An aggregate that was not there yet has no fields.
    let empty = Value::Object(serde_json::Map::new());
    let fields = |state| if matches!(state, &Value::Null) { &empty } else { state };
    compare((fields(before), fields(after)), "", detail, &mut found);
    match detail {
        Detail::Whole => found,
        Detail::Bounded => bounded(found),
    }
}

fn compare((before, after): (&Value, &Value), path: &str, detail: Detail, found: &mut BTreeMap<String, Difference>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let sides = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
                compare(sides, &path, detail, found);
            }
        }
        _ if before == after => {}
        (Value::Array(old), Value::Array(new)) if detail == Detail::Bounded && old.len().max(new.len()) > LIST_MAX => {
            let (went, came) = (without(old, new), without(new, old));
            found.insert(format!("{path}[]"), Difference { before: Value::Array(went), after: Value::Array(came) });
        }
        _ => {
            let path = if path.is_empty() { "state" } else { path };
            found.insert(path.to_owned(), Difference { before: before.clone(), after: after.clone() });
        }
    }
}

/// What is in a list and not, or not as often, in another one.
fn without(list: &[Value], other: &[Value]) -> Vec<Value> {
    let mut there: HashMap<String, usize> = HashMap::new();
    for value in other {
        *there.entry(value.to_string()).or_default() += 1;
    }
    let missing = list.iter().filter(|value| match there.get_mut(&value.to_string()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    });
    missing.cloned().collect()
}

/// The same within the bounds.
fn bounded(found: BTreeMap<String, Difference>) -> BTreeMap<String, Difference> {
    let (mut shown, mut bytes, count) = (BTreeMap::new(), 0, found.len());
    for (name, Difference { before, after }) in found.into_iter().take(FIELDS_MAX) {
        let size = |value: &Value| value.to_string().len();
        let (was, is) = (size(&before), size(&after));
        let difference = if was + is <= FIELD_BYTES_MAX && bytes + was + is <= ENTRY_BYTES_MAX {
            bytes += was + is;
            Difference { before, after }
        } else {
            Difference { before: json!({ LEFT_OUT_BYTES: was }), after: json!({ LEFT_OUT_BYTES: is }) }
        };
        shown.insert(name, difference);
    }
    if count > FIELDS_MAX {
        let left_out = json!({ "left_out_fields": count - FIELDS_MAX });
        shown.insert("...".to_owned(), Difference { before: left_out.clone(), after: left_out });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(before: Value, after: Value) -> Value {
        serde_json::to_value(differences(&before, &after, Detail::Bounded)).unwrap()
    }

    #[test]
    fn only_what_changed_is_named() {
        assert_eq!(
            named(json!({"status": "ACTIVE", "role": "member"}), json!({"status": "SUSPENDED", "role": "member"})),
            json!({"status": {"before": "ACTIVE", "after": "SUSPENDED"}})
        );
        assert_eq!(named(json!({"a": 1}), json!({"a": 1})), json!({}));
    }

    #[test]
    fn a_creation_shows_every_field() {
        assert_eq!(
            named(Value::Null, json!({"role": "member", "lots": {}})),
            json!({"role": {"before": null, "after": "member"}, "lots": {"before": null, "after": {}}})
        );
    }

    #[test]
    fn objects_are_compared_field_by_field_and_lists_whole() {
        let before = json!({"lots": {"1": {"left": 5, "of": 9}, "2": {"left": 1}}, "days": [1, 2]});
        let after = json!({"lots": {"1": {"left": 3, "of": 9}, "3": {"left": 7}}, "days": [1]});
        assert_eq!(
            named(before, after),
            json!({
                "lots.1.left": {"before": 5, "after": 3},
                "lots.2": {"before": {"left": 1}, "after": null},
                "lots.3": {"before": null, "after": {"left": 7}},
                "days": {"before": [1, 2], "after": [1]},
            })
        );
    }

    #[test]
    fn a_state_that_is_no_object_is_compared_whole() {
        assert_eq!(named(json!("open"), json!("closed")), json!({"state": {"before": "open", "after": "closed"}}));
    }

    // covers: E-194
    #[test]
    fn of_a_long_list_is_shown_what_went_and_what_came_unless_all_is_asked_for() {
        let list = |numbers: std::ops::Range<i32>| json!({ "order": numbers.collect::<Vec<_>>() });
        assert_eq!(named(list(0..1_000), list(1..1_001)), json!({ "order[]": { "before": [0], "after": [1000] } }));
        assert_eq!(named(list(0..16), list(0..17)), json!({ "order[]": { "before": [], "after": [16] } }));
        let (twice, once) = (vec![7; 18], vec![7; 9]);
        let counted = named(json!({ "order": twice }), json!({ "order": once }));
        assert_eq!(counted["order[]"]["before"], json!(once), "a value counts as often as it is there");
        let whole = differences(&list(0..1_000), &list(1..1_001), Detail::Whole);
        assert_eq!(whole["order"].after.as_array().map(Vec::len), Some(1_000));
    }

    // covers: E-194
    #[test]
    fn an_entry_stays_small_however_large_its_state_is() {
        let large = json!({ "small": 1, "text": "x".repeat(5_000) });
        let shown = named(Value::Null, large.clone());
        assert_eq!(
            shown,
            json!({ "small": { "before": null, "after": 1 }, "text": { "before": { "left_out_bytes": 4 }, "after": { "left_out_bytes": 5_002 } } })
        );
        assert_eq!(differences(&Value::Null, &large, Detail::Whole)["text"].after, large["text"]);
        let many: serde_json::Map<_, _> = (0..1_000).map(|number| (format!("lot{number:04}"), json!("y".repeat(1_000)))).collect();
        let shown = named(Value::Null, Value::Object(many));
        assert_eq!(shown["..."]["after"], json!({ "left_out_fields": 1_000 - FIELDS_MAX }));
        assert!(shown.to_string().len() < 2 * ENTRY_BYTES_MAX, "{}", shown.to_string().len());
    }
}
