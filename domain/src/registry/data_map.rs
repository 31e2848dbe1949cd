//! The data map: every field of every event, and of what is kept of every request beside them, with its class, how
//! long it is kept and, where it is personal, whose it is and why it is kept (GDPR Art. 30). It is made from the
//! declarations of the types, so it cannot lag.

use super::{AGGREGATES, Owner, clear_text::in_clear_because};
use crate::{
    compliance::retention_schedule::RecordClass,
    kernel::{ClientContext, DataClass, EventSpec, FieldSpec, Purpose},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What is kept of every request, beside the events that name it.
pub const CLIENT_CONTEXT: &str = "client_context";

/// One field of one version of an event, or of what is kept of every request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DataMapEntry {
    /// The kind of stream that the event is of; `client_context` for where requests came from, which is no event.
    pub stream_type: &'static str,
    /// Who owns what streams of this kind record.
    #[schema(value_type = Vec<String>, example = json!(["ORGANIZATION", "USER"]))]
    pub owners: &'static [Owner],
    pub event_type: &'static str,
    pub schema_version: u16,
    pub field: &'static str,
    #[schema(value_type = String, example = "CONFIDENTIAL")]
    pub class: DataClass,
    /// The field of the same event that names whose it is, where the value is sealed: a person, or a case.
    pub subject: Option<&'static str>,
    /// What it is kept for, where the value is sealed: each purpose of a subject has a key of its own.
    #[schema(value_type = Option<String>, example = "profile")]
    pub purpose: Option<Purpose>,
    /// Whether it stands encrypted beside the event, so that its key's end erases it.
    pub erasable: bool,
    /// For how long, the organization's schedule says of this class; what is not sealed stays as long as the log.
    pub retention: RecordClass,
    /// With whom it is erased, where it is erasable.
    #[schema(value_type = Option<String>, example = "PERSON")]
    pub erased_with: Option<ErasedWith>,
    /// Why it is not sealed, where it is text that somebody may have typed.
    #[schema(value_type = Option<String>, example = "what a company calls a team: the name of a group")]
    pub in_clear_because: Option<&'static str>,
}

/// With whom a sealed value is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErasedWith {
    /// With the person whose it is.
    Person,
    /// With the last data of the organization: what was written about a case is of no one person.
    Organization,
}

impl ErasedWith {
    fn of(purpose: Purpose) -> Self {
        if purpose.is_of_people() { ErasedWith::Person } else { ErasedWith::Organization }
    }
}

