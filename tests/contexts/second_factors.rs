//! Rights that need a second factor, in sessions that showed one and in sessions that did not.

use super::sign_in::{GIVEN, OWN, Person, code, cookie, door};
use crate::support::{
    mail::notice_to,
    running::{Client, Organization, Reply, eventually, fresh_organization, mint},
};
use palmares_domain::{identity::Role, kernel::RoleId};
use reqwest::Method;
use serde_json::{Value, json};

impl Person {
    /// Signs in with tokens, by password alone.
    async fn by_password(&self) -> Reply {
        let signed_in = door("/auth/signin?$jwt=true", &self.body(OWN)).await.expect(200);
        assert_eq!(signed_in.body["status"], "SIGNED_IN");
        signed_in
    }

    /// Signs in anew, and enrols the authenticator that is asked for.
    async fn by_enrolment(&self) -> Client {
        let asked = door("/auth/signin?$jwt=true", &self.body(OWN)).await.expect(200);
        assert_eq!(asked.body["status"], "ENROLMENT_REQUIRED");
        let challenge = asked.body["challenge"].clone();
        let secret = door("/auth/mfa/enrol", &json!({ "challenge": challenge })).await.expect(200).id("secret");
        let signed_in = door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, -1) })).await.expect(200);
        Client::anonymous().with_token(&signed_in.id("access_token"))
    }

    async fn is_given(&self, organization: &Organization, role: &str) {
        organization.admin.post(&format!("/users/{}/roles", self.user), &json!({ "role": role })).await.expect(200);
    }
}

/// An access token and a refresh token in place of those.
async fn refreshed(signed_in: &Reply) -> Reply {
    door("/auth/refresh", &json!({ "refresh_token": signed_in.id("refresh_token") })).await.expect(200)
}

fn client(signed_in: &Reply) -> Client {
    Client::anonymous().with_token(&signed_in.id("access_token"))
}

#[track_caller]
fn lacks_second_factor(reply: Reply) {
    assert_eq!(reply.refused(403, "ACCESS_DENIED").body["reason"], "gate.second_factor_required");
}

fn a_role(name: &str) -> Value {
    json!({ "name": name, "grants": ["points.hold"] })
}

// covers: E-113
#[tokio::test]
async fn a_role_that_comes_after_the_sign_in_is_of_no_use_without_a_second_factor() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let (browser, phone) = (door("/auth/signin", &person.body(OWN)).await.expect(200), person.by_password().await);
    let page = |method: Method, path: &str| {
        let request = Client::anonymous().request(method, path).header("Cookie", cookie(&browser));
        request.header("Palmares-Csrf", browser.id("csrf_token"))
    };
    Reply::of(page(Method::GET, "/users")).await.refused(403, "ACCESS_DENIED");
    person.is_given(&organization, "organization_admin").await;

    // With the next request, with a refreshed token, and by whatever way.
    lacks_second_factor(Reply::of(page(Method::POST, "/roles").json(&a_role("By cookie"))).await);
    lacks_second_factor(Reply::of(page(Method::GET, &format!("/users/{}/points", organization.member_id))).await);
    client(&phone).post("/roles", &a_role("By token")).await.refused(403, "ACCESS_DENIED");
    let phone = refreshed(&phone).await;
    lacks_second_factor(client(&phone).post("/roles", &a_role("By refreshed token")).await);
    lacks_second_factor(client(&phone).get("/users").await);
    lacks_second_factor(client(&phone).get("/events/stream").await);

    // Everything else goes on.
    let me = client(&phone).get("/me").await.expect(200);
    assert_eq!(me.body["roles"], json!(["member"]));
    Reply::of(page(Method::GET, &format!("/users/{}/points", person.user))).await.expect(200);

    // It was remembered.
    eventually("the refusals in the log", async || {
        let mut refused = organization.officer.all("/events?type=compliance.access_refused").await;
        refused.retain(|event| event["actor_id"] == person.user.as_str() && event["payload"]["route"] == "/api/v1/roles");
        (refused.len() == 3).then_some(())
    })
    .await;

    // Who shows a second factor may; the session that showed none is what it was.
    let admin = person.by_enrolment().await;
    admin.post("/roles", &a_role("With a second factor")).await.expect(201);
    lacks_second_factor(client(&refreshed(&phone).await).post("/roles", &a_role("By the first session")).await);
    // What an operator minted belongs to no session, and goes on as it did.
    let minted = organization.admin.with_token(&mint(&person.user, organization.id, Role::OrganizationAdmin));
    minted.post("/roles", &a_role("By a minted token")).await.expect(201);
}

