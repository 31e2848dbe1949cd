//! Searches that are kept, by who keeps them.

use super::found;
use crate::support::running::fresh_organization;
use serde_json::{Value, json};

// covers: E-195
#[tokio::test]
async fn a_search_is_kept_listed_and_forgotten() {
    let organization = fresh_organization().await;
    let officer = &organization.officer;
    let body = json!({ "name": "Roles", "filters": { "audit_name": "ROLE_CHANGED", "action": "identity" } });
    let id = officer.post("/audit-logs/searches", &body).await.expect(201).id("id");
    let listed = officer.get("/audit-logs/searches").await.expect(200);
    assert_eq!(listed.items(), [json!({ "id": id, "name": "Roles", "filters": body["filters"] })]);
    let others = organization.admin.get("/audit-logs/searches").await.expect(200);
    assert!(others.items().is_empty(), "a search is of whoever keeps it");
    organization.admin.send("DELETE", &format!("/audit-logs/searches/{id}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    officer.post("/audit-logs/searches", &json!({ "name": "roles", "filters": { "action": "points" } })).await.refused(409, "CONFLICT");
    // What somebody calls it, and what they look for, is theirs.
    let saved = found(&organization, "event_type=compliance.search_saved").await;
    assert!(!saved[0].to_string().contains("Roles") && !saved[0]["payload"].to_string().contains("ROLE_CHANGED"), "{}", saved[0]);

    officer.send("DELETE", &format!("/audit-logs/searches/{id}"), &json!({})).await.expect(200);
    assert!(officer.get("/audit-logs/searches").await.expect(200).items().is_empty());
    officer.send("DELETE", &format!("/audit-logs/searches/{id}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn what_is_no_search_is_not_kept() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    for (filters, field) in [
        (json!({ "shoe_size": "43" }), "filters.shoe_size"),
        (json!({ "actor_id": "nobody" }), "filters.actor_id"),
        (json!({ "ip": "nonsense" }), "filters.ip"),
        (json!({ "cursor": "x" }), "filters.cursor"),
    ] {
        let body = json!({ "name": "Bad", "filters": filters });
        let refused = organization.officer.post("/audit-logs/searches", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    // What may be about somebody is searched for and not kept: it would outlive their erasure.
    for filters in [json!({ "ip": "198.51.100.7" }), json!({ "action": "points", "text": "ann" })] {
        let body = json!({ "name": "Ann", "filters": filters });
        let refused = organization.officer.post("/audit-logs/searches", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "filters", "{}", refused.body);
        assert_eq!(refused.body["reason"], "compliance.search_filter_about_somebody", "{}", refused.body);
    }
    organization.officer.post("/audit-logs/searches", &json!({ "name": "Empty", "filters": {} })).await.refused(422, "VALIDATION_ERROR");
    organization
        .member
        .post("/audit-logs/searches", &json!({ "name": "A", "filters": { "action": "points" } }))
        .await
        .refused(403, "ACCESS_DENIED");
    assert_eq!(organization.domain_events().await, before);
}

/// Nothing found looks like nothing done: what is no name is refused, wherever a search is given.
// covers: E-195
#[tokio::test]
async fn what_a_search_names_that_is_not_there_is_refused_with_what_is_like_it() {
    let organization = fresh_organization().await;
    let officer = &organization.officer;
    let before = organization.domain_events().await;
    for (name, wrong, like) in [
        ("event_type", "identity.role_asigned", json!("identity.role_assigned")),
        ("event_type", "no.such_event", Value::Null),
        ("target_type", "legal_hold", json!("legal_holds")),
        ("action", "points.hodl", json!("points.hold")),
        ("action", "not a permission", Value::Null),
    ] {
        for path in ["/audit-logs", "/audit-logs/export"] {
            let refused = officer.get(&format!("{path}?{name}={wrong}")).await.refused(422, "VALIDATION_ERROR");
            let error = &refused.body["errors"][0];
            assert_eq!((&error["field"], &error["allowed"][0]), (&json!(name), &like), "{path}: {}", refused.body);
        }
        let kept = json!({ "name": "Typo", "filters": { name: wrong } });
        let refused = officer.post("/audit-logs/searches", &kept).await.refused(422, "VALIDATION_ERROR");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["allowed"][0]), (&json!(format!("filters.{name}")), &like), "{}", refused.body);
    }
    for path in ["/audit-logs", "/audit-logs/export", "/audit-logs/evidence"] {
        let refused = officer.get(&format!("{path}?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z")).await;
        assert_eq!(refused.refused(422, "VALIDATION_ERROR").body["errors"][0]["field"], "to", "{path}");
    }
    // What is known and never happened here is found nowhere, which is an answer.
    for known in ["event_type=compliance.breach_opened", "target_type=breach_case", "action=compliance.breach", "action=system"] {
        assert!(found(&organization, known).await.is_empty() || known == "action=system", "{known}");
    }
    assert_eq!(organization.domain_events().await, before);
}
