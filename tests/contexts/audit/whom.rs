//! Whom an entry concerns: who saw somebody, what was done to what is theirs, and at whom a refused attempt was aimed.

use super::{exported, found, types};
use crate::support::running::{eventually, fresh_organization, mint};
use palmares_domain::identity::Role;
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

// covers: E-194, E-192, E-46
#[tokio::test]
async fn a_refused_attempt_names_whom_and_what_it_was_aimed_at() {
    let organization = fresh_organization().await;
    let (ada, bob) = (organization.add_member("aimed-at").await, organization.add_member("curious").await);
    let client = organization.admin.with_token(&mint(&bob, organization.id, Role::Member));
    client.get(&format!("/users/{ada}")).await.refused(404, "RESOURCE_NOT_FOUND");
    let refused = found(&organization, &format!("actor_id={bob}&outcome=refused&target_id={ada}")).await;
    let [entry] = refused.as_slice() else { panic!("{refused:?}") };
    assert_eq!((&entry["resource_type"], &entry["resource_id"]), (&json!("user"), &json!(ada)));
    assert_eq!((&entry["payload"]["subject_id"], &entry["payload"]["target_ids"]), (&json!(ada), &json!([ada])));
    // What is no person's is named too, and whoever is named in the body.
    let program = organization.program().await;
    client.post(&format!("/points/programs/{program}/rules"), &json!({})).await.refused(403, "ACCESS_DENIED");
    let refused = found(&organization, &format!("actor_id={bob}&outcome=refused&target_id={program}")).await;
    assert_eq!((&refused[0]["resource_type"], &refused[0]["resource_id"]), (&json!("points_program"), &json!(program)), "{refused:?}");
    client.post("/points/holds", &json!({ "program_id": program, "user_id": ada, "amount": 1 })).await.refused(403, "ACCESS_DENIED");

    // An administrator who reaches beyond their own rights: which role, and for whom.
    let platform = json!({ "role": "platform_admin" });
    organization.admin.post(&format!("/users/{ada}/roles"), &platform).await.refused(403, "ACCESS_DENIED");
    let attempts = found(&organization, &format!("audit_name=PERMISSION_ESCALATION_ATTEMPT&target_id={ada}")).await;
    let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!((&attempt["payload"]["role"], &attempt["payload"]["subject_id"]), (&json!("platform_admin"), &json!(ada)), "{attempt}");
}

// covers: E-192, E-87
#[tokio::test]
async fn a_member_who_promotes_themselves_again_and_again_is_noticed_as_an_administrator_is() {
    let organization = fresh_organization().await;
    let bob = organization.add_member("climber").await;
    let client = organization.admin.with_token(&mint(&bob, organization.id, Role::Member));
    for _ in 0..3 {
        let refused = client.post(&format!("/users/{bob}/roles"), &json!({ "role": "organization_admin" })).await;
        assert_eq!(refused.refused(403, "ACCESS_DENIED").body["reason"], "gate.permission_missing");
    }
    let attempts = found(&organization, &format!("audit_name=PERMISSION_ESCALATION_ATTEMPT&actor_id={bob}")).await;
    assert_eq!(attempts.len(), 3, "{attempts:?}");
    for attempt in &attempts {
        let payload = &attempt["payload"];
        assert_eq!((&payload["role"], &payload["subject_id"]), (&json!("organization_admin"), &json!(bob)), "{attempt}");
    }
    let raised = eventually("it is noticed", || async {
        let head = organization.head().await;
        let anomalies = organization.officer.get_at("/anomalies?rule=ESCALATION_ATTEMPTS", head).await.expect(200);
        anomalies.items().first().cloned()
    });
    let raised = raised.await;
    assert_eq!((&raised["actor_id"], &raised["sightings"]), (&json!(bob), &json!(3)));
}
