//! Searches that are kept, by who keeps them.

use super::found;
use crate::support::running::fresh_organization;
use serde_json::json;

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
