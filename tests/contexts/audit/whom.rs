//! Whom an entry concerns: who saw somebody, what was done to what is theirs, and at whom a refused attempt was aimed.

use super::{exported, found, types};
use crate::support::running::fresh_organization;
use serde_json::{Value, json};

/// The routes by which somebody's data was read.
fn reads(entries: &[Value]) -> Vec<&str> {
    let read = entries.iter().filter(|entry| entry["event_type"] == "compliance.sensitive_data_read");
    read.filter_map(|entry| entry["payload"]["route"].as_str()).collect()
}

// covers: E-194, E-195
#[tokio::test]
async fn who_saw_somebody_is_found_whether_alone_or_in_a_list() {
    let organization = fresh_organization().await;
    let body = json!({ "external_ref": "seen", "display_name": "Ada Seen", "role": "member" });
    let created = organization.admin.post("/users", &body).await.expect(201);
    let ada = created.id("id");
    organization.admin.get_at("/users?limit=200", created.position()).await.expect(200);
    organization.admin.get(&format!("/users/{ada}")).await.expect(200);
    let about = format!("target_id={ada}");
    let entries = found(&organization, &about).await;
    let seen = reads(&entries);
    for route in ["/api/v1/users", "/api/v1/users/{user_id}"] {
        assert!(seen.contains(&route), "{route}: {seen:?}");
    }
    let listed = entries.iter().find(|entry| entry["payload"]["route"] == "/api/v1/users").expect("the list");
    assert!(listed["payload"]["subjects"].as_array().is_some_and(|subjects| subjects.contains(&json!(ada))), "{listed}");
    // The same with who it was, in an export, and of nobody else.
    let by_officer = found(&organization, &format!("{about}&event_type=identity.user_suspended")).await;
    assert!(by_officer.is_empty(), "{by_officer:?}");
    let (status, lines) = exported(&organization.officer, &format!("/audit-logs/export?{about}"), &[]).await;
    assert_eq!(status, 200);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect();
    assert!(reads(&lines).contains(&"/api/v1/users"), "{lines:?}");
    let positions: Vec<_> = lines.iter().filter_map(|line| line["position"].as_i64()).collect();
    assert!(positions.is_sorted(), "oldest first: {positions:?}");
    let stranger = organization.add_member("never-read").await;
    assert!(reads(&found(&organization, &format!("target_id={stranger}")).await).iter().all(|route| *route != "/api/v1/users/{user_id}"));
}

// covers: E-194
#[tokio::test]
async fn what_is_done_to_the_account_of_somebody_is_found_by_them() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let user = organization.add_member("wallet").await;
    let body = json!({ "program_id": program, "user_id": user, "amount": 40 });
    organization.admin.post("/points/credits", &body).await.expect(202);
    let entries = found(&organization, &format!("target_id={user}")).await;
    assert!(types(&entries).contains("points.credit_accepted"), "{:?}", types(&entries));
    // Whoever did it is not whom it concerns.
    let creator = entries.iter().find(|entry| entry["event_type"] == "points.credit_accepted").expect("the credit");
    let creator = creator["actor_id"].as_str().expect("an id");
    assert!(!types(&found(&organization, &format!("target_id={creator}")).await).contains("points.credit_accepted"));
}