// covers: E-113
#[tokio::test]
async fn an_authenticator_that_is_enrolled_later_counts_from_the_next_sign_in_on() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let first = person.by_password().await;
    person.is_given(&organization, "organization_admin").await;
    let first = refreshed(&first).await;
    let secret = client(&first).post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    client(&first).post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    lacks_second_factor(client(&first).post("/roles", &a_role("Still by password")).await);
    let asked = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let verify = json!({ "challenge": asked.body["challenge"], "method": "totp", "code": code(&secret, 0) });
    let signed_in = door("/auth/mfa/verify", &verify).await.expect(200);
    client(&signed_in).post("/roles", &a_role("By authenticator")).await.expect(201);
}

// covers: E-113, E-247
#[tokio::test]
async fn an_elevation_lends_no_role_to_a_session_without_the_factor_that_it_needs() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let session = client(&person.by_password().await);
    let ask = json!({ "role": "organization_admin", "duration_seconds": 600, "reason": "the yearly audit" });
    let id = session.post("/elevations", &ask).await.expect(201).id("id");
    organization.admin.post(&format!("/elevations/{id}/approve"), &json!({})).await.expect(200);
    session.post(&format!("/elevations/{id}/start"), &json!({})).await.expect(200);
    let with_it = [("Palmares-Elevation", id.as_str())];
    lacks_second_factor(session.post_with("/roles", &a_role("By password"), &with_it).await);
    lacks_second_factor(Reply::of(session.request(Method::GET, "/users").header("Palmares-Elevation", &id)).await);
    session.get("/me").await.expect(200);

    let secret = session.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    session.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    let asked = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let verify = json!({ "challenge": asked.body["challenge"], "method": "totp", "code": code(&secret, 0) });
    let strong = client(&door("/auth/mfa/verify", &verify).await.expect(200));
    strong.post_with("/points/programs", &json!({ "name": "elevated" }), &with_it).await.expect(201);

    // One that needs no second factor is lent to any session.
    let ask = json!({ "role": "analyst", "duration_seconds": 600, "reason": "the yearly audit" });
    let id = session.post("/elevations", &ask).await.expect(201).id("id");
    organization.admin.post(&format!("/elevations/{id}/approve"), &json!({})).await.expect(200);
    session.post(&format!("/elevations/{id}/start"), &json!({})).await.expect(200);
    Reply::of(session.request(Method::GET, "/events?limit=1").header("Palmares-Elevation", &id)).await.expect(200);
}

// covers: E-113
#[tokio::test]
async fn who_sees_what_is_confidential_of_others_needs_a_second_factor() {
    let organization = fresh_organization().await;
    let officer = organization.person("compliance_officer").await;
    let asked = door("/auth/signin", &officer.body(GIVEN)).await.expect(200);
    let asked = door("/auth/password", &json!({ "challenge": asked.body["challenge"], "password": OWN })).await.expect(200);
    assert_eq!(asked.body["status"], "ENROLMENT_REQUIRED");
    assert_eq!(officer.by_enrolment().await.get("/me").await.expect(200).body["roles"], json!(["compliance_officer"]));

    // The same by a role of the organization's own, which is asked for by what it grants.
    let grants = json!({ "name": "Reader", "grants": ["operations.event", "compliance.confidential.read"] });
    let role = organization.admin.post("/roles", &grants).await.expect(201).id("id");
    let reader = organization.person("member").await.with_own_password().await;
    let session = reader.by_password().await;
    reader.is_given(&organization, &role).await;
    lacks_second_factor(client(&refreshed(&session).await).get("/events?limit=1").await);
    reader.by_enrolment().await.get("/events?limit=1").await.expect(200);
}

// covers: E-110, E-113
#[tokio::test]
async fn an_administrator_takes_away_an_authenticator_that_was_lost() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let path = format!("/users/{}/second-factor/reset", person.user);
    organization.admin.post(&path, &json!({})).await.refused(409, "CONFLICT");
    person.is_given(&organization, "organization_admin").await;
    let admin = person.by_enrolment().await;

    // Not one's own, and not of somebody whose roles reach further.
    let refused = admin.post(&path, &json!({})).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.second_factor_ones_own");
    let helper = json!({ "name": "Helper", "grants": ["identity.credential.reset_second_factor"] });
    let helper = organization.admin.post("/roles", &helper).await.expect(201).id("id");
    let user = organization.add_member("helper").await;
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": helper })).await.expect(200);
    let helper = organization.admin.with_token(&mint(&user, organization.id, helper.parse::<RoleId>().expect("a role")));
    helper.post(&path, &json!({})).await.refused(403, "ACCESS_DENIED");
    organization.member.post(&path, &json!({})).await.refused(403, "ACCESS_DENIED");
    admin.get("/me").await.expect(200);

    assert_eq!(organization.admin.post(&path, &json!({})).await.expect(200).body["status"], "RESET");
    admin.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    notice_to(&person.email, "was switched off").await;
    // What is required stays required: another one is enrolled.
    person.by_enrolment().await.get("/users").await.expect(200);
}
