//! What holds for every aggregate and every event, whoever adds the next one.

mod reviewed;

use self::reviewed::TEXTLESS;
use super::*;
use crate::kernel::{DataClass, FieldSpec, PersonalVisitor, Purpose, Sealable};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::BTreeSet, fs, path::PathBuf};
use uuid::Uuid;

const CONTEXTS: [&str; 13] = [
    "billing",
    "challenges",
    "compliance",
    "experts",
    "hr",
    "identity",
    "messaging",
    "operations",
    "organizations",
    "points",
    "recognition",
    "rewards",
    "work",
];

/// A field's type as it is written, without spaces and without `Option` and `Vec` around it.
fn bare_type(field: &FieldSpec) -> String {
    let mut bare = field.rust_type.replace(char::is_whitespace, "");
    while let Some(inner) = ["Option<", "Vec<"].iter().find_map(|outer| bare.strip_prefix(outer)?.strip_suffix('>').map(str::to_owned)) {
        bare = inner;
    }
    bare
}

fn fields() -> impl Iterator<Item = (&'static EventSpec, &'static FieldSpec)> {
    event_catalogue().flat_map(|event| event.fields.iter().map(move |field| (event, field)))
}

#[test]
fn stream_types_and_event_versions_are_unique() {
    let stream_types: BTreeSet<_> = AGGREGATES.iter().map(|aggregate| aggregate.stream_type).collect();
    assert_eq!(stream_types.len(), AGGREGATES.len());
    let events: BTreeSet<_> = event_catalogue().map(|event| (event.name, event.schema_version)).collect();
    assert_eq!(events.len(), event_catalogue().count());
    let owners: BTreeSet<_> =
        AGGREGATES.iter().flat_map(|aggregate| aggregate.catalogue.iter().map(|event| (event.name, aggregate.stream_type))).collect();
    let names: BTreeSet<_> = event_catalogue().map(|event| event.name).collect();
    assert_eq!(owners.len(), names.len(), "two aggregates share an event name");
}

#[test]
fn event_names_are_a_context_and_a_noun_with_its_past_tense() {
    for event in event_catalogue() {
        let (context, name) = event.name.split_once('.').unwrap_or_default();
        assert!(CONTEXTS.contains(&context), "{} begins with no context", event.name);
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", event.name);
        assert!(event.schema_version >= 1, "{}", event.name);
    }
}

#[test]
fn text_is_personal_or_reviewed() {
    let clear: BTreeSet<_> = fields()
        .filter(|(_, field)| field.personal.is_none() && !TEXTLESS.contains(&bare_type(field).as_str()))
        .map(|(event, field)| format!("{}.{}", event.name, field.name))
        .collect();
    let reviewed: BTreeSet<_> = clear_text::listed().map(str::to_owned).collect();
    assert_eq!(clear, reviewed, "left: text in clear; right: what was reviewed");
    assert_eq!(clear_text::listed().count(), reviewed.len(), "a field has one reason");
}

/// What a text may be about that is of no one person: ids that name none.
const CASES: [&str; 4] = ["AnomalyId", "BreachId", "LegalHoldId", "OrganizationId"];

#[test]
fn personal_fields_name_their_subject_and_are_confidential() {
    for (event, field) in fields() {
        let place = format!("{}.{}", event.name, field.name);
        assert_eq!(bare_type(field).starts_with("Personal<"), field.personal.is_some(), "{place}: `Personal` and `of … for …` go together");
        if let Some((subject, purpose)) = field.personal {
            let subject = event.fields.iter().find(|other| other.name == subject).map(bare_type).unwrap_or_default();
            let fits = if purpose.is_of_people() { subject == "UserId" } else { CASES.contains(&subject.as_str()) };
            assert!(fits, "{place}: the subject is a user of the same event, or a case");
            assert!(field.class >= DataClass::Confidential, "{place}");
        }
        if let Some((_, Purpose::Health)) = field.personal {
            assert_eq!(field.class, DataClass::Restricted, "{place}");
        }
    }
}

#[test]
fn who_decides_on_personal_data_has_one_subject_and_purpose() {
    for aggregate in AGGREGATES.iter().filter(|aggregate| aggregate.decides_on.is_some()) {
        let personal: BTreeSet<_> = aggregate.catalogue.iter().flat_map(|event| event.fields).filter_map(|field| field.personal).collect();
        assert_eq!(personal.len(), 1, "{}: {personal:?}", aggregate.stream_type);
    }
}

fn golden_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The payload that was once stored for an event. Personal fields are digests in it.
fn golden(event: &EventSpec) -> Vec<u8> {
    let path = golden_folder().join(format!("{}.v{}.json", event.name, event.schema_version));
    fs::read(&path).unwrap_or_else(|error| panic!("every event version keeps a golden payload: {}: {error}", path.display()))
}

/// The golden events of an aggregate, read.
fn golden_events<A: Aggregate>() -> Vec<A::Event> {
    A::Event::CATALOGUE.iter().map(|event| A::Event::from_payload(event.name, event.schema_version, &golden(event)).unwrap()).collect()
}

#[test]
fn every_golden_payload_belongs_to_an_event_that_can_be_read() {
    let known: BTreeSet<_> = event_catalogue().map(|event| format!("{}.v{}.json", event.name, event.schema_version)).collect();
    for entry in fs::read_dir(golden_folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name}: an event that was once stored must stay readable");
    }
}

