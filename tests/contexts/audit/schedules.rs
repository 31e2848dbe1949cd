//! Schedules by which the audit log is taken out; that they run is shown where the clock can be moved.

use super::found;
use crate::support::running::{Organization, fresh_organization};
use serde_json::{Value, json};

const SCHEDULES: &str = "/audit-logs/schedules";

fn weekly() -> Value {
    json!({ "every": "week", "hour": 6, "time_zone": "Europe/Paris", "format": "csv", "filters": { "audit_name": "ROLE_CHANGED" } })
}

async fn listed(organization: &Organization) -> Vec<Value> {
    organization.officer.get(SCHEDULES).await.expect(200).items().to_vec()
}

// covers: E-276
#[tokio::test]
async fn a_schedule_is_opened_paused_and_closed_by_whose_it_is() {
    let organization = fresh_organization().await;
    let opened = organization.officer.post(SCHEDULES, &weekly()).await.expect(201);
    assert!(opened.id("identity").starts_with("AGE-SECRET-KEY-1"), "a key is made for who gave none");
    let id = opened.id("id");
    let [schedule] = &listed(&organization).await[..] else { panic!("one schedule") };
    assert_eq!((&schedule["id"], &schedule["status"], &schedule["format"]), (&json!(id), &json!("ACTIVE"), &json!("csv")));
    assert_eq!((&schedule["filters"], &schedule["last_export_id"]), (&weekly()["filters"], &Value::Null));
    assert!(schedule["due_at"].as_str().expect("a time") > chrono::Utc::now().to_rfc3339().as_str());
    assert!(organization.admin.get(SCHEDULES).await.expect(200).items().is_empty(), "another's are not shown");

    let path = format!("{SCHEDULES}/{id}");
    organization.admin.post(&format!("{path}/pause"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.officer.post(&format!("{path}/resume"), &json!({})).await.refused(409, "CONFLICT");
    organization.officer.post(&format!("{path}/pause"), &json!({})).await.expect(200);
    let paused = &listed(&organization).await[0];
    assert_eq!((&paused["status"], &paused["paused_because"], &paused["due_at"]), (&json!("PAUSED"), &json!("asked"), &Value::Null));
    organization.officer.post(&format!("{path}/pause"), &json!({})).await.refused(409, "CONFLICT");
    organization.officer.post(&format!("{path}/resume"), &json!({})).await.expect(200);
    organization.officer.send("DELETE", &path, &json!({})).await.expect(200);
    organization.officer.send("DELETE", &path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert!(listed(&organization).await.is_empty());

    let events: Vec<_> = found(&organization, "target_type=audit_schedules").await;
    let types: Vec<_> = events.iter().rev().filter_map(|event| event["event_type"].as_str()).collect();
    let all = ["opened", "paused", "resumed", "closed"].map(|happened| format!("compliance.audit_schedule_{happened}"));
    assert_eq!(types, all);
    assert!(!events.iter().any(|event| event["payload"].to_string().contains("ROLE_CHANGED")), "what is looked for is sealed");
}

// covers: E-276
#[tokio::test]
async fn a_schedule_has_the_filters_of_a_saved_search() {
    let organization = fresh_organization().await;
    let search = json!({ "name": "Sign-ups", "filters": { "action": "identity.user" } });
    let search = organization.officer.post("/audit-logs/searches", &search).await.expect(201).id("id");
    let mut body = json!({ "every": "day", "hour": 0, "time_zone": "UTC", "format": "json", "search_id": search });
    organization.officer.post(SCHEDULES, &body).await.expect(201);
    assert_eq!(listed(&organization).await[0]["filters"], json!({ "action": "identity.user" }));
    organization.admin.post(SCHEDULES, &body).await.refused(404, "RESOURCE_NOT_FOUND");
    body["filters"] = json!({});
    organization.officer.post(SCHEDULES, &body).await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn what_is_no_schedule_is_refused() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    for (field, value, blamed) in [
        ("hour", json!(24), "hour"),
        ("hour", json!(-1), "hour"),
        ("time_zone", json!("Mars/Base"), "time_zone"),
        ("every", json!("year"), "every"),
        ("format", json!("pdf"), "format"),
        ("recipient", json!("age1nonsense"), "recipient"),
        ("filters", json!({ "shoe_size": "43" }), "filters.shoe_size"),
        ("filters", json!({ "ip": "192.0.2.1" }), "filters"),
        ("filters", json!({ "from": "2026-01-01T00:00:00Z" }), "filters"),
    ] {
        let mut body = weekly();
        body[field] = value;
        let refused = organization.officer.post(SCHEDULES, &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], blamed, "{}", refused.body);
    }
    for caller in [&organization.member, &organization.analyst] {
        caller.post(SCHEDULES, &weekly()).await.refused(403, "ACCESS_DENIED");
        caller.get(SCHEDULES).await.refused(403, "ACCESS_DENIED");
    }
    // Whoever is of the platform has no place to fetch it from.
    organization.platform.post(SCHEDULES, &weekly()).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(organization.domain_events().await, before);
}
