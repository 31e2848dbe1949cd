//! What is above a caller's clearance is left out wherever events are shown, and named.

use super::{live::Subscription, proofs::sealed};
use crate::support::running::{Client, Organization, fresh_organization, mint};
use palmares_domain::kernel::RoleId;
use palmares_proofs::{LogKey, TrustedKeys, evidence};
use reqwest::Method;
use serde_json::{Value, json};

/// An event with a confidential field, and one with a restricted field, each with the name of it.
const EVENTS: [(&str, &str); 2] = [("identity.user_created", "external_ref"), ("challenges.activities_recorded", "records")];

/// Whoever may see events, and of these what the named class allows.
async fn cleared_for(organization: &Organization, class: Option<&str>) -> Client {
    let name = format!("Cleared {}", class.unwrap_or("internal"));
    let clearance = class.map(|class| format!("compliance.{class}.read"));
    let grants: Vec<String> = ["operations.event", "compliance.audit_log"].map(str::to_owned).into_iter().chain(clearance).collect();
    let role = organization.admin.post("/roles", &json!({ "name": name, "grants": grants })).await.expect(201).id("id");
    let user = organization.add_member(&name).await;
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    organization.admin.with_token(&mint(&user, organization.id, role.parse::<RoleId>().expect("a role")))
}

/// The event of a type, by each route that shows payloads.
async fn shown(client: &Client, event_type: &str) -> Vec<Value> {
    let listed = client.get(&format!("/events?type={event_type}&limit=1")).await.expect(200).items()[0].clone();
    let exported = first_line(client, &format!("/events?type={event_type}")).await;
    let streamed = Subscription::open(client, &format!("/events/stream?type={event_type}&after=0"), None).await.next().await;
    let audited = client.get(&format!("/audit-logs?event_type={event_type}&limit=1")).await.expect(200).items()[0].clone();
    let taken_out = first_line(client, &format!("/audit-logs/export?event_type={event_type}")).await;
    vec![listed, exported, streamed, audited, taken_out]
}

/// What an export begins with.
async fn first_line(client: &Client, path: &str) -> Value {
    let request = client.request(Method::GET, path).header("Accept", "application/x-ndjson");
    let text = request.send().await.expect("the export is answered").text().await.expect("the whole export");
    serde_json::from_str(text.lines().next().expect("a line")).expect("an event")
}

fn withheld(event: &Value) -> Vec<&str> {
    event["withheld"].as_array().into_iter().flatten().map(|name| name.as_str().expect("a name")).collect()
}

// covers: P-41, P-54, P-55
#[tokio::test]
async fn each_route_shows_of_an_event_what_the_caller_is_cleared_for_and_names_the_rest() {
    let organization = fresh_organization().await;
    let item = json!({ "source": "watch", "source_record_id": "1", "user_id": organization.member_id, "metric": "steps", "value": 7,
        "local_day": "2026-01-05", "time_zone": "Europe/Paris" });
    organization.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
    let internal = cleared_for(&organization, None).await;
    let confidential = cleared_for(&organization, Some("confidential")).await;
    let restricted = cleared_for(&organization, Some("restricted")).await;
    let head = organization.head().await;
    organization.analyst.get_at("/events?limit=1", head).await.expect(200);
    let callers = [(&internal, 0), (&organization.analyst, 0), (&confidential, 1), (&restricted, 2), (&organization.officer, 2)];
    for (client, cleared) in callers {
        if !std::ptr::eq(client, &organization.analyst) {
            let found = client.get("/audit-logs?ip=127.0.0.1&limit=1").await.expect(200);
            assert_eq!(found.items().is_empty(), cleared == 0, "an address is not guessed at: {}", found.body);
        }
        for (above, (event_type, field)) in EVENTS.into_iter().enumerate() {
            // An analyst reads no audit log.
            let routes = if std::ptr::eq(client, &organization.analyst) {
                vec![client.get(&format!("/events?type={event_type}&limit=1")).await.expect(200).items()[0].clone()]
            } else {
                shown(client, event_type).await
            };
            for (route, event) in routes.iter().enumerate() {
                let is_shown = cleared > above;
                assert_eq!(event["payload"].get(field).is_some(), is_shown, "{field} by route {route} for {cleared}: {event}");
                assert_eq!(withheld(event).contains(&field), !is_shown, "{field} by route {route} for {cleared}: {event}");
                assert!(event["payload"].get("user_id").is_some(), "what is internal is shown: {event}");
            }
            for audited in routes.iter().skip(3) {
                assert_eq!(audited["device_metadata"].is_object(), cleared > 0, "{audited}");
                assert!(cleared == 2 || audited["after_state"].is_null(), "{audited}");
            }
        }
    }
}

