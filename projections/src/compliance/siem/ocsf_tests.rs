//! Records keep to the schema, whatever they are of.

use super::*;
use crate::compliance::audit_trail::testing;
use chrono::DateTime;
use palmares_domain::{
    kernel::{DataClass, SiemStreamId},
    registry::{AGGREGATES, event_catalogue},
};
use schema::{BASE, CLASSES, OBJECTS, Shape};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use uuid::Uuid;

#[path = "ocsf_schema.rs"]
mod schema;

const IP: &str = "203.0.113.7";

/// What is wrong with an object of some shapes together, and with those in it.
fn faults(at: &str, value: &Value, shapes: &[&Shape]) -> Vec<String> {
    let Some(members) = value.as_object() else { return vec![format!("{at} is no object")] };
    let names = |of: fn(&Shape) -> &'static str| shapes.iter().flat_map(move |shape| of(shape).split_whitespace());
    let known: BTreeSet<_> = names(|shape| shape.attributes).collect();
    let missing = names(|shape| shape.required).filter(|name| !members.contains_key(*name)).map(|name| format!("{at} has no {name}"));
    let strange = members.keys().filter(|name| !known.contains(name.as_str())).map(|name| format!("{at} knows no {name}"));
    let open = shapes.iter().filter(|shape| !shape.at_least_one.is_empty());
    let none = open.filter(|shape| shape.at_least_one.split_whitespace().all(|name| !members.contains_key(name)));
    let none = none.map(|shape| format!("{at} has none of {}", shape.at_least_one));
    let mut found: Vec<_> = missing.chain(strange).chain(none).collect();
    for (name, member) in members.iter().filter(|(name, _)| *name != "unmapped") {
        let at = format!("{at}.{name}");
        let shape = OBJECTS.iter().find(|(attribute, _)| attribute == name).map(|(_, shape)| shape);
        for member in member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice) {
            match shape {
                Some(shape) => found.extend(faults(&at, member, &[shape])),
                None if member.is_null() || member.is_object() => found.push(format!("{at} is {member}")),
                None => {}
            }
        }
    }
    found
}

#[track_caller]
fn assert_kept(what: &str, event: &Value) {
    let number = |name: &str| u32::try_from(event[name].as_u64().unwrap_or_default()).unwrap_or_default();
    let (class, activity) = (number("class_uid"), number("activity_id"));
    let (_, last, shape) = CLASSES.iter().find(|(known, ..)| *known == class).unwrap_or_else(|| panic!("{what}: class {class}"));
    assert!((1..=*last).contains(&activity) || activity == OTHER && event["activity_name"].is_string(), "{what}: {class}/{activity}");
    assert_eq!((number("category_uid"), number("type_uid")), (class / 1000, class * 100 + activity), "{what}");
    let statuses = if class == DETECTION_FINDING { 1..=6 } else { 1..=2 };
    assert!(statuses.contains(&number("status_id")) && (1..=6).contains(&number("severity_id")), "{what}: {event}");
    assert_eq!(faults(shape.name, event, &[&BASE, shape]), Vec::<String>::new(), "{what}: {event}");
}

fn sent(entry: &AuditEntry) -> Value {
    event(&Line { stream_id: SiemStreamId(Uuid::nil()), record: 1, entry })
}

/// An entry of this type, which says what that of the golden file says.
fn entry_of(event_type: &str, schema_version: u16) -> AuditEntry {
    let golden = format!("{}/../domain/tests/golden/{event_type}.v{schema_version}.json", env!("CARGO_MANIFEST_DIR"));
    let payload: Value = serde_json::from_str(&std::fs::read_to_string(&golden).expect(&golden)).expect(&golden);
    let aggregate = AGGREGATES.iter().find(|aggregate| aggregate.catalogue.iter().any(|event| event.name == event_type));
    let payload = RawValue::from_string(payload.to_string()).unwrap();
    let resource_type = aggregate.unwrap().stream_type.to_owned();
    let event_type = event_type.to_owned();
    AuditEntry { event_type, resource_type, payload, ..testing::entry(1, DataClass::Restricted) }
}

/// The same entry as an act of somebody, of the platform, and of somebody who was erased.
fn by_whomever(mut entry: AuditEntry, mut each: impl FnMut(&AuditEntry)) {
    (entry.actor_role, entry.ip_address) = (vec!["member".to_owned()], Some(IP.to_owned()));
    (entry.session_id, entry.correlation_id) = (Some(Uuid::from_u128(20)), Some(Uuid::from_u128(21)));
    each(&entry);
    (entry.ip_address, entry.device_metadata) = (None, None);
    each(&entry);
    (entry.actor_role, entry.session_id, entry.correlation_id, entry.request_id) = (Vec::new(), None, None, None);
    for action in [Some("system.erase".to_owned()), None] {
        entry.action = action;
        each(&entry);
    }
}

/// A refusal for a reason, of a request by a method.
fn refusal(audit_name: Option<AuditName>, reason: &str, method: &str) -> AuditEntry {
    let mut entry = entry_of("compliance.access_refused", 1);
    let mut payload: Value = serde_json::from_str(entry.payload.get()).unwrap();
    payload["method"] = json!(method);
    (entry.payload, entry.outcome) = (RawValue::from_string(payload.to_string()).unwrap(), "refused".to_owned());
    (entry.audit_name, entry.policies) = (audit_name, vec![reason.to_owned()]);
    entry
}

#[test]
fn every_event_type_is_sent_with_what_its_class_has_and_asks_for() {
    for spec in event_catalogue() {
        by_whomever(entry_of(spec.name, spec.schema_version), |entry| assert_kept(spec.name, &sent(entry)));
    }
}

