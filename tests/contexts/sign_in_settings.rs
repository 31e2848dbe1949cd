//! What an organization sets about signing in holds for its people.

use super::sign_in::{GIVEN, OWN, code, door};
use crate::support::running::{Organization, fresh_organization};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

impl Organization {
    async fn set(&self, settings: Value) {
        self.admin.send("PATCH", &format!("/organizations/{}/settings", self.id), &settings).await.expect(200);
    }
}

// covers: E-08, E-96
#[tokio::test]
async fn an_organization_may_ask_for_longer_passwords() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    organization.set(json!({ "password_min_length": 40 })).await;
    let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let client = organization.member.with_token(&signed_in.id("access_token"));
    let change = |new: &str| json!({ "current_password": OWN, "new_password": new });
    let refused = client.post("/me/password", &change(GIVEN)).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["reason"], "password_too_short");
    let temporary = format!("/users/{}/temporary-password", person.user);
    let refused = organization.platform.post(&temporary, &json!({ "password": GIVEN })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["reason"], "password_too_short");
    client.post("/me/password", &change(&format!("{GIVEN} {OWN}"))).await.expect(200);
}

// covers: E-08, E-113
#[tokio::test]
async fn an_organization_may_ask_everyone_for_a_second_factor() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    organization.set(json!({ "mfa_required_for_all": true })).await;
    let asked = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    assert_eq!(asked.body["status"], "ENROLMENT_REQUIRED");
    let challenge = asked.body["challenge"].clone();
    let secret = door("/auth/mfa/enrol", &json!({ "challenge": challenge })).await.expect(200).id("secret");
    let signed_in = door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, -1) })).await.expect(200);
    let client = organization.member.with_token(&signed_in.id("access_token"));
    client.post("/me/mfa/totp/disable", &json!({ "code": code(&secret, 0) })).await.refused(403, "ACCESS_DENIED");
}

// covers: E-08, E-113
#[tokio::test]
async fn a_session_that_began_before_everyone_was_asked_for_a_second_factor_is_asked_for_it_too() {
    let organization = fresh_organization().await;
    let person = organization.person("analyst").await.with_own_password().await;
    let enter = async || {
        let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
        organization.member.with_token(&signed_in.id("access_token"))
    };
    let before = enter().await;
    before.get("/events?limit=1").await.expect(200);
    organization.set(json!({ "mfa_required_for_all": true })).await;
    let refused = before.get("/events?limit=1").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "gate.second_factor_required");

    // What is their own stays theirs, and they enrol with it.
    before.get("/me").await.expect(200);
    let secret = before.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    before.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    before.get("/events?limit=1").await.refused(403, "ACCESS_DENIED");
    let asked = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let verify = json!({ "challenge": asked.body["challenge"], "method": "totp", "code": code(&secret, 0) });
    let signed_in = door("/auth/mfa/verify", &verify).await.expect(200);
    organization.member.with_token(&signed_in.id("access_token")).get("/events?limit=1").await.expect(200);

    // As soon as nobody is asked any more, it is good again.
    organization.set(json!({ "mfa_required_for_all": false })).await;
    before.get("/events?limit=1").await.expect(200);
}

// covers: E-08, E-108
#[tokio::test]
async fn an_organization_may_end_sessions_sooner() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    organization.set(json!({ "session_max_hours": 2 })).await;
    for path in ["/auth/signin", "/auth/signin?$jwt=true"] {
        let signed_in = door(path, &person.body(OWN)).await.expect(200);
        let ends: DateTime<Utc> = signed_in.id("expires_at").parse().expect("a time");
        let hours = (ends - Utc::now()).as_seconds_f64() / 3600.0;
        assert!((1.9..=2.0).contains(&hours), "{path}: {hours}");
    }
}

// covers: E-08, E-118
#[tokio::test]
async fn an_organization_may_invite_only_addresses_in_its_domains() {
    let organization = fresh_organization().await;
    organization.set(json!({ "allowed_email_domains": ["acme.example"], "invitation_valid_hours": 48 })).await;
    let path = format!("/organizations/{}/invitations", organization.id);
    let invite = async |email: &str| organization.admin.post(&path, &json!({ "email": email, "role": "member" })).await;
    let refused = invite("ada@elsewhere.example").await.refused(422, "VALIDATION_ERROR");
    let error = &refused.body["errors"][0];
    assert_eq!((&error["field"], &error["reason"]), (&json!("email"), &json!("identity.email_domain_not_allowed")));
    let invited = invite("ada@acme.example").await.expect(201);
    let read = organization.admin.get_at(&format!("{path}/{}", invited.id("id")), invited.position()).await.expect(200);
    let ends: DateTime<Utc> = read.id("expires_at").parse().expect("a time");
    let hours = (ends - Utc::now()).as_seconds_f64() / 3600.0;
    assert!((47.9..=48.0).contains(&hours), "{hours}");
}
