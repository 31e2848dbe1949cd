//! The devices on which somebody is signed in, and the address by which they sign in.

use super::sign_in::{OWN, Person, door};
use crate::support::running::{Client, Organization, Reply, fresh_organization};
use serde_json::{Value, json};

impl Person {
    /// Signs in on a device of this name.
    async fn signed_in_on(&self, organization: &Organization, device: &str) -> Client {
        let mut body = self.body(OWN);
        body["device"] = json!({ "id": format!("0123456789abcdef-{device}"), "name": device });
        let signed_in = door("/auth/signin?$jwt=true", &body).await.expect(200);
        organization.member.with_token(&signed_in.id("access_token"))
    }
}

impl Organization {
    /// The sessions that this caller sees at a path.
    async fn sessions(&self, caller: &Client, path: &str) -> Vec<Value> {
        caller.get_at(path, self.head().await).await.expect(200).items().to_vec()
    }

    async fn email(&self, user: &str) -> Value {
        self.admin.get_at(&format!("/users/{user}"), self.head().await).await.expect(200).body["email"].clone()
    }
}

fn session_on<'a>(sessions: &'a [Value], device: &str) -> &'a Value {
    sessions.iter().find(|session| session["device_name"] == device).unwrap_or_else(|| panic!("no {device} in {sessions:?}"))
}

// covers: E-102, E-115, E-251
#[tokio::test]
async fn somebody_sees_where_they_are_signed_in_and_ends_it_on_one_device() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let phone = person.signed_in_on(&organization, "Phone").await;
    let laptop = person.signed_in_on(&organization, "Laptop").await;

    let seen = organization.sessions(&phone, "/me/sessions?active=true").await;
    let session = session_on(&seen, "Laptop");
    assert_eq!((&session["status"], &session["method"], &session["carrier"]), (&json!("ACTIVE"), &json!("password"), &json!("bearer")));
    assert_eq!(session["factors"], json!(["pwd"]));
    assert_eq!(session["origin"]["ip"], "127.0.0.1");
    let id = session["id"].as_str().expect("an id").to_owned();
    phone.send("DELETE", &format!("/me/sessions/{id}"), &json!({})).await.expect(200);
    laptop.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    phone.get("/me").await.expect(200);

    let seen = organization.sessions(&phone, "/me/sessions").await;
    assert_eq!((&session_on(&seen, "Laptop")["status"], &session_on(&seen, "Laptop")["end_reason"]), (&json!("ENDED"), &json!("by_user")));
    assert_eq!(session_on(&seen, "Phone")["status"], "ACTIVE");
    phone.send("DELETE", &format!("/me/sessions/{id}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-114, E-116, E-30
#[tokio::test]
async fn sessions_end_everywhere_but_here_and_an_administrator_ends_all() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let phone = person.signed_in_on(&organization, "Phone").await;
    let laptop = person.signed_in_on(&organization, "Laptop").await;
    laptop.post("/me/sessions/revoke", &json!({ "keep_current": true })).await.expect(200);
    phone.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    laptop.get("/me").await.expect(200);

    let path = format!("/users/{}/sessions", person.user);
    organization.admin.post(&format!("{path}/revoke"), &json!({})).await.expect(200);
    laptop.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    let seen = organization.sessions(&organization.admin, &path).await;
    assert_eq!(session_on(&seen, "Laptop")["end_reason"], "by_admin");
    assert!(organization.sessions(&organization.admin, &format!("{path}?active=true")).await.is_empty());

    let again = person.signed_in_on(&organization, "Tablet").await;
    organization.platform.post(&format!("{path}/revoke"), &json!({})).await.expect(200);
    again.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn the_sessions_of_somebody_else_look_as_if_they_were_not_there() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let phone = person.signed_in_on(&organization, "Phone").await;
    let path = format!("/users/{}/sessions", person.user);
    let id = organization.sessions(&organization.admin, &path).await[0]["id"].as_str().expect("an id").to_owned();
    let stranger = &organization.member;
    stranger.get(&path).await.refused(404, "RESOURCE_NOT_FOUND");
    stranger.post(&format!("{path}/revoke"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    stranger.send("DELETE", &format!("{path}/{id}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    stranger.send("DELETE", &format!("/me/sessions/{id}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    // Under one's own name nobody names another.
    stranger.get(&format!("/me/sessions?user_id={}", person.user)).await.refused(422, "VALIDATION_ERROR");
    stranger.post("/me/sessions/revoke", &json!({ "user_id": person.user })).await.refused(422, "VALIDATION_ERROR");
    let elsewhere = fresh_organization().await;
    elsewhere.admin.send("DELETE", &format!("{path}/{id}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    elsewhere.admin.post(&format!("{path}/revoke"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert!(elsewhere.sessions(&elsewhere.admin, &path).await.is_empty());
    phone.get("/me").await.expect(200);
}

#[tokio::test]
async fn an_address_is_one_users_however_it_is_spelled_until_it_changes() {
    let organization = fresh_organization().await;
    let (admin, ada) = (&organization.admin, organization.add_member("ada").await);
    let bob = json!({ "external_ref": "bob", "role": "member", "email": "Bob@acme.example" });
    let bob = admin.post("/users", &bob).await.expect(201).id("id");
    assert_eq!((organization.email(&ada).await, organization.email(&bob).await), (Value::Null, json!("Bob@acme.example")));

    let set = async |user: &str, email: &str| admin.set_email(user, email).await;
    let taken = set(&ada, "bob@ACME.example").await.refused(409, "CONFLICT");
    assert_eq!(
        taken.body["errors"][0],
        json!({ "field": "email", "reason": "identity.email_taken", "message": "Another user has this e-mail address." })
    );
    let before = organization.domain_events().await.len();
    let twin = json!({ "external_ref": "twin", "role": "member", "email": "BOB@acme.example" });
    admin.post("/users", &twin).await.refused(409, "CONFLICT");
    let malformed = set(&ada, "nowhere").await.refused(422, "VALIDATION_ERROR");
    assert_eq!(malformed.body["errors"][0]["field"], "email");
    assert_eq!(organization.domain_events().await.len(), before, "a refused address left something behind");

    set(&bob, "robert@acme.example").await.expect(200);
    set(&ada, "bob@acme.example").await.expect(200);
    assert_eq!((organization.email(&ada).await, organization.email(&bob).await), (json!("bob@acme.example"), json!("robert@acme.example")));
    let elsewhere = fresh_organization().await;
    let namesake = json!({ "external_ref": "bob", "role": "member", "email": "bob@acme.example" });
    elsewhere.admin.post("/users", &namesake).await.expect(201);
}

// covers: E-46
#[tokio::test]
async fn an_address_is_an_administrators_to_set_in_their_own_organization() {
    let organization = fresh_organization().await;
    let other = organization.add_member("other").await;
    // Not even one's own: whoever took a session over could take the account with it.
    for user in [&other, &organization.member_id] {
        organization.member.set_email(user, "me@acme.example").await.refused(403, "ACCESS_DENIED");
    }
    let elsewhere = fresh_organization().await;
    elsewhere.admin.set_email(&other, "other@acme.example").await.refused(404, "RESOURCE_NOT_FOUND");
}

impl Client {
    async fn set_email(&self, user: &str, email: &str) -> Reply {
        self.post(&format!("/users/{user}/email"), &json!({ "email": email })).await
    }
}
