//! Consents: documents are published, people agree to them, take that back, and are not let in before
//! they agreed to what their organization requires.

use super::sign_in::{OWN, door};
use crate::support::{
    mail::{mail_to, token_in},
    running::{Client, Organization, Reply, eventually, fresh_organization, mint},
};
use palmares_domain::kernel::derive_uuid;
use serde_json::{Value, json};

impl Organization {
    async fn publish(&self, consent_type: &str, version: &str, text: &str) -> Reply {
        let body = json!({ "consent_type": consent_type, "version": version, "language": "en", "text": text });
        self.officer.post("/legal-documents", &body).await
    }

    async fn require(&self, consent_types: &[&str]) {
        let settings = json!({ "required_consents": consent_types });
        self.platform.send("PATCH", &format!("/organizations/{}/settings", self.id), &settings).await.expect(200);
    }
}

/// The digest that a document has to have.
fn sha256(text: &str) -> String {
    palmares_commands::digests::digest_of(text.as_bytes()).to_string()
}

async fn agree(client: &Client, consent_type: &str, version: &str) -> Reply {
    client.post("/consents", &json!({ "consent_type": consent_type, "policy_version": version, "language": "en" })).await
}

/// The record of one type, at a position at least.
async fn record(client: &Client, path: &str, consent_type: &str, position: i64) -> Value {
    let found = client.get_at(path, position).await.expect(200);
    let record = found.items().iter().find(|record| record["consent_type"] == consent_type).cloned();
    record.unwrap_or_else(|| panic!("no {consent_type} in {}", found.body))
}