struct GoldenRoundTrip;

impl AggregateVisitor for GoldenRoundTrip {
    fn visit<A: Aggregate>(&mut self) {
        for (spec, mut event) in A::Event::CATALOGUE.iter().zip(golden_events::<A>()) {
            let stored: Value = serde_json::from_slice(&golden(spec)).unwrap();
            let written: Value = serde_json::from_slice(&event.to_payload().unwrap()).unwrap();
            assert_eq!(written, stored, "{}", spec.name);
            assert_eq!((event.event_type(), event.schema_version()), (spec.name, spec.schema_version));
            for field in spec.fields {
                assert!(
                    stored.get(field.name).is_some_and(|value| !value.is_null()),
                    "{}: a golden has every field: {}",
                    spec.name,
                    field.name
                );
            }

            let mut visited = Visited { spec, event: stored, fields: Vec::new() };
            event.visit_personal(&mut visited);
            let declared: Vec<_> = spec.fields.iter().filter(|field| field.personal.is_some()).map(|field| field.name).collect();
            assert_eq!(visited.fields, declared, "{}", spec.name);
        }
    }
}

/// Checks that a personal field is sealed and of the subject that the event names.
struct Visited {
    spec: &'static EventSpec,
    event: Value,
    fields: Vec<&'static str>,
}

impl PersonalVisitor for Visited {
    fn field(&mut self, name: &'static str, subject: Uuid, purpose: Purpose, value: &mut dyn Sealable) {
        let declared = self.spec.fields.iter().find(|field| field.name == name).and_then(|field| field.personal);
        let (subject_field, declared_purpose) = declared.unwrap();
        assert_eq!((&self.event[subject_field], declared_purpose), (&Value::from(subject.to_string()), purpose));
        assert_eq!(value.sealed_digest().map(|digest| digest.to_string()).as_deref(), self.event[name]["sealed"].as_str());
        assert!(value.to_seal().is_none());
        self.fields.push(name);
    }
}

#[test]
fn every_golden_payload_is_written_as_it_was_read() {
    visit_aggregates(&mut GoldenRoundTrip);
}

#[test]
fn an_unknown_version_and_an_unknown_field_are_unreadable() {
    for aggregate in AGGREGATES {
        let mut fold = aggregate.fold(None).unwrap();
        for event in aggregate.catalogue {
            assert!(matches!(fold.apply(event.name, u16::MAX, b"{}"), Err(UnreadableEvent::Unknown(..))));
            let mut payload: Value = serde_json::from_slice(&golden(event)).unwrap();
            payload["no_such_field"] = Value::Null;
            let read = fold.apply(event.name, event.schema_version, payload.to_string().as_bytes());
            assert!(matches!(read, Err(UnreadableEvent::Malformed { .. })), "{}", event.name);
        }
    }
}

/// Any events of an aggregate in any order: `evolve` may not fail on them, and what a fold gives
/// may not depend on whether it went through a snapshot.
struct FoldProperties;

impl AggregateVisitor for FoldProperties {
    fn visit<A: Aggregate>(&mut self) {
        let events = golden_events::<A>();
        let spec = aggregate(A::TYPE).unwrap();
        let histories = prop::collection::vec(0..events.len(), 0..24).prop_flat_map(|order| (0..=order.len(), Just(order)));
        let checked = TestRunner::default().run(&histories, |(cut, order)| {
            let mut live = A::default();
            let mut resumed = A::default();
            let mut fold = spec.fold(None).unwrap();
            for (index, &event) in order.iter().enumerate() {
                if index == cut {
                    resumed = serde_json::from_slice(&serde_json::to_vec(&resumed).unwrap()).unwrap();
                    fold = spec.fold(Some(&fold.state().unwrap())).unwrap();
                }
                let event = &events[event];
                live.evolve(event);
                resumed.evolve(event);
                fold.apply(event.event_type(), event.schema_version(), &event.to_payload().unwrap()).unwrap();
            }
            let state = serde_json::to_value(&live).unwrap();
            prop_assert_eq!(&state, &serde_json::to_value(&resumed).unwrap(), "{}: snapshot + tail", A::TYPE);
            prop_assert_eq!(&state, &fold.state().unwrap(), "{}: fold", A::TYPE);
            Ok(())
        });
        checked.unwrap_or_else(|error| panic!("{}: {error}", A::TYPE));
    }
}

#[test]
fn a_fold_is_the_same_through_snapshots() {
    visit_aggregates(&mut FoldProperties);
}

#[test]
fn states_before_and_after_an_event_are_shown_as_json() {
    let mut fold = aggregate("organization").unwrap().fold(None).unwrap();
    assert_eq!(fold.state().unwrap(), Value::Null);
    for event in AGGREGATES[0].catalogue.iter().take(2) {
        fold.apply(event.name, event.schema_version, &golden(event)).unwrap();
    }
    assert_eq!(fold.state().unwrap()["status"], "SUSPENDED");
    assert!(aggregate("no_such_type").is_none());
    assert!(aggregate("user").unwrap().fold(Some(&Value::Bool(true))).is_err());
}
