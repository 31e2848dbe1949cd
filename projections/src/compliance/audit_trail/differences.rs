//! What changed between two states of an aggregate.

use serde_json::Value;
use std::collections::BTreeMap;

/// One field of an aggregate's state, before and after an event; personal fields show the digest of
/// their ciphertext.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Difference {
    pub before: Value,
    pub after: Value,
}

/// The fields that differ, by name. A field of an object within the state is named by its path,
/// such as `lots.3.remaining`, so that a large state shows only what an event touched. Lists are
/// compared whole.
pub(super) fn differences(before: &Value, after: &Value) -> BTreeMap<String, Difference> {
    let mut found = BTreeMap::new();
    // An aggregate that was not there yet has no fields.
    let empty = Value::Object(serde_json::Map::new());
    let fields = |state| if matches!(state, &Value::Null) { &empty } else { state };
    compare(fields(before), fields(after), "", &mut found);
    found
}

fn compare(before: &Value, after: &Value, path: &str, found: &mut BTreeMap<String, Difference>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null), &path, found);
            }
        }
        _ if before == after => {}
        _ => {
            let path = if path.is_empty() { "state" } else { path };
            found.insert(path.to_owned(), Difference { before: before.clone(), after: after.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(before: Value, after: Value) -> Value {
        serde_json::to_value(differences(&before, &after)).unwrap()
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
}