// covers: E-175, E-209, E-235, E-236, E-286
#[tokio::test]
async fn a_person_agrees_to_the_version_in_force_and_takes_it_back() {
    let organization = fresh_organization().await;
    let (member, user) = (&organization.member, organization.member_id.clone());
    let published = organization.publish("marketing", "2026-01", "We write you letters.").await.expect(201);
    let document = member.get_at(&format!("/legal-documents/{}", published.id("id")), published.position()).await.expect(200);
    assert_eq!(document.body["text"], "We write you letters.");
    assert_eq!(document.body["digest"], sha256("We write you letters.").as_str());

    let asked = member.request(reqwest::Method::POST, "/consents").header("User-Agent", "Palmares test");
    let body = json!({ "consent_type": "marketing", "policy_version": "2026-01", "language": "en" });
    let granted = Reply::of(asked.json(&body)).await.expect(200);
    assert_eq!(granted.body["status"], "GIVEN");
    let consent = granted.id("id");
    let held = record(member, "/me/consents", "marketing", granted.position()).await;
    assert_eq!((&held["covered"], &held["current"], &held["required"]), (&json!(true), &json!(true), &json!(false)));
    assert_eq!((&held["consent"]["id"], &held["consent"]["status"]), (&json!(consent), &json!("GIVEN")));
    assert_eq!(held["consent"]["policy_version"], "2026-01");
    assert_eq!(held["consent"]["origin"], json!({ "ip": "127.0.0.1", "user_agent": "Palmares test" }));
    // What else was agreed to from the same device came from there too.
    organization.publish("analytics", "2026-01", "We count what you look at.").await.expect(201);
    let asked = member.request(reqwest::Method::POST, "/consents").header("User-Agent", "Palmares test");
    let body = json!({ "consent_type": "analytics", "policy_version": "2026-01", "language": "en" });
    let position = Reply::of(asked.json(&body)).await.expect(200).position();
    for consent in ["marketing", "analytics"] {
        let held = record(member, "/me/consents", consent, position).await;
        assert_eq!(held["consent"]["origin"]["user_agent"], "Palmares test", "{consent}");
    }

    // A newer version asks again, and renews the same consent.
    let newer = organization.publish("marketing", "2026-02", "We write you more letters.").await.expect(201);
    let held = record(member, "/me/consents", "marketing", newer.position()).await;
    assert_eq!((&held["covered"], &held["current"]), (&json!(true), &json!(false)));
    agree(member, "marketing", "2026-01").await.refused(422, "VALIDATION_ERROR");
    let renewed = agree(member, "marketing", "2026-02").await.expect(200);
    assert_eq!((&renewed.body["status"], &renewed.body["id"]), (&json!("GIVEN"), &json!(consent)));
    agree(member, "marketing", "2026-02").await.refused(409, "CONFLICT");

    let path = format!("/consents/{consent}/revoke");
    organization.officer.send("PATCH", &path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    let revoked = member.send("PATCH", &path, &json!({})).await.expect(200);
    member.send("PATCH", &path, &json!({})).await.refused(409, "CONFLICT");
    let over = record(member, "/me/consents", "marketing", revoked.position()).await;
    assert_eq!((&over["covered"], &over["consent"]["status"]), (&json!(false), &json!("REVOKED")));
    assert!(over["consent"]["revoked_at"].is_string());

    // What the officer asks about another is on record, with whose data it was.
    let of_user = format!("/users/{user}/consents");
    record(&organization.officer, &of_user, "marketing", 0).await;
    for stranger in [&organization.analyst, &organization.member.with_token(organization.analyst.token())] {
        stranger.get(&of_user).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    let head = organization.head().await;
    organization.officer.get_at("/events?limit=1", head).await.expect(200);
    let reads = organization.officer.all("/events?type=compliance.sensitive_data_read").await;
    assert!(reads.iter().any(|read| read["payload"]["subject_id"] == user.as_str()), "{reads:?}");
}

// covers: E-175, E-286
#[tokio::test]
async fn whether_processing_was_covered_is_answered_for_every_moment() {
    let organization = fresh_organization().await;
    let (member, user) = (&organization.member, organization.member_id.clone());
    let first = organization.publish("health_data", "1", "Steps.").await.expect(201).position();
    let granted = agree(member, "health_data", "1").await.expect(200);
    let second = organization.publish("health_data", "2", "Steps and sleep.").await.expect(201).position();
    let renewed = agree(member, "health_data", "2").await.expect(200).position();
    let revoke = format!("/consents/{}/revoke", granted.id("id"));
    let revoked = member.send("PATCH", &revoke, &json!({})).await.expect(200).position();

    let at = async |position: i64| {
        let path = format!("/users/{user}/consents?as_of={position}");
        let held = record(&organization.officer, &path, "health_data", revoked).await;
        (held["covered"].clone(), held["current"].clone(), held["consent"]["policy_version"].clone())
    };
    assert_eq!(at(first).await, (json!(false), json!(false), Value::Null));
    assert_eq!(at(granted.position()).await, (json!(true), json!(true), json!("1")));
    assert_eq!(at(second).await, (json!(true), json!(false), json!("1")));
    assert_eq!(at(renewed).await, (json!(true), json!(true), json!("2")));
    assert_eq!(at(revoked).await, (json!(false), json!(false), json!("2")));

    // By time as well: a moment before anything was published knows nothing.
    let before = organization.officer.get(&format!("/users/{user}/consents?as_of=2020-01-01T00:00:00Z")).await.expect(200);
    assert!(before.items().is_empty(), "{}", before.body);
    organization.officer.get(&format!("/users/{user}/consents?as_of=yesterday")).await.refused(422, "VALIDATION_ERROR");
}

// covers: E-175
#[tokio::test]
async fn a_receipt_says_what_was_agreed_to_as_iso_27560_has_it() {
    let organization = fresh_organization().await;
    let member = &organization.member;
    let document = organization.publish("health_data", "1", "Steps.").await.expect(201).id("id");
    let granted = agree(member, "health_data", "1").await.expect(200);
    let path = format!("/me/consents/{}/receipt", granted.id("id"));
    let receipt = member.get_at(&path, granted.position()).await.expect(200).body;
    assert_eq!(receipt["schema_version"], "ISO/IEC TS 27560:2023");
    assert_eq!(receipt["record_id"], granted.id("id"));
    assert_eq!(receipt["pii_principal_id"], organization.member_id.as_str());
    let processing = &receipt["pii_processing"];
    assert_eq!(processing["privacy_notice_document"], format!("/api/v1/legal-documents/{document}"));
    assert_eq!(processing["privacy_notice"], Value::Null, "there is none that everybody can read");
    assert_eq!((&processing["privacy_notice_version"], &processing["language"]), (&json!("1"), &json!("en")));
    assert_eq!(processing["privacy_notice_digest"], sha256("Steps.").as_str());
    let purpose = &processing["purposes"][0];
    assert_eq!((&purpose["purpose_type"], &purpose["lawful_basis"]), (&json!("health_data"), &json!("consent")));
    assert_eq!(
        purpose["pii_information"],
        json!([{ "pii_type": "health", "retention_period": "P0D" }, { "pii_type": "reward", "retention_period": "P3653D" }])
    );
    assert_eq!(purpose["withdrawal_method"], format!("PATCH /api/v1/consents/{}/revoke", granted.id("id")));
    assert!(purpose["privacy_rights"].as_array().is_some_and(|rights| rights.contains(&json!("access"))), "{purpose}");
    assert_eq!((&purpose["jurisdiction"], &purpose["recipient_third_parties"]), (&Value::Null, &json!(["hosting"])));
    assert_eq!(purpose["pii_controllers"], json!([organization.id]));
    assert_eq!(receipt["party_identification"][0]["party_id"], json!(organization.id));
    assert_eq!((&receipt["events"][0]["event_type"], &receipt["events"][0]["event_state"]), (&json!("GRANTED"), &json!("given")));
    assert_eq!(receipt["events"][0]["origin"]["ip"], "127.0.0.1");

    // The same state gives the same receipt; what happens next gives another one.
    let id = receipt["receipt_id"].clone();
    assert_eq!(member.get(&path).await.expect(200).body["receipt_id"], id);
    let revoked = member.send("PATCH", &format!("/consents/{}/revoke", granted.id("id")), &json!({})).await.expect(200);
    let after = member.get_at(&path, revoked.position()).await.expect(200).body;
    assert_ne!(after["receipt_id"], id);
    assert_eq!(after["events"][1]["event_state"], "withdrawn");
    assert_eq!(
        (&after["events"][0]["validity_duration"], &after["events"][1]["validity_duration"]),
        (&json!("UNTIL_WITHDRAWN_OR_REPLACED"), &Value::Null)
    );

    // What the organization says of itself stands in it.
    let privacy = json!({
        "controller_contact": "privacy@acme.example", "data_protection_officer": "dpo@acme.example", "jurisdiction": "FR",
        "notice_url": "https://acme.example/privacy",
    });
    let settings = format!("/organizations/{}/settings", organization.id);
    let changed = organization.admin.send("PATCH", &settings, &json!({ "privacy": privacy })).await.expect(200);
    let told = member.get_at(&path, changed.position()).await.expect(200).body;
    assert_eq!(told["pii_processing"]["privacy_notice"], "https://acme.example/privacy");
    assert_eq!(told["pii_processing"]["purposes"][0]["jurisdiction"], "FR");
    assert_eq!(told["party_identification"][0]["party_contact"], "privacy@acme.example");
    let officer = &told["party_identification"][1];
    assert_eq!((&officer["party_role"], &officer["party_contact"]), (&json!("Data protection officer"), &json!("dpo@acme.example")));

    let by_user = format!("/consents/{}/receipt?user_id={}", granted.id("id"), organization.member_id);
    organization.officer.get(&by_user).await.expect(200);
    organization.analyst.get(&by_user).await.refused(404, "RESOURCE_NOT_FOUND");
    let nobodys = derive_uuid("nobody", &[b"consent"]);
    member.get(&format!("/me/consents/{nobodys}/receipt")).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-278
#[tokio::test]
async fn nobody_is_let_in_before_they_agreed_to_what_is_required() {
    let organization = fresh_organization().await;
    let member = &organization.member;
    organization.require(&["terms_of_service"]).await;
    // Nothing is in force that could be agreed to.
    member.get("/leaderboards/steps").await.expect(200);

    organization.publish("terms_of_service", "1", "Be kind.").await.expect(201);
    for (client, path) in [(member, "/leaderboards/steps"), (&organization.admin, "/users")] {
        let refused = client.get(path).await.refused(403, "ACCESS_DENIED");
        assert_eq!(refused.body["reason"], "compliance.consent_required");
    }
    let owed = record(member, "/me/consents", "terms_of_service", organization_head(&organization).await).await;
    assert_eq!((&owed["required"], &owed["current"]), (&json!(true), &json!(false)));
    assert_eq!(owed["in_force"]["version"], "1");
    let document = owed["in_force"]["texts"][0]["document_id"].as_str().expect("a document").to_owned();
    assert_eq!(member.get(&format!("/legal-documents/{document}")).await.expect(200).body["text"], "Be kind.");
    let consent = agree(member, "terms_of_service", "1").await.expect(200).id("id");
    member.get("/leaderboards/steps").await.expect(200);
    organization.admin.get("/users").await.refused(403, "ACCESS_DENIED");

    // A version that is raised later asks again, and so does taking it back.
    organization.publish("terms_of_service", "2", "Be very kind.").await.expect(201);
    member.get("/leaderboards/steps").await.refused(403, "ACCESS_DENIED");
    agree(member, "terms_of_service", "2").await.expect(200);
    member.get("/leaderboards/steps").await.expect(200);
    member.send("PATCH", &format!("/consents/{consent}/revoke"), &json!({})).await.expect(200);
    member.get("/leaderboards/steps").await.refused(403, "ACCESS_DENIED");

    organization.require(&[]).await;
    member.get("/leaderboards/steps").await.expect(200);
}

/// From the invitation to the first page: signed in, and let in once the terms are accepted.
// covers: E-278
#[tokio::test]
async fn a_newcomer_signs_in_agrees_and_is_let_in() {
    let organization = fresh_organization().await;
    organization.publish("terms_of_service", "1", "Be kind.").await.expect(201);
    organization.require(&["terms_of_service"]).await;
    let email = format!("{}@acme.example", uuid::Uuid::now_v7().simple());
    let path = format!("/organizations/{}/invitations", organization.id);
    organization.platform.post(&path, &json!({ "email": email, "role": "member" })).await.expect(201);
    let token = token_in(&mail_to(&email).await, "invitation");
    let taken = door("/invitations/accept", &json!({ "token": token })).await.expect(200);
    let complete = json!({ "setup_token": taken.body["setup_token"], "password": OWN });
    let signed_in = door("/invitations/complete?$jwt=true", &complete).await.expect(200);
    assert_eq!(signed_in.body["status"], "SIGNED_IN");
    let newcomer = Client::anonymous().with_token(&signed_in.id("access_token"));
    let refused = newcomer.get("/leaderboards/steps").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "compliance.consent_required");
    let owed = record(&newcomer, "/me/consents", "terms_of_service", organization_head(&organization).await).await;
    let version = owed["in_force"]["version"].as_str().expect("a version").to_owned();
    agree(&newcomer, "terms_of_service", &version).await.expect(200);
    newcomer.get("/leaderboards/steps").await.expect(200);
}

/// The head, asked by who is let in whatever people have to agree to.
async fn organization_head(organization: &Organization) -> i64 {
    let listed = organization.platform.get("/projections").await.expect(200);
    let number = |name: &str| listed.items()[0][name].as_i64().expect("a position");
    number("position") + number("lag_positions")
}

// covers: E-278
#[tokio::test]
async fn a_version_is_asked_for_from_its_moment_on() {
    let organization = fresh_organization().await;
    let member = &organization.member;
    organization.publish("terms_of_service", "1", "Be kind.").await.expect(201);
    agree(member, "terms_of_service", "1").await.expect(200);
    let soon = chrono::Utc::now() + std::time::Duration::from_secs(4);
    let body = json!({ "consent_type": "terms_of_service", "version": "2", "language": "en", "text": "Be good.", "effective_at": soon });
    organization.officer.post("/legal-documents", &body).await.expect(201);
    agree(&organization.analyst, "terms_of_service", "2").await.refused(422, "VALIDATION_ERROR");
    // Everyone else agrees to the first one, so that nobody else is in the way.
    agree(&organization.officer, "terms_of_service", "1").await.expect(200);
    organization.require(&["terms_of_service"]).await;
    member.get("/leaderboards/steps").await.expect(200);
    eventually("the second version is in force", || async { (member.get("/leaderboards/steps").await.status == 403).then_some(()) }).await;
    assert!(chrono::Utc::now() >= soon);
    agree(member, "terms_of_service", "2").await.expect(200);
    member.get("/leaderboards/steps").await.expect(200);
}

#[tokio::test]
async fn what_is_no_document_and_no_consent_is_refused_and_not_recorded() {
    let organization = fresh_organization().await;
    organization.publish("analytics", "1", "We count.").await.expect(201);
    let before = organization.domain_events().await;
    let document = |change: Value| {
        let mut body = json!({ "consent_type": "analytics", "version": "2", "language": "en", "text": "We count more." });
        body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        body
    };
    for (change, field) in [
        (json!({ "consent_type": "soul" }), "consent_type"),
        (json!({ "version": "a b" }), "version"),
        (json!({ "language": "de" }), "language"),
        (json!({ "text": " " }), "text"),
        (json!({ "text": null, "url": "http://acme.example", "digest": "00".repeat(32) }), "text"),
        (json!({ "text": null, "url": "https://acme.example/terms" }), "digest"),
        (json!({ "digest": "00".repeat(32) }), "digest"),
        (json!({ "effective_at": "2020-01-01T00:00:00Z" }), "effective_at"),
        (json!({ "effective_at": "2099-01-01T00:00:00Z" }), "effective_at"),
    ] {
        let refused = organization.officer.post("/legal-documents", &document(change)).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    organization.publish("analytics", "1", "We count.").await.refused(409, "CONFLICT");
    for caller in [&organization.member, &organization.analyst] {
        caller.post("/legal-documents", &document(json!({}))).await.refused(403, "ACCESS_DENIED");
    }
    for (body, field) in [
        (json!({ "consent_type": "analytics", "policy_version": "2", "language": "en" }), "policy_version"),
        (json!({ "consent_type": "marketing", "policy_version": "1", "language": "en" }), "policy_version"),
        (json!({ "consent_type": "analytics", "policy_version": "1", "language": "fr" }), "language"),
        (json!({ "consent_type": "analytics", "language": "en" }), "policy_version"),
    ] {
        let refused = organization.member.post("/consents", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    // Whoever does not belong to the organization agrees to nothing there.
    agree(&organization.platform, "analytics", "1").await.refused(403, "ACCESS_DENIED");
    assert_eq!(organization.domain_events().await, before);
}

/// Self-service follows from who somebody is: whoever has a composed role alone, or none any more, agrees to
/// what is required and has what is their own, and a program has nothing of it.
// covers: W-24, W-39
#[tokio::test]
async fn whoever_has_no_built_in_role_is_not_locked_out_of_what_is_theirs() {
    let organization = fresh_organization().await;
    let role = organization.admin.post("/roles", &json!({ "name": "Coach", "grants": ["points.credit"] })).await.expect(201).id("id");
    let user = organization.member_id.clone();
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    organization.admin.post(&format!("/users/{user}/roles/member/unassign"), &json!({})).await.expect(200);
    let custom: palmares_domain::kernel::RoleId = role.parse().expect("the id of a role");
    let coach = organization.member.with_token(&mint(&user, organization.id, custom));
    organization.publish("terms_of_service", "1", "Be kind.").await.expect(201);
    organization.require(&["terms_of_service"]).await;
    agree(&organization.admin, "terms_of_service", "1").await.expect(200);

    let refused = coach.get("/points/programs").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "compliance.consent_required");
    coach.get("/legal-documents").await.expect(200);
    agree(&coach, "terms_of_service", "1").await.expect(200);
    coach.get("/me").await.expect(200);
    coach.get(&format!("/users/{user}/points")).await.expect(200);
    coach.get("/users").await.refused(403, "ACCESS_DENIED");
    coach.get(&format!("/users/{}/points", organization.add_member("other").await)).await.refused(404, "RESOURCE_NOT_FOUND");

    organization.admin.post(&format!("/users/{user}/roles/{role}/unassign"), &json!({})).await.expect(200);
    coach.get(&format!("/users/{user}/points")).await.expect(200);
    coach.post("/me/subject-requests", &json!({ "kind": "access" })).await.expect(201);
    coach.post("/points/credits", &json!({})).await.refused(403, "ACCESS_DENIED");

    let key = json!({ "name": "Payroll", "grants": ["points.credit"], "quota": { "requests": 100, "per": "day" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("key");
    let program = Client::anonymous().with_token(&key);
    agree(&program, "terms_of_service", "1").await.refused(403, "ACCESS_DENIED");
    program
        .post("/elevations", &json!({ "role": "organization_admin", "duration_seconds": 60, "reason": "no" }))
        .await
        .refused(403, "ACCESS_DENIED");
}
