//! What is there for those who answer for compliance: the modules, the platform's look into an organization,
//! and the log of what was taken out.

use super::found;
use crate::{
    contexts::exports::{built, download, proof},
    support::running::{Client, fresh_organization},
};
use palmares::{pipeline::route::Kind, routes};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

// covers: E-16
#[tokio::test]
async fn each_module_of_compliance_answers_those_it_is_for() {
    let organization = fresh_organization().await;
    let (member, officer) = (&organization.member, &organization.officer);
    let modules: [(&Client, &str); 7] = [
        (member, "/me/consents"),
        (officer, "/legal-documents"),
        (member, "/me/privacy"),
        (member, "/me/exports"),
        (officer, "/deletion-requests"),
        (officer, "/retention-schedules"),
        (officer, "/audit-logs"),
    ];
    let head = organization.head().await;
    for (client, path) in modules {
        let answered = client.get_at(path, head).await.expect(200);
        assert!(answered.body.is_object(), "{path}: {}", answered.body);
    }
    for path in ["/retention-schedules", "/audit-logs"] {
        member.get(path).await.refused(403, "ACCESS_DENIED");
    }
}

/// The platform looks into a breach of an organization, keeps its compliance settings and looks at what was taken
/// out. Each look is in the organization's own log.
// covers: E-29, E-31, E-36
#[tokio::test]
async fn the_platform_investigates_sets_and_reviews_and_is_seen_to() {
    let organization = fresh_organization().await;
    let platform = &organization.platform;
    let user = organization.add_member("suspect").await;
    organization.admin.post(&format!("/users/{user}/suspend"), &json!({})).await.expect(200);

    // An incident: who did what, and what looked wrong.
    let trail = platform.get_at(&format!("/audit-logs?target_id={user}"), organization.head().await).await.expect(200);
    assert!(trail.items().iter().any(|entry| entry["event_type"] == "identity.user_suspended"), "{}", trail.body);
    let event = trail.items()[0]["event_id"].as_str().expect("an id").to_owned();
    platform.get(&format!("/audit-logs/{event}/explain")).await.expect(200);
    platform.get("/anomalies").await.expect(200);

    // Compliance settings, and a feature of the plan.
    let settings = format!("/organizations/{}/settings", organization.id);
    let changed = json!({ "required_consents": ["terms_of_service"], "feature_flags": ["reporting", "api_keys"] });
    platform.send("PATCH", &settings, &changed).await.expect(200);
    organization.admin.send("PATCH", &settings, &json!({ "feature_flags": [] })).await.refused(403, "ACCESS_DENIED");
    platform.send("PUT", "/retention-schedules", &json!({ "class": "AUDIT", "days": 3000 })).await.expect(200);
    let changes = found(&organization, "event_type=compliance.retention_period_set").await;
    assert_eq!(changes.len(), 1, "{changes:?}");

    // What was taken out, and by whom.
    let taken = organization.officer.request(Method::GET, "/audit-logs/export").send().await.expect("an answer");
    assert_eq!(taken.status(), 200);
    taken.bytes().await.expect("the whole export");
    let exports = platform.get_at("/audit-logs?audit_name=DATA_EXPORTED", organization.head().await).await.expect(200);
    assert_eq!(exports.items().len(), 1, "{}", exports.body);
    assert_eq!(exports.items()[0]["actor_role"], json!(["compliance_officer"]));
    platform.get("/subject-requests").await.expect(200);

    // Whoever looks in from the platform is seen by the organization.
    let looks = found(&organization, "event_type=compliance.sensitive_data_read").await;
    let routes: BTreeSet<&str> = looks.iter().filter_map(|look| look["payload"]["route"].as_str()).collect();
    for route in ["/api/v1/audit-logs", "/api/v1/audit-logs/{event_id}/explain", "/api/v1/anomalies", "/api/v1/subject-requests"] {
        assert!(routes.contains(route), "{route} is not among {routes:?}");
    }
}

/// Every route that hands a file out, of the very table that serves, leaves a record of who took it; what
/// administrators do are events of the same log.
// covers: P-12
#[tokio::test]
async fn every_file_that_is_taken_out_and_every_act_is_in_the_access_log() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let owner = person.signed_in(&organization).await;
    let (export, _) = built(&owner, "json").await;
    let files: BTreeSet<&str> = routes::all().filter(|route| route.kind == Kind::Stream).map(|route| route.path).collect();
    let mut taken = BTreeSet::new();
    // What is told as it happens is no file, and never ends.
    for path in files.into_iter().filter(|path| !path.ends_with("/events/stream")) {
        let short = path.strip_prefix("/api/v1").unwrap_or(path);
        let status = if short.contains("{export_id}") {
            download(&owner, &export, &proof(&owner).await).await.status()
        } else {
            // What all did together is for whoever runs the organization, and of a time.
            let (client, asked) = match () {
                () if short.starts_with("/me/") => (&owner, short.to_owned()),
                () if short.starts_with("/reports/") => (&organization.admin, format!("{short}?from=2026-01-01&until=2026-01-02")),
                () => (&organization.officer, short.to_owned()),
            };
            let answer = client.request(Method::GET, &asked).header("Accept", "application/x-ndjson").send().await.expect("an answer");
            let status = answer.status();
            answer.bytes().await.expect("the whole file");
            status
        };
        assert_eq!(status, 200, "{path}");
        taken.insert(format!("/api/v1{short}"));
    }
    let records = found(&organization, "event_type=compliance.data_exported").await;
    let recorded: BTreeSet<String> = records.iter().filter_map(|record| record["payload"]["route"].as_str().map(str::to_owned)).collect();
    assert_eq!(recorded, taken);
    assert!(records.iter().all(|record| record["ip_address"] == "127.0.0.1" && record["actor_id"].is_string()), "{records:?}");

    let user = organization.add_member("acted-on").await;
    organization.admin.post(&format!("/users/{user}/suspend"), &json!({})).await.expect(200);
    let acts = found(&organization, &format!("target_id={user}")).await;
    let acts: BTreeSet<&str> = acts.iter().filter_map(|act| act["event_type"].as_str()).collect();
    assert!(acts.contains("identity.user_created") && acts.contains("identity.user_suspended"), "{acts:?}");
}
