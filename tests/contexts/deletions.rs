//! Who may ask that somebody be deleted, over whom, and who is told what became of it.

use super::erasure::{enrol, in_review, on};
use crate::support::{
    mail::{Mail, mails_to},
    running::{Client, Organization, Reply, eventually, fresh_organization, mint},
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::identity::Role;
use serde_json::{Value, json};

const ASK: &str = "/deletion-requests";

async fn me(client: &Client) -> String {
    client.get("/me").await.expect(200).body["user_id"].as_str().expect("an id").to_owned()
}

#[track_caller]
fn last(reply: Reply) {
    assert_eq!(reply.refused(409, "CONFLICT").body["reason"], "identity.last_compliance_officer");
}

// covers: E-47
#[tokio::test]
async fn the_last_officer_is_not_deleted_at_anybodys_word() {
    let organization = fresh_organization().await;
    let (admin, officer) = (&organization.admin, me(&organization.officer).await);
    let asked = json!({ "user_id": officer });
    for client in [admin, &organization.officer] {
        last(client.post(&format!("{ASK}?dry_run=true"), &asked).await);
        last(client.post(ASK, &asked).await);
        last(client.post(&format!("/users/{officer}/request-deletion"), &json!({})).await);
    }
    let other = organization.add_member("second-officer").await;
    let role = format!("/users/{other}/roles");
    let role_of = json!({ "role": "compliance_officer" });
    admin.post(&role, &role_of).await.expect(200);
    let request = admin.post(ASK, &asked).await.expect(201).id("id");

    // Who else was one when it was asked for is none any more when it is proven.
    admin.post(&format!("{role}/compliance_officer/unassign"), &json!({})).await.expect(200);
    let secret = enrol(admin).await;
    last(on(admin, &request, "verify", json!({ "code": super::code(&secret, 0) })).await);
    organization.officer.get("/legal-holds").await.expect(200);
    admin.post(&role, &role_of).await.expect(200);
    on(admin, &request, "verify", json!({ "code": super::code(&secret, 0) })).await.expect(200);
    organization.officer.get("/legal-holds").await.refused(403, "ACCESS_DENIED");
    last(admin.post(ASK, &json!({ "user_id": other })).await);
    organization.platform.post(ASK, &json!({ "user_id": other })).await.expect(201);
}

#[tokio::test]
async fn who_leaves_out_whom_it_is_about_asks_for_nothing() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let named = |reply: Reply| reply.refused(422, "VALIDATION_ERROR").body["errors"][0]["field"].clone();
    for nothing in [json!({}), json!({ "user_id": null }), json!({ "organization": false })] {
        assert_eq!(named(organization.admin.post(ASK, &nothing).await), "user_id");
    }
    let both = json!({ "user_id": organization.member_id, "organization": true });
    assert_eq!(named(organization.admin.post(ASK, &both).await), "organization");
    let path = format!("/users/{}/request-deletion", organization.member_id);
    assert_eq!(named(organization.admin.post(&path, &json!({ "organization": true })).await), "organization");
    assert_eq!(organization.domain_events().await, before);
    let request = organization.admin.post(ASK, &json!({ "organization": true })).await.expect(201).id("id");
    let shown = organization.deletion(&request).await;
    assert_eq!((&shown["kind"], &shown["user_id"]), (&json!("ORGANIZATION"), &Value::Null));
}

#[tokio::test]
async fn what_an_administrator_asked_for_and_did_not_prove_keeps_nobody_from_asking_themselves() {
    let organization = fresh_organization().await;
    let (admin, member) = (&organization.admin, &organization.member);
    let body = json!({ "user_id": organization.member_id });
    let request = admin.post(ASK, &body).await.expect(201).id("id");
    assert_eq!(in_review(&organization).await, request);
    let secret = enrol(admin).await;
    on(admin, &request, "verify", json!({ "code": super::code(&secret, 0) })).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(admin.post(ASK, &body).await.refused(409, "CONFLICT").body["reason"], "compliance.deletion_already_open");
    let shown = member.get_at(&format!("{ASK}/{request}?user_id={}", organization.member_id), organization.head().await).await;
    let shown = shown.expect(200).body;
    assert_eq!((&shown["kind"], &shown["status"]), (&json!("OWN_ACCOUNT"), &json!("IN_REVIEW")));
    let earlier = shown["earlier"].as_array().expect("a list");
    assert_eq!(earlier.iter().map(|of| (&of["kind"], &of["status"])).collect::<Vec<_>>(), [(&json!("BY_ADMIN"), &json!("SUBMITTED"))]);
    assert_eq!(earlier[0]["requested_by"], json!(me(admin).await));
}