/// An evidence package, with its lines after the first one.
async fn package(client: &Client, query: &str) -> (Vec<u8>, Vec<Value>) {
    let answer = client.request(Method::GET, &format!("/audit-logs/evidence{query}")).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let text = answer.text().await.expect("the whole package");
    let lines = text.lines().skip(1).map(|line| serde_json::from_str(line).expect("an event")).collect();
    (text.into_bytes(), lines)
}

// covers: P-55, E-184
#[tokio::test]
async fn a_package_shows_what_the_caller_is_cleared_for_and_hashes_of_the_rest() {
    let organization = fresh_organization().await;
    let item = json!({ "source": "watch", "source_record_id": "1", "user_id": organization.member_id, "metric": "steps", "value": 7,
        "local_day": "2026-01-05", "time_zone": "Europe/Paris" });
    organization.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
    let internal = cleared_for(&organization, None).await;
    let confidential = cleared_for(&organization, Some("confidential")).await;
    let restricted = cleared_for(&organization, Some("restricted")).await;
    sealed(&organization).await;
    let key = organization.officer.get("/audit-logs/keys").await.expect(200).items()[0]["key"].as_str().expect("a key").to_owned();
    let trust = evidence::Trust { keys: TrustedKeys::new([LogKey::parse(&key).expect("a key")]), ..evidence::Trust::default() };
    for (client, cleared) in [(&internal, 0), (&confidential, 1), (&restricted, 2), (&organization.officer, 2)] {
        for (above, (event_type, field)) in EVENTS.into_iter().enumerate() {
            for query in [String::new(), format!("?event_type={event_type}")] {
                let (bytes, events) = package(client, &query).await;
                evidence::verify(bytes.as_slice(), &trust).expect("it is whole, whatever it shows");
                let of_type: Vec<_> = events.iter().filter(|event| event["type"] == event_type).collect();
                assert!(!of_type.is_empty());
                for event in of_type {
                    let text = event["payload"]["text"].as_str();
                    assert_eq!(text.is_some_and(|text| text.contains(field)), cleared > above, "{field} for {cleared}: {event}");
                    assert_eq!(event["payload"]["sha256"].is_string(), cleared <= above, "{field} for {cleared}: {event}");
                }
            }
        }
        // What nobody has to be cleared for is shown to all.
        let (_, events) = package(client, "?event_type=identity.role_composed").await;
        assert!(events.iter().any(|event| event["payload"]["text"].is_string()), "{events:?}");
    }
}

// covers: P-55
#[tokio::test]
async fn a_package_is_the_whole_log_only_where_it_shows_all_of_it() {
    let organization = fresh_organization().await;
    let confidential = cleared_for(&organization, Some("confidential")).await;
    let restricted = cleared_for(&organization, Some("restricted")).await;
    sealed(&organization).await;
    let whole = async || {
        let head = organization.head().await;
        let listed = organization.officer.get_at("/audit-logs?event_type=compliance.whole_log_exported", head).await.expect(200);
        listed.items().len()
    };
    package(&confidential, "").await;
    assert_eq!(whole().await, 0, "hashes are not what somebody who leaves takes along");
    package(&restricted, "?event_type=identity.user_created").await;
    assert_eq!(whole().await, 0);
    package(&restricted, "").await;
    assert_eq!(whole().await, 1);
}

