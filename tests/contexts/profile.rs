//! What users say of themselves: how they are called, and what they prefer.

use super::sign_in::{OWN, Person, door};
use crate::support::{
    mail::{mail_to, token_in},
    running::{Client, Organization, Reply, fresh_organization},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

impl Person {
    /// Signs in, and acts by token.
    pub(super) async fn client(&self) -> Client {
        let signed_in = door("/auth/signin?$jwt=true", &self.body(OWN)).await.expect(200);
        Client::anonymous().with_token(&signed_in.id("access_token"))
    }
}

async fn change(client: &Client, change: &Value) -> Reply {
    client.send("PATCH", "/me", change).await
}

/// These fields of what somebody sees of themselves.
async fn shown(client: &Client, fields: &[&str]) -> Vec<Value> {
    let me = client.get("/me").await.expect(200).body;
    fields.iter().map(|field| me[field].clone()).collect()
}

/// What happened to users here, by the names of the events.
async fn count(organization: &Organization, event: &str) -> usize {
    organization.domain_events().await.iter().filter(|listed| listed["type"] == event).count()
}

// covers: P-81, E-58
#[tokio::test]
async fn a_name_of_ones_own_shows_at_once_and_in_the_directory() {
    let organization = fresh_organization().await;
    let ada = &organization.member;
    let all = ["given_name", "family_name", "display_name"];
    let changed = change(ada, &json!({ "given_name": "Ada", "family_name": "Lovelace", "display_name": "Ada L." })).await.expect(200);
    assert_eq!(shown(ada, &all).await, [json!("Ada"), json!("Lovelace"), json!("Ada L.")]);
    let path = format!("/users/{}", organization.member_id);
    let listed = organization.admin.get_at(&path, changed.position()).await.expect(200).body;
    assert_eq!(all.map(|name| &listed[name]), [&json!("Ada"), &json!("Lovelace"), &json!("Ada L.")]);

    let changed = change(ada, &json!({ "given_name": "Augusta", "family_name": null })).await.expect(200);
    assert_eq!(shown(ada, &all).await, [json!("Augusta"), Value::Null, json!("Ada L.")]);
    let listed = organization.admin.get_at(&path, changed.position()).await.expect(200).body;
    assert_eq!(all.map(|name| &listed[name]), [&json!("Augusta"), &Value::Null, &json!("Ada L.")]);
    let events = json!(organization.domain_events().await).to_string();
    assert!(!events.contains("Lovelace") && !events.contains("Augusta"), "a name stands in the log in clear");
}

// covers: E-58
#[tokio::test]
async fn what_cannot_be_a_profile_is_refused_by_its_field_and_leaves_nothing() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let cases = [
        (json!({ "given_name": " Ada" }), "given_name", "identity.person_name_invalid"),
        (json!({ "family_name": "" }), "family_name", "identity.person_name_invalid"),
        (json!({ "display_name": "x".repeat(201) }), "display_name", "identity.display_name_invalid"),
        (json!({ "given_name": 7 }), "given_name", "wrong_type"),
        (json!({ "language": "de" }), "language", "not_allowed"),
        (json!({ "time_zone": "Mars/Olympus" }), "time_zone", "invalid_value"),
        (json!({ "notifications": { "security": false } }), "notifications.security", "identity.security_letters_stay"),
        (json!({ "notifications": { "gossip": true } }), "notifications.gossip", "unknown_field"),
        (json!({ "email": "me@acme.example" }), "email", "unknown_field"),
        (json!({ "roles": ["organization_admin"] }), "roles", "unknown_field"),
        (json!({ "user_id": organization.member_id }), "user_id", "unknown_field"),
    ];
    for (body, field, reason) in cases {
        let refused = change(&organization.member, &body).await.refused(422, "VALIDATION_ERROR");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["reason"]), (&json!(field), &json!(reason)), "{body}");
    }
    assert_eq!(organization.domain_events().await, before);
}

