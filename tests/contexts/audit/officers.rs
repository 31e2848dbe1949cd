//! Compliance officers keep watch over administrators: these do not make themselves one, do not take the last one
//! away, and whoever changes who they are is noticed.

use super::{super::sign_in::OWN, found};
use crate::support::running::{Client, Organization, Reply, eventually, fresh_organization, mint};
use chrono::{TimeDelta, Utc};
use palmares_domain::identity::Role;
use serde_json::{Value, json};

/// What was noticed of changes of officers, once everything was counted that was recorded.
async fn noticed(organization: &Organization) -> Vec<Value> {
    let head = organization.head().await;
    organization.officer.get_at("/anomalies?rule=COMPLIANCE_OFFICERS_CHANGED", head).await.expect(200).items().to_vec()
}

async fn me(client: &Client) -> String {
    client.get("/me").await.expect(200).body["user_id"].as_str().expect("an id").to_owned()
}

async fn unassign(organization: &Organization, user: &str) -> Reply {
    organization.admin.post(&format!("/users/{user}/roles/compliance_officer/unassign"), &json!({})).await
}

// covers: E-46, E-47
#[tokio::test]
async fn nobody_gives_a_role_to_themselves() {
    let organization = fresh_organization().await;
    let admin = me(&organization.admin).await;
    for role in ["compliance_officer", "analyst"] {
        let refused = organization.admin.post(&format!("/users/{admin}/roles"), &json!({ "role": role })).await;
        assert_eq!(refused.refused(403, "ACCESS_DENIED").body["reason"], "identity.role_of_oneself");
    }
    let attempts = found(&organization, &format!("audit_name=PERMISSION_ESCALATION_ATTEMPT&actor_id={admin}")).await;
    let aimed: Vec<_> = attempts.iter().map(|attempt| (&attempt["payload"]["role"], &attempt["payload"]["subject_id"])).collect();
    assert_eq!(aimed, [(&json!("analyst"), &json!(admin)), (&json!("compliance_officer"), &json!(admin))]);
    assert!(noticed(&organization).await.is_empty(), "the first officer is how an organization begins");
    // Nor by a program, whose key could be one's own.
    let grants = ["identity", "compliance", "points", "operations.event", "operations.projection.read", "organizations.organization.read"];
    let key = json!({ "name": "Robot", "grants": grants, "quota": { "requests": 100, "per": "minute" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("key");
    let robot = Client::anonymous().with_token(&key);
    let refused = robot.post(&format!("/users/{admin}/roles"), &json!({ "role": "compliance_officer" })).await;
    assert_eq!(refused.refused(403, "ACCESS_DENIED").body["reason"], "identity.officer_by_program");
}

// covers: E-47, E-87
#[tokio::test]
async fn who_changes_who_keeps_watch_is_noticed_each_time_and_the_last_one_stays() {
    let organization = fresh_organization().await;
    let (admin, officer) = (me(&organization.admin).await, me(&organization.officer).await);
    let last = |reply: Reply| {
        assert_eq!(reply.refused(409, "CONFLICT").body["reason"], "identity.last_compliance_officer");
    };
    last(unassign(&organization, &officer).await);
    last(organization.admin.post(&format!("/users/{officer}/suspend"), &json!({})).await);
    last(organization.admin.post(&format!("/users/{officer}/deactivate"), &json!({})).await);
    organization.officer.get_at("/users", organization.head().await).await.expect(200);
    let due = json!({ "role": "compliance_officer", "due_at": Utc::now() + TimeDelta::days(90) });
    let review = organization.officer.post("/access-reviews", &due).await.expect(201).id("id");
    let revoke = json!({ "user_id": officer, "role": "compliance_officer" });
    last(organization.admin.post(&format!("/access-reviews/{review}/revoke"), &revoke).await);
    assert!(noticed(&organization).await.is_empty());

    // Another officer, and gone again: both are noticed, by whoever keeps watch besides.
    let other = organization.add_member("second-officer").await;
    organization.admin.post(&format!("/users/{other}/roles"), &json!({ "role": "compliance_officer" })).await.expect(200);
    unassign(&organization, &other).await.expect(200);
    let seen = eventually("both are noticed", || async { Some(noticed(&organization).await).filter(|seen| seen.len() == 2) }).await;
    assert!(seen.iter().all(|anomaly| anomaly["actor_id"] == json!(admin) && anomaly["sightings"] == 1), "{seen:?}");
    let told = eventually("people are told", || async {
        let told = found(&organization, "event_type=compliance.anomaly_raised").await;
        Some(told).filter(|told| told.len() == 2)
    });
    for told in told.await {
        assert_eq!(told["payload"]["told"], json!([officer]), "the officers who remain: {told}");
    }
    // With another one who may act, one goes.
    organization.admin.post(&format!("/users/{other}/roles"), &json!({ "role": "compliance_officer" })).await.expect(200);
    organization.admin.post(&format!("/users/{officer}/suspend"), &json!({})).await.expect(200);
    last(unassign(&organization, &other).await);
    organization.platform.post(&format!("/users/{other}/roles/compliance_officer/unassign"), &json!({})).await.expect(200);
}

// covers: E-47
#[tokio::test]
async fn an_administrator_does_not_decide_how_an_officer_signs_in() {
    let organization = fresh_organization().await;
    let officer = me(&organization.officer).await;
    let email = json!({ "email": "mine@acme.example" });
    let refused = organization.admin.post(&format!("/users/{officer}/email"), &email).await;
    assert_eq!(refused.refused(403, "ACCESS_DENIED").body["reason"], "identity.permission_escalation_attempt");
    let password = json!({ "password": OWN });
    let refused = organization.admin.post(&format!("/users/{officer}/temporary-password"), &password).await;
    assert_eq!(refused.refused(403, "ACCESS_DENIED").body["reason"], "identity.permission_escalation_attempt");
    organization.platform.post(&format!("/users/{officer}/email"), &email).await.expect(200);
    let other = organization.admin.with_token(&mint(&officer, organization.id, Role::ComplianceOfficer));
    other.get("/me").await.expect(200);
}