impl DataMapEntry {
    fn of(
        stream_type: &'static str,
        owners: &'static [Owner],
        (event_type, schema_version): (&'static str, u16),
        field: &FieldSpec,
    ) -> Self {
        let (subject, purpose) = field.personal.unzip();
        Self {
            stream_type,
            owners,
            event_type,
            schema_version,
            field: field.name,
            class: field.class,
            subject,
            purpose,
            erasable: purpose.is_some(),
            retention: purpose.map_or(RecordClass::Audit, RecordClass::of),
            erased_with: purpose.map(ErasedWith::of),
            in_clear_because: in_clear_because(event_type, field.name),
        }
    }
}

/// Every field, in the order of the registry, then those of requests.
pub fn data_map() -> Vec<DataMapEntry> {
    let events = AGGREGATES.iter().flat_map(|aggregate| aggregate.catalogue.iter().map(move |event| (aggregate, event)));
    let fields = events.flat_map(|(aggregate, event)| event.fields.iter().map(move |field| (aggregate, event, field)));
    let of_events = fields.map(|(aggregate, event, field)| {
        DataMapEntry::of(aggregate.stream_type, aggregate.owners, (event.name, event.schema_version), field)
    });
    let of_requests = ClientContext::FIELDS.iter();
    let of_requests = of_requests.map(|field| DataMapEntry::of(CLIENT_CONTEXT, &[Owner::Organization], (CLIENT_CONTEXT, 1), field));
    of_events.chain(of_requests).collect()
}

/// A payload with the fields above `clearance` left out, and their names; the payload as it is where
/// nothing is above. Of an event that this build does not know everything is above.
pub fn cleared(event: Option<&EventSpec>, payload: &RawValue, clearance: DataClass) -> Option<(Box<RawValue>, Vec<String>)> {
    let class = |name: &str| {
        let field = event.and_then(|event| event.fields.iter().find(|field| field.name == name));
        field.map_or(DataClass::Restricted, |field| field.class)
    };
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(payload.get()).unwrap_or_default();
    let (shown, withheld): (BTreeMap<_, _>, BTreeMap<_, _>) = fields.into_iter().partition(|(name, _)| class(name) <= clearance);
    if withheld.is_empty() {
        return None;
    }
    let shown = serde_json::value::to_raw_value(&shown).ok()?;
    Some((shown, withheld.into_keys().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{FieldSpec, Purpose};

    const EVENT: EventSpec = EventSpec {
        name: "test.happened",
        schema_version: 1,
        fields: &[
            FieldSpec { name: "open", rust_type: "i64", class: DataClass::Public, personal: None },
            FieldSpec { name: "ours", rust_type: "i64", class: DataClass::Internal, personal: None },
            FieldSpec { name: "named", rust_type: "String", class: DataClass::Confidential, personal: Some(("user_id", Purpose::Profile)) },
            FieldSpec { name: "ill", rust_type: "String", class: DataClass::Restricted, personal: Some(("user_id", Purpose::Health)) },
        ],
    };
    const PAYLOAD: &str = r#"{"open":1,"ours":2,"named":{"sealed":"a"},"ill":{"sealed":"b"}}"#;

    fn shown(event: Option<&EventSpec>, clearance: DataClass) -> (String, Vec<String>) {
        let payload = RawValue::from_string(PAYLOAD.to_owned()).unwrap();
        cleared(event, &payload, clearance)
            .map_or_else(|| (PAYLOAD.to_owned(), Vec::new()), |(shown, withheld)| (shown.get().to_owned(), withheld))
    }

    // covers: P-54, P-55
    #[test]
    fn each_clearance_sees_its_class_and_those_below() {
        assert_eq!(
            shown(Some(&EVENT), DataClass::Public),
            (r#"{"open":1}"#.to_owned(), vec!["ill".to_owned(), "named".to_owned(), "ours".to_owned()])
        );
        assert_eq!(
            shown(Some(&EVENT), DataClass::Internal),
            (r#"{"open":1,"ours":2}"#.to_owned(), vec!["ill".to_owned(), "named".to_owned()])
        );
        let confidential = (r#"{"named":{"sealed":"a"},"open":1,"ours":2}"#.to_owned(), vec!["ill".to_owned()]);
        assert_eq!(shown(Some(&EVENT), DataClass::Confidential), confidential);
        assert_eq!(shown(Some(&EVENT), DataClass::Restricted), (PAYLOAD.to_owned(), Vec::new()), "as it was recorded, byte for byte");
    }

    #[test]
    fn what_is_not_known_is_restricted() {
        assert_eq!(shown(None, DataClass::Confidential).0, "{}");
        let payload = RawValue::from_string(r#"{"open":1,"new":2}"#.to_owned()).unwrap();
        assert_eq!(cleared(Some(&EVENT), &payload, DataClass::Confidential).unwrap().1, ["new"]);
    }

    // covers: P-54
    #[test]
    fn every_field_of_every_event_has_a_class_and_what_is_personal_a_subject_and_a_purpose() {
        let map = data_map();
        let fields: usize = AGGREGATES.iter().flat_map(|aggregate| aggregate.catalogue).map(|event| event.fields.len()).sum();
        assert_eq!(map.len(), fields + ClientContext::FIELDS.len());
        for entry in &map {
            assert_eq!(entry.subject.is_some(), entry.purpose.is_some(), "{entry:?}");
            assert!(entry.purpose.is_none() || entry.class >= DataClass::Confidential, "{entry:?}");
            assert!(entry.purpose != Some(Purpose::Health) || entry.class == DataClass::Restricted, "{entry:?}");
        }
        let of = |event: &str, field: &str| map.iter().find(|entry| entry.event_type == event && entry.field == field).unwrap();
        let reference = of("identity.user_created", "external_ref");
        assert_eq!((reference.erasable, reference.erased_with), (true, Some(ErasedWith::Person)));
        let summary = of("compliance.breach_opened", "summary");
        assert_eq!((summary.subject, summary.purpose), (Some("breach_id"), Some(Purpose::Case)));
        assert_eq!((summary.erased_with, summary.in_clear_because), (Some(ErasedWith::Organization), None));
        let name = of("recognition.team_created", "name");
        assert_eq!((name.erasable, name.in_clear_because.is_some()), (false, true));
        assert_eq!((reference.retention, summary.retention), (RecordClass::Profile, RecordClass::Audit));
    }

    // covers: P-54
    #[test]
    fn where_requests_came_from_is_in_the_data_map_field_by_field() {
        let context = ClientContext { ip: "203.0.113.7".into(), user_agent: Some("Firefox".into()) };
        let kept = serde_json::to_value(&context).unwrap();
        let map = data_map();
        let shown: Vec<_> = map.iter().filter(|entry| entry.stream_type == CLIENT_CONTEXT).collect();
        let names: std::collections::BTreeSet<_> = shown.iter().map(|entry| entry.field).collect();
        assert_eq!(names, kept.as_object().unwrap().keys().map(String::as_str).collect());
        let told = |entry: &&DataMapEntry| (entry.purpose, entry.retention, entry.erased_with, entry.erasable);
        assert!(shown.iter().all(|entry| told(entry) == (Some(Purpose::Security), RecordClass::Security, Some(ErasedWith::Person), true)));
    }
}