#[test]
fn every_refusal_is_sent_with_what_its_class_has_and_asks_for() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"] {
        for name in AuditName::ALL.into_iter().map(Some).chain([None]) {
            by_whomever(refusal(name, "gate.permission_missing", method), |entry| {
                let event = sent(entry);
                assert_kept(method, &event);
                assert_eq!(event["status_detail"], "gate.permission_missing");
            });
        }
    }
}

#[test]
fn the_schema_is_broken_by_what_is_missing_strange_or_empty() {
    let whole = sent(&entry_of("identity.session_started", 1));
    let shape = CLASSES.iter().find(|(class, ..)| *class == AUTHENTICATION).map(|(.., shape)| shape).unwrap();
    let broken = |pointer: &str, name: &str, value: Option<Value>| {
        let mut event = whole.clone();
        let members = event.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
        match value {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
        faults("event", &event, &[&BASE, shape])
    };
    assert_eq!(broken("", "service", None), ["event has none of service dst_endpoint"]);
    assert_eq!(broken("", "user", None), ["event has no user"]);
    assert_eq!(broken("", "entity", Some(json!({ "uid": "1" }))), ["event knows no entity"]);
    assert_eq!(broken("", "status_detail", Some(Value::Null)), ["event.status_detail is null"]);
    assert_eq!(broken("/user", "uid", None), ["event.user has none of account name uid"]);
    assert_eq!(broken("/metadata", "product", None), ["event.metadata has no product"]);
}

#[test]
fn a_finding_is_new_until_somebody_says_what_it_was() {
    let raised = sent(&entry_of("compliance.anomaly_raised", 1));
    let mut looked_at = entry_of(LOOKED_AT, 1);
    let handled = sent(&looked_at);
    looked_at.payload = RawValue::from_string(looked_at.payload.get().replace("HANDLED", "EXPECTED")).unwrap();
    assert_eq!([&raised["status_id"], &handled["status_id"], &sent(&looked_at)["status_id"]], [1, 4, 3]);
    assert_eq!(raised["finding_info"]["uid"], handled["finding_info"]["uid"]);
    let mut entry = refusal(Some(AuditName::PermissionEscalationAttempt), "identity.role_of_oneself", "POST");
    entry.ip_address = Some(IP.to_owned());
    let attempt = sent(&entry);
    assert_eq!((&attempt["class_uid"], &attempt["status_id"]), (&json!(DETECTION_FINDING), &json!(1)));
    let evidence = &attempt["evidences"][0];
    assert_eq!((&evidence["src_endpoint"]["ip"], &evidence["http_request"]["uid"]), (&json!(IP), &json!(entry.request_id)));
    assert_eq!(evidence["actor"]["user"]["uid"], json!(entry.actor_id));
}

#[test]
fn an_elevation_is_of_whoever_gets_it() {
    let mut entry = entry_of("identity.elevation_started", 1);
    (entry.actor_id, entry.resource_id) = (Uuid::from_u128(30), Uuid::from_u128(31));
    let event = sent(&entry);
    assert_eq!(event["user"]["uid"], json!(entry.actor_id));
    assert_eq!(event["privileges"], json!([format!("elevation:{}", entry.resource_id)]));
    entry.on_behalf_of = Some(Uuid::from_u128(32));
    assert_eq!(sent(&entry)["user"]["uid"], json!(entry.on_behalf_of));
}

#[test]
fn roles_are_named_by_their_own_ids() {
    let granted = sent(&entry_of("identity.permissions_granted", 1));
    assert_eq!(granted["iam_role"], json!({ "uid": "01924f5e-7c3a-7b1c-8f2d-3a4b5c6d7e90" }));
    assert_eq!(granted["privileges"], json!(["identity.user.list"]));
}

#[test]
fn what_failed_and_what_is_taken_out_whole_stand_out() {
    let failed = sent(&entry_of("identity.sign_in_failed", 1));
    assert_eq!([&failed["type_uid"], &failed["status_id"], &failed["severity_id"]], [300_201, 2, 2]);
    let whole = sent(&entry_of(WHOLE_LOG, 1));
    assert_eq!([&whole["type_uid"], &whole["status_id"], &whole["severity_id"]], [600_302, 1, 3]);
    assert_eq!(sent(&entry_of("messaging.letter_undeliverable", 1))["status_id"], 2);
}

#[test]
fn a_null_within_what_was_recorded_stays() {
    let mut entry = entry_of("identity.user_suspended", 1);
    entry.before_state = Some([("until".to_owned(), Value::Null)].into());
    entry.timestamp = DateTime::UNIX_EPOCH;
    let event = sent(&entry);
    assert_eq!(event["unmapped"]["before_state"], json!({ "until": null }));
    assert_eq!((&event["time"], event["unmapped"].get("after_state")), (&json!(0), None));
}

#[test]
fn verbs_decide_where_nothing_else_does() {
    assert_eq!(kind_of_type("points.hold_placed"), (ENTITY_MANAGEMENT, 1));
    assert_eq!(kind_of_type("points.hold_voided"), (ENTITY_MANAGEMENT, 4));
    assert_eq!(kind_of_type("points.floor_changed"), (ENTITY_MANAGEMENT, 3));
    assert_eq!(kind_of_type("identity.role_assigned"), (USER_MANAGEMENT, 16));
    assert_eq!(kind_of_type("identity.user_soft_deleted"), (USER_MANAGEMENT, 3));
    assert_eq!(kind_of_type("compliance.anomaly_raised"), (DETECTION_FINDING, 1));
}

#[test]
fn no_event_stands_twice_in_the_table_and_each_is_one_that_there_is() {
    let names: BTreeSet<_> = EVENTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), EVENTS.len());
    let known: BTreeSet<_> = event_catalogue().map(|event| event.name).collect();
    assert_eq!(names.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
}