// covers: P-81
#[tokio::test]
async fn a_profile_is_changed_on_the_version_that_was_seen_and_tried_before() {
    let organization = fresh_organization().await;
    let ada = &organization.member;
    let first = change(ada, &json!({ "display_name": "Ada" })).await.expect(200);
    let second = change(ada, &json!({ "display_name": "Ada L." })).await.expect(200);
    let on = |version: &str| ada.request(Method::PATCH, "/me").header("If-Match", version).json(&json!({ "display_name": "A. L." }));
    Reply::of(on(first.header("etag"))).await.refused(412, "PRECONDITION_FAILED");
    let tried = ada.send("PATCH", "/me?dry_run=true", &json!({ "display_name": "A. L." })).await.expect(200);
    assert!(!tried.body.is_null());
    assert_eq!(shown(ada, &["display_name"]).await, [json!("Ada L.")]);
    Reply::of(on(second.header("etag"))).await.expect(200);
    assert_eq!(shown(ada, &["display_name"]).await, [json!("A. L.")]);
    // What changes nothing is no event.
    let chosen = json!({ "language": "fr", "time_zone": "Europe/Zurich", "notifications": { "product_news": true, "security": true } });
    for _ in 0..2 {
        change(ada, &chosen).await.expect(200);
    }
    assert_eq!(count(&organization, "identity.preferences_changed").await, 1);
    let shows = shown(ada, &["language", "time_zone", "notifications"]).await;
    assert_eq!(shows, [json!("fr"), json!("Europe/Zurich"), json!({ "security": true, "product_news": true })]);
    change(ada, &json!({ "language": null, "time_zone": null, "notifications": null })).await.expect(200);
    let shows = shown(ada, &["language", "time_zone", "notifications"]).await;
    assert_eq!(shows, [Value::Null, Value::Null, json!({ "security": true, "product_news": false })]);
}

// covers: E-58
#[tokio::test]
async fn letters_and_problems_speak_the_language_that_somebody_chose() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.client().await;
    let bad = json!({ "given_name": 7 });
    let said = |reply: Reply| reply.refused(422, "VALIDATION_ERROR").header("content-language").to_owned();
    assert_eq!(said(change(&client, &bad).await), "en");
    change(&client, &json!({ "language": "fr" })).await.expect(200);
    assert_eq!(said(change(&client, &bad).await), "fr");
    let asked = client.request(Method::PATCH, "/me").header("Accept-Language", "en-GB").json(&bad);
    assert_eq!(said(Reply::of(asked).await), "fr", "what a browser says unasked counts more than what its user chose");

    let named = json!({ "organization": person.organization, "email": person.email });
    door("/auth/magic-link", &named).await.expect(202);
    let letter = mail_to(&person.email).await;
    assert!(letter.text.contains("Vous avez demandé un lien de connexion"), "not in French: {}", letter.text);
}

// covers: E-58
#[tokio::test]
async fn nobody_changes_the_profile_of_another() {
    let organization = fresh_organization().await;
    let path = format!("/users/{}", organization.member_id);
    organization.admin.send("PATCH", &path, &json!({ "display_name": "Somebody" })).await.refused(405, "METHOD_NOT_ALLOWED");
    Client::anonymous().send("PATCH", "/me", &json!({ "display_name": "Somebody" })).await.refused(401, "AUTHENTICATION_FAILED");
}

/// What a token says, as its holder reads it.
fn payload(token: &str) -> Value {
    let body = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("three parts")).expect("base64");
    serde_json::from_slice(&body).expect("JSON")
}

// covers: H-24, H-27
#[tokio::test]
async fn a_token_tells_its_holder_the_tenant_and_an_address_once_it_is_proven() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.client().await;
    let told = payload(client.token());
    assert_eq!((&told["org"], &told["org_slug"]), (&json!(organization.id), &json!(organization.slug)));
    assert_eq!((&told["roles"], &told["env"], &told["sub"]), (&json!(["member"]), &json!("development"), &json!(person.user)));
    assert!(told["iss"].is_string() && told["exp"].is_u64());
    assert!(told.get("email").is_none() && told.get("email_verified").is_none(), "an address that nobody proved: {told}");
    assert_eq!(shown(&client, &["email", "email_verified"]).await, [json!(person.email), json!(false)]);

    client.post("/me/email-verification", &json!({})).await.expect(200);
    let token = token_in(&mail_to(&person.email).await, "auth/email-verification");
    door("/auth/email-verification/complete", &json!({ "token": token })).await.expect(200);
    let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let told = payload(&signed_in.id("access_token"));
    assert_eq!((&told["email"], &told["email_verified"]), (&json!(person.email), &json!(true)));
    assert_eq!(shown(&client, &["email", "email_verified"]).await, [json!(person.email), json!(true)]);

    // A session does not keep it: what is set in its place is not proven.
    let set = json!({ "email": format!("new-{}", person.email) });
    organization.admin.post(&format!("/users/{}/email", person.user), &set).await.expect(200);
    let refreshed = door("/auth/refresh", &json!({ "refresh_token": signed_in.id("refresh_token") })).await.expect(200);
    assert!(payload(&refreshed.id("access_token")).get("email").is_none());
}