// covers: P-54
#[tokio::test]
async fn the_data_map_names_every_field_for_whoever_looks_after_compliance() {
    let organization = fresh_organization().await;
    let map = organization.officer.get_at("/data-map", organization.head().await).await.expect(200);
    let of = |event: &str, field: &str| map.items().iter().find(|entry| entry["event_type"] == event && entry["field"] == field).cloned();
    let reference = of("identity.user_created", "external_ref").expect("a field of the first event");
    assert_eq!((&reference["class"], &reference["subject"]), (&json!("CONFIDENTIAL"), &json!("user_id")));
    assert_eq!((&reference["purpose"], &reference["erasable"]), (&json!("profile"), &json!(true)));
    assert_eq!(of("challenges.activities_recorded", "records").expect("a field")["class"], "RESTRICTED");
    assert_eq!((&reference["erased_with"], &reference["in_clear_because"]), (&json!("PERSON"), &Value::Null));
    let summary = of("compliance.breach_opened", "summary").expect("a field");
    assert_eq!((&summary["subject"], &summary["erased_with"]), (&json!("breach_id"), &json!("ORGANIZATION")));
    let team = of("recognition.team_created", "name").expect("a field");
    assert!(team["erasable"] == false && team["in_clear_because"].is_string(), "{team}");
    organization.member.get("/data-map").await.refused(403, "ACCESS_DENIED");

    // And what is kept of every request, which is no event.
    let address = of("client_context", "ip").expect("where requests came from");
    assert_eq!(
        (&address["purpose"], &address["retention"], &address["retention_days"]),
        (&json!("security"), &json!("SECURITY"), &json!(0))
    );
    assert!(of("client_context", "user_agent").is_some_and(|agent| agent["erasable"] == true));
    assert_eq!((&reference["retention"], &team["retention"], &team["retention_days"]), (&json!("PROFILE"), &json!("AUDIT"), &json!(2557)));
}

/// GDPR, article 30(1): (a) controller, (b) purposes, (c) people and data, (d) recipients, (e) transfers, (f) how long, (g) how secured.
// covers: P-54
#[tokio::test]
async fn the_data_map_is_a_record_of_processing_and_says_what_nobody_has_given() {
    let organization = fresh_organization().await;
    let map = organization.officer.get_at("/data-map", organization.head().await).await.expect(200).body;
    assert!(map["controller"]["name"].is_string() && map["controller"]["contact"].is_null(), "{}", map["controller"]);
    let missing = ["controller_contact", "data_protection_officer", "representative", "transfers", "jurisdiction", "notice_url"];
    assert_eq!(map["missing"], json!(missing.map(|name| format!("privacy.{name}"))));
    let purpose = |name: &str| map["purposes"].as_array().and_then(|all| all.iter().find(|of| of["purpose"] == name)).cloned();
    let health = purpose("health").expect("health");
    assert_eq!((&health["legal_basis"], &health["recipients"]), (&json!("explicit_consent"), &json!(["expert"])));
    let security = purpose("security").expect("security");
    assert!(security["recipients_outside"].as_array().is_some_and(|to| to.contains(&json!("siem_stream"))), "{security}");
    assert!(security["categories"].as_array().is_some_and(|of| of.iter().any(|of| of["record"] == "client_context")), "{security}");
    assert_eq!(purpose("reward").expect("reward")["retention_days"], 3653);
    assert!(purpose("case").is_some_and(|case| case["description"].is_string()) && map["safeguards"][0].is_string());

    let privacy = json!({
        "controller_name": "Acme SAS", "controller_contact": "privacy@acme.example", "data_protection_officer": "dpo@acme.example",
        "representative": "none", "transfers": "none", "jurisdiction": "FR", "notice_url": "https://acme.example/privacy",
    });
    let settings = format!("/organizations/{}/settings", organization.id);
    let changed = organization.admin.send("PATCH", &settings, &json!({ "privacy": privacy })).await.expect(200);
    let map = organization.officer.get_at("/data-map", changed.position()).await.expect(200).body;
    assert_eq!((&map["controller"]["name"], &map["missing"]), (&json!("Acme SAS"), &json!([])));
    assert_eq!(
        (&map["controller"]["transfers"], &map["controller"]["data_protection_officer"]),
        (&json!("none"), &json!("dpo@acme.example"))
    );
    let refused = organization.admin.send("PATCH", &settings, &json!({ "privacy": { "notice_url": "/privacy" } })).await;
    assert_eq!(refused.refused(422, "VALIDATION_ERROR").body["errors"][0]["field"], "privacy.notice_url");
    let reset = organization.admin.send("PATCH", &settings, &json!({ "privacy": null })).await.expect(200);
    assert_eq!(
        organization.officer.get_at("/data-map", reset.position()).await.expect(200).body["missing"],
        json!(missing.map(|name| format!("privacy.{name}")))
    );
}