#[tokio::test]
async fn a_plan_follows_the_deletion_that_is_under_way() {
    let organization = fresh_organization().await;
    let path = format!("/deletion-preview?user_id={}", organization.member_id);
    assert_eq!(organization.member.get(&path).await.expect(200).body.get("status"), None);
    let request = in_review(&organization).await;
    on(&organization.officer, &request, "approve", json!({})).await.expect(200);
    let due_at = organization.deletion(&request).await["due_at"].clone();
    // A read model has a time to the microsecond.
    let at = |at: &Value| at.as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()).expect("a time").timestamp_micros();
    let plan = organization.member.get(&path).await.expect(200).body;
    assert_eq!((&plan["status"], at(&plan["soft_deleted_at"])), (&json!("GRACE"), at(&due_at)));
    assert_eq!(TimeDelta::microseconds(at(&plan["erased_at"]) - at(&due_at)), TimeDelta::days(30));
}

/// The letter to somebody whose subject says this.
async fn letter(email: &str, about: &str) -> Mail {
    eventually(about, async || mails_to(email).await.into_iter().find(|mail| mail.subject.contains(about))).await
}

/// Asked for by a person with an address, and proven.
async fn asked_by_themselves(organization: &Organization) -> (String, String, String) {
    let person = organization.person("member").await;
    let client = organization.member.with_token(&mint(&person.user, organization.id, Role::Member));
    let request = client.post(ASK, &json!({ "user_id": person.user })).await.expect(201).id("id");
    let secret = enrol(&client).await;
    on(&client, &request, "verify", json!({ "code": super::code(&secret, 0) })).await.expect(200);
    (person.user, person.email, request)
}

#[tokio::test]
async fn whose_own_deletion_others_take_back_is_told_why() {
    let organization = fresh_organization().await;
    let (user, email, request) = asked_by_themselves(&organization).await;
    let by_user = format!("/users/{user}/cancel-deletion");
    for refused in [on(&organization.admin, &request, "cancel", json!({})).await, organization.admin.post(&by_user, &json!({})).await] {
        let refused = refused.refused(422, "VALIDATION_ERROR").body;
        assert_eq!((&refused["errors"][0]["field"], &refused["reason"]), (&json!("reason"), &json!("compliance.deletion_reason_missing")));
    }
    let reason = json!({ "reason": "You called, and asked us to." });
    on(&organization.admin, &request, "cancel", reason).await.expect(200);
    let told = letter(&email, "was cancelled").await;
    for said in ["You called, and asked us to.", "data protection authority"] {
        assert!(told.text.contains(said), "{said}: {}", told.text);
    }
    let head = organization.head().await;
    let logged = organization.officer.get_at("/audit-logs?event_type=compliance.cancellation_explained", head).await.expect(200);
    assert_eq!(logged.items()[0]["payload"]["told"], json!(user), "{}", logged.body);
}

#[tokio::test]
async fn whose_own_deletion_is_refused_is_told_the_ground_and_where_to_complain() {
    let organization = fresh_organization().await;
    let (_, email, request) = asked_by_themselves(&organization).await;
    on(&organization.officer, &request, "refuse", json!({ "ground": "legal_claims" })).await.expect(200);
    let told = letter(&email, "has refused to delete your account").await;
    for said in ["needed for legal claims", "data protection authority", "go to court"] {
        assert!(told.text.contains(said), "{said}: {}", told.text);
    }
}
