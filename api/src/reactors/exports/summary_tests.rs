use super::*;
use crate::reactors::exports::information::Information;
use chrono::{DateTime, Utc};
use palmares_domain::compliance::retention_schedule::RetentionSchedule;
use palmares_domain::kernel::{EventId, OrganizationId, UserId};
use palmares_domain::organizations::organization::Settings;
use palmares_projections::compliance::audit_trail::{Origin, OwnOrigin};
use palmares_projections::operations::history::{EventStream, HistoryEvent};
use serde_json::{json, value::to_raw_value};
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(2));
const SOMEBODY: Uuid = Uuid::from_u128(3);

fn own(event_type: &str, stream_type: &str, actor_id: Uuid, payload: &Value, personal: &[(&str, &str)]) -> OwnEvent {
    let organization_id = OrganizationId(Uuid::from_u128(1));
    OwnEvent {
        event: HistoryEvent {
            position: 1,
            id: EventId(Uuid::nil()),
            event_type: event_type.to_owned(),
            schema_version: 1,
            stream: EventStream { stream_type: stream_type.to_owned(), id: ADA.0, version: 1 },
            organization_id,
            actor_id,
            recorded_at: DateTime::<Utc>::UNIX_EPOCH,
            effective_at: None,
            metadata: to_raw_value(&json!({})).unwrap(),
            payload: to_raw_value(payload).unwrap(),
            withheld: Vec::new(),
        },
        personal: personal.iter().map(|(name, value)| ((*name).to_owned(), to_raw_value(value).unwrap())).collect(),
        others: 0,
        unreadable: Vec::new(),
    }
}

fn gathered(events: Vec<OwnEvent>) -> Gathered {
    let information = Information::of(
        Settings { controller_contact: Some("privacy@acme.example".into()), ..Settings::default() }.controller("Acme"),
        &RetentionSchedule::default(),
    );
    let whose = (OrganizationId(Uuid::from_u128(1)), ADA);
    let mut gathered = Gathered::new(whose, Locale::En, information, Utc::now());
    assert!(gathered.add(events).is_ok());
    gathered
}

/// Each section by its title.
fn section(lines: &[String], title: &str) -> Vec<String> {
    let begun = lines.iter().skip_while(|line| *line != title).skip(1);
    begun.take_while(|line| !line.is_empty()).map(|line| line.trim().to_owned()).collect()
}

fn history() -> Vec<OwnEvent> {
    let read = |by: Uuid| {
        let payload = json!({ "subject_id": ADA, "route": "/api/v1/users/{user_id}", "data_class": "CONFIDENTIAL" });
        own("compliance.sensitive_data_read", "access_record", by, &payload, &[])
    };
    vec![
        own("identity.user_invited", "user", SOMEBODY, &json!({ "email": { "sealed": "5a" } }), &[("email", "ada@acme.example")]),
        own("identity.signup_phone_given", "signup", ADA.0, &json!({}), &[("phone", "+33123456789")]),
        own("identity.profile_changed", "user", ADA.0, &json!({ "cleared": [] }), &[("given_name", "Ada"), ("family_name", "Byron")]),
        own("identity.profile_changed", "user", ADA.0, &json!({ "cleared": ["given_name"] }), &[("family_name", "Lovelace")]),
        own("compliance.consent_granted", "consents", ADA.0, &json!({ "consent_type": "analytics", "policy_version": "2" }), &[]),
        own("compliance.subject_request_received", "subject_request", ADA.0, &json!({ "kind": "access" }), &[("details", "all of it")]),
        read(ADA.0),
        read(SOMEBODY),
    ]
}

// covers: E-177
#[test]
fn the_summary_has_what_a_person_would_look_for() {
    let lines = lines(&gathered(history()));
    let profile = section(&lines, "Your profile");
    assert_eq!(profile, ["Family name: Lovelace", "E-mail address: ada@acme.example", "Telephone: +33123456789"]);
    assert_eq!(section(&lines, "What you agreed to"), ["1970-01-01 00:00 UTC  granted  analytics, 2"]);
    assert_eq!(section(&lines, "What you asked for"), ["1970-01-01 00:00 UTC  received  access, all of it"]);
}

#[test]
fn what_one_reads_of_oneself_nobody_else_read() {
    let lines = lines(&gathered(history()));
    assert!(lines.contains(&"Times that somebody else read sensitive data of yours: 1".to_owned()), "{lines:?}");
    let reads = section(&lines, "Reads by others, the newest first, 200 at most");
    let [read] = &reads[..] else { panic!("{reads:?}") };
    assert!(read.contains(&SOMEBODY.to_string()) && read.ends_with("/api/v1/users/{user_id}"), "{read}");
}

#[test]
fn the_summary_speaks_the_language_that_was_chosen_last() {
    let chosen = |language: Value, reset: Value| {
        let payload = json!({ "language": language, "reset": reset });
        own("identity.preferences_changed", "user", ADA.0, &payload, &[])
    };
    let title = |events| lines(&gathered(events)).swap_remove(0);
    let french = title(vec![chosen(json!("fr"), json!([])), chosen(Value::Null, json!([]))]);
    assert_eq!(french, "Ce qui est enregistré à votre sujet : un résumé");
    let english = "What is recorded of you: a summary";
    assert_eq!(title(Vec::new()), english);
    assert_eq!(title(vec![chosen(json!("fr"), json!([])), chosen(Value::Null, json!(["language"]))]), english);
}

// covers: E-177
#[test]
fn the_summary_says_why_who_and_how_long_and_from_where() {
    let mut gathered = gathered(history());
    let origin = Some(Origin { ip: "203.0.113.7".to_owned(), user_agent: Some("Firefox".to_owned()) });
    let first_at = DateTime::<Utc>::UNIX_EPOCH;
    gathered.origins.push(OwnOrigin { id: Uuid::from_u128(9), origin, first_at, unreadable: false });
    let lines = lines(&gathered);
    let why = section(&lines, "Why it is kept, who may be shown it, and how long it is kept");
    let points = why.iter().find(|line| line.starts_with("Points and rewards")).unwrap();
    assert!(points.contains("administrators") && points.contains("3653 (tax law)"), "{points}");
    assert!(points.contains("on the ground of: contract") && points.contains("outside: who runs the servers"), "{points}");
    assert_eq!(section(&lines, "Who answers for it"), ["Acme", "privacy@acme.example"]);
    let health = why.iter().find(|line| line.starts_with("Activity and health")).unwrap();
    assert!(health.contains("shown to: assigned experts"), "{health}");
    assert_eq!(section(&lines, "From where you came, the newest first, 200 at most"), ["1970-01-01 00:00 UTC  203.0.113.7  Firefox"]);
    let table = gathered.document(palmares_domain::compliance::subject_export::ExportFormat::Csv).unwrap();
    assert!(String::from_utf8(table).unwrap().lines().next().unwrap().ends_with(",others,origin,unreadable"));
}
