//! Signing in: by password and a second factor, with tokens or a cookie, and out again.

use crate::support::running::{Client, Organization, Reply, fresh_organization};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use totp_rs::{Builder, Secret};

pub(super) const GIVEN: &str = "lantern orbit pebble quartz";
pub(super) const OWN: &str = "meadow tractor violin glacier";

/// Somebody who can sign in.
pub(super) struct Person {
    pub(super) organization: String,
    pub(super) email: String,
    pub(super) user: String,
}

impl Organization {
    /// A user of this role with a temporary password.
    pub(super) async fn person(&self, role: &str) -> Person {
        let person = self.newcomer(role).await;
        self.platform.post(&format!("/users/{}/temporary-password", person.user), &json!({ "password": GIVEN })).await.expect(200);
        person
    }

    /// A user of this role with an e-mail address, and no password.
    pub(super) async fn newcomer(&self, role: &str) -> Person {
        let email = format!("{}@example.test", uuid::Uuid::now_v7().simple());
        let body = json!({ "external_ref": email, "email": email, "role": role });
        let user = self.platform.post("/users", &body).await.expect(201).id("id");
        Person { organization: self.slug.clone(), email, user }
    }
}

impl Person {
    pub(super) fn body(&self, password: &str) -> Value {
        json!({ "organization": self.organization, "email": self.email, "password": password })
    }

    /// Signs in by password, once it is the user's own.
    pub(super) async fn with_own_password(self) -> Self {
        let asked = door("/auth/signin", &self.body(GIVEN)).await.expect(200);
        assert_eq!(asked.body["status"], "PASSWORD_REQUIRED");
        door("/auth/password", &json!({ "challenge": asked.body["challenge"], "password": OWN })).await.expect(200);
        self
    }
}

pub(super) async fn door(path: &str, body: &Value) -> Reply {
    Client::anonymous().post(path, body).await
}

/// The code that an authenticator shows, some steps from now. Like somebody who sees that it is about to
/// change, it waits for the next one: a code that the server sees a step later is another step's.
pub fn code(secret: &str, steps: i64) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).expect("base32")).build_noncompliant();
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    while seconds() % 30 >= 27 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let now = seconds();
    totp.generate(now.checked_add_signed(steps * 30).expect("a time")).to_string()
}

/// What a browser sends back.
pub(super) fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

// covers: E-90, E-213, E-108, E-98, E-136, T-17, T-63, H-25, H-26, E-135, H-23, H-29
#[tokio::test]
async fn a_user_sets_a_password_of_their_own_and_signs_in_with_it() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    door("/auth/signin", &person.body(GIVEN)).await.refused(401, "AUTHENTICATION_FAILED");

    let signed_in = door("/auth/login?$jwt=true", &person.body(OWN)).await.expect(200);
    assert_eq!((&signed_in.body["status"], &signed_in.body["token_type"]), (&json!("SIGNED_IN"), &json!("Bearer")));
    let seconds = signed_in.body["expires_in"].as_u64().expect("seconds");
    assert!((300..=600).contains(&seconds), "{seconds} seconds");
    let by_token = organization.member.with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    let by_cookie = Client::anonymous().request(Method::GET, "/me").header("Cookie", cookie(&signed_in));
    let by_cookie = Reply::of(by_cookie).await.expect(200);
    assert_eq!(by_token.body, by_cookie.body, "a token and a cookie of one session differ");
    assert_eq!((by_token.id("user_id"), &by_token.body["roles"]), (person.user, &json!(["member"])));
}

// covers: T-60, T-62, E-214, P-80, H-29
#[tokio::test]
async fn a_browser_stays_signed_in_by_its_cookie_until_it_signs_out() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = door("/auth/signin", &person.body(OWN)).await.expect(200);
    assert!(signed_in.body["access_token"].is_null() && signed_in.body["refresh_token"].is_null(), "nobody asked for tokens");
    let set = signed_in.header("set-cookie").to_owned();
    for attribute in ["__Host-palmares=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(attribute), "no {attribute} in {set}");
    }
    let (cookie, csrf) = (cookie(&signed_in), signed_in.id("csrf_token"));
    let browser = Client::anonymous();
    let page = |method: Method, path: &str| browser.request(method, path).header("Cookie", &cookie);
    Reply::of(page(Method::GET, "/me")).await.expect(200);
    let change = json!({ "current_password": OWN, "new_password": GIVEN });
    let alone = Reply::of(page(Method::POST, "/me/password").json(&change)).await.refused(403, "ACCESS_DENIED");
    assert_eq!(alone.body["reason"], "gate.csrf_missing");
    Reply::of(page(Method::POST, "/me/password").header("Palmares-Csrf", &csrf).json(&change)).await.expect(200);

    Reply::of(page(Method::POST, "/auth/logout").json(&json!({}))).await.refused(403, "ACCESS_DENIED");
    let out = Reply::of(page(Method::POST, "/auth/logout").header("Palmares-Csrf", &csrf).json(&json!({}))).await.expect(200);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "the browser keeps its cookie");
    Reply::of(page(Method::GET, "/me")).await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: E-109, E-215, T-61, T-72, H-29
#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_session() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let mut body = person.body(OWN);
    body["device"] = json!({ "id": "0123456789abcdef-phone", "name": "Phone" });
    let first = door("/auth/signin?$jwt=true", &body).await.expect(200);
    let refresh = |token: String| json!({ "refresh_token": token, "device_id": "0123456789abcdef-phone" });
    let second = door("/auth/refresh", &refresh(first.id("refresh_token"))).await.expect(200);
    let third = door("/auth/refresh", &refresh(second.id("refresh_token"))).await.expect(200);
    let client = organization.member.with_token(&third.id("access_token"));
    client.get("/me").await.expect(200);

    // A stranger's guess ends nothing: it has neither half of the secret.
    let mut guessed = third.id("refresh_token");
    guessed.replace_range(80..84, "AAAA");
    door("/auth/refresh", &refresh(guessed)).await.refused(401, "AUTHENTICATION_FAILED");
    client.get("/me").await.expect(200);

    // One that was used already is genuine, so somebody else has it too.
    door("/auth/refresh", &refresh(second.id("refresh_token"))).await.refused(401, "AUTHENTICATION_FAILED");
    client.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    door("/auth/refresh", &refresh(third.id("refresh_token"))).await.refused(401, "AUTHENTICATION_FAILED");
    let events = organization.domain_events().await;
    assert!(events.iter().any(|event| event["type"] == "identity.refresh_reuse_detected"), "the reuse is not in the log");
}

// covers: E-109
#[tokio::test]
async fn a_refresh_from_another_device_ends_the_session() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let mut body = person.body(OWN);
    body["device"] = json!({ "id": "0123456789abcdef-phone" });
    let signed_in = door("/auth/signin?$jwt=true", &body).await.expect(200);
    let stolen = json!({ "refresh_token": signed_in.id("refresh_token") });
    door("/auth/refresh", &stolen).await.refused(401, "AUTHENTICATION_FAILED");
    organization.member.with_token(&signed_in.id("access_token")).get("/me").await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: E-110, E-113, E-218, P-183, H-29
#[tokio::test]
async fn an_administrator_does_not_get_in_without_a_second_factor() {
    let organization = fresh_organization().await;
    let person = organization.person("organization_admin").await;
    let asked = door("/auth/signin?$jwt=true", &person.body(GIVEN)).await.expect(200);
    let asked = door("/auth/password", &json!({ "challenge": asked.body["challenge"], "password": OWN })).await.expect(200);
    assert_eq!(asked.body["status"], "ENROLMENT_REQUIRED");
    assert!(asked.body["access_token"].is_null());
    let challenge = asked.body["challenge"].clone();
    let enrolment = door("/auth/mfa/enrol", &json!({ "challenge": challenge })).await.expect(200);
    let secret = enrolment.id("secret");
    // An authenticator lists it under the organization's name and the person's address.
    let (label, account) = (enrolment.id("otpauth_url"), person.email.replace('@', "%40"));
    assert!(label.starts_with(&format!("otpauth://totp/Test:{account}?")) && label.contains("issuer=Test"), "{label}");
    door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, -20) })).await.refused(401, "AUTHENTICATION_FAILED");
    let signed_in = door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, -1) })).await.expect(200);
    let recovery: Vec<Value> = signed_in.body["recovery_codes"].as_array().expect("codes").clone();
    assert_eq!(recovery.len(), 10);
    organization.member.with_token(&signed_in.id("access_token")).get("/users").await.expect(200);

    // From now on the password alone opens nothing.
    let asked = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    assert_eq!((&asked.body["status"], &asked.body["access_token"]), (&json!("SECOND_FACTOR_REQUIRED"), &Value::Null));
    let verify = |method: &str, code: &str| json!({ "challenge": asked.body["challenge"], "method": method, "code": code });
    door("/auth/mfa/verify", &verify("totp", &code(&secret, -1))).await.refused(401, "AUTHENTICATION_FAILED");
    door("/auth/mfa/verify", &verify("totp", &code(&secret, 0))).await.expect(200);
    door("/auth/mfa/verify", &verify("totp", &code(&secret, 0))).await.refused(401, "AUTHENTICATION_FAILED");
    let one = recovery[0].as_str().expect("a code");
    door("/auth/mfa/verify", &verify("recovery_code", one)).await.expect(200);
    door("/auth/mfa/verify", &verify("recovery_code", one)).await.refused(401, "AUTHENTICATION_FAILED");
    let client = organization.member.with_token(&signed_in.id("access_token"));
    client.post("/me/mfa/totp/disable", &json!({ "code": code(&secret, 1) })).await.refused(403, "ACCESS_DENIED");
}

// covers: E-96, E-97
#[tokio::test]
async fn a_password_that_anyone_would_try_is_refused_by_name() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await;
    let path = format!("/users/{}/temporary-password", person.user);
    for (password, reason) in [("short", "password_too_short"), ("password1234", "password_guessable")] {
        let refused = organization.admin.post(&path, &json!({ "password": password })).await.refused(422, "VALIDATION_ERROR");
        assert_eq!((&refused.body["errors"][0]["field"], &refused.body["errors"][0]["reason"]), (&json!("password"), &json!(reason)));
    }
    organization.member.post(&path, &json!({ "password": OWN })).await.refused(403, "ACCESS_DENIED");
}

// covers: E-96, E-97
#[tokio::test]
async fn nobody_has_a_password_that_others_know_of_them() {
    let organization = fresh_organization().await;
    let named = json!({ "name": "Zebulon Quixwell", "slug": format!("quixwell-{}", uuid::Uuid::now_v7().simple()) });
    let platform = Client::anonymous().with_token(organization.platform.token());
    let id = platform.post("/organizations", &named).await.expect(201).id("id");
    let slug = named["slug"].as_str().expect("a slug").to_owned();
    let organization = Organization { platform: platform.in_organization(id.parse().expect("an id")), slug: slug.clone(), ..organization };
    let person = organization.person("member").await;
    let path = format!("/users/{}/temporary-password", person.user);
    let guessed = async |reply: Reply, field: &str, password: &str| {
        assert_eq!(reply.status, 422, "{password}: {}", reply.body);
        let error = &reply.body["errors"][0];
        assert_eq!((&error["field"], &error["reason"]), (&json!(field), &json!("password_guessable")), "{password}");
    };
    let email = person.email.clone();
    let known = [email.as_str(), email.split('@').next().expect("a part"), "Zebulon Quixwell", "quixwellzebulon", &slug];
    let set = door("/auth/signin", &person.body(GIVEN)).await.expect(200);
    for password in known {
        guessed(organization.platform.post(&path, &json!({ "password": password })).await, "password", password).await;
        let own = json!({ "challenge": set.body["challenge"], "password": password });
        guessed(door("/auth/password", &own).await, "password", password).await;
    }

    let person = person.with_own_password().await;
    let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let client = Client::anonymous().with_token(&signed_in.id("access_token"));
    client.send("PATCH", "/me", &json!({ "display_name": "Xanthippe Vanderwoodsen" })).await.expect(200);
    for password in known.into_iter().chain(["Xanthippe Vanderwoodsen", "vanderwoodsenxanthippe"]) {
        let change = json!({ "current_password": OWN, "new_password": password });
        guessed(client.post("/me/password", &change).await, "new_password", password).await;
    }
    let token = person.link("auth/password-reset").await;
    for password in ["Zebulon Quixwell", "Xanthippe Vanderwoodsen", &slug] {
        let reset = json!({ "token": token, "password": password });
        guessed(door("/auth/password-reset/complete", &reset).await, "password", password).await;
    }
}

// covers: W-39
#[tokio::test]
async fn a_new_user_acts_within_their_own_scope_and_nobody_has_granted_anything() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let client = organization.member.with_token(&signed_in.id("access_token"));
    let (own, others) = (&person.user, &organization.member_id);
    client.get(&format!("/users/{own}/points")).await.expect(200);
    client.get(&format!("/users/{others}/points")).await.refused(404, "RESOURCE_NOT_FOUND");
    let recorded = organization.domain_events().await;
    let granted = recorded.iter().filter(|event| {
        event["type"].as_str().is_some_and(|kind| kind.starts_with("identity.role") || kind.starts_with("identity.policy"))
    });
    assert_eq!(granted.count(), 0, "nothing was configured for it");
}

// covers: E-88, E-99, E-38
#[tokio::test]
async fn nobody_learns_who_is_here() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let locked = organization.person("member").await.with_own_password().await;
    organization.admin.post(&format!("/users/{}/suspend", locked.user), &json!({})).await.expect(200);
    let mut stranger = person.body(OWN);
    stranger["email"] = json!("nobody@example.test");
    let mut elsewhere = person.body(OWN);
    elsewhere["organization"] = json!("no-such-organization");
    let mut answers = Vec::new();
    for body in [person.body(GIVEN), locked.body(OWN), stranger, elsewhere] {
        let refused = door("/auth/signin", &body).await.refused(401, "AUTHENTICATION_FAILED");
        let mut body = refused.body;
        body.as_object_mut().expect("a problem").remove("request_id");
        answers.push(body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

// covers: H-22
#[tokio::test]
async fn the_named_organization_and_what_it_says_of_somebody_come_before_the_password() {
    let (acme, globex) = (fresh_organization().await, fresh_organization().await);
    let person = acme.person("member").await.with_own_password().await;
    let body = json!({ "external_ref": "namesake", "email": person.email, "role": "member" });
    let namesake = globex.platform.post("/users", &body).await.expect(201).id("id");
    globex.platform.post(&format!("/users/{namesake}/temporary-password"), &json!({ "password": OWN })).await.expect(200);
    let at = async |organization: &Organization| {
        door("/auth/signin?$jwt=true", &json!({ "organization": organization.slug, "email": person.email, "password": OWN })).await
    };
    // The same address and password: whose environment it is, the request names, and the session is of that one.
    let signed_in = at(&acme).await.expect(200);
    assert_eq!(acme.member.with_token(&signed_in.id("access_token")).get("/me").await.expect(200).body["organization_id"], json!(acme.id));
    assert_eq!(at(&globex).await.expect(200).body["status"], "PASSWORD_REQUIRED");

    // Whoever may not come in there does not, with the right password neither, and is not told why.
    let refused = async |organization: &Organization| {
        let mut body = at(organization).await.refused(401, "AUTHENTICATION_FAILED").body;
        body.as_object_mut().expect("a problem").remove("request_id");
        body
    };
    acme.admin.post(&format!("/users/{}/suspend", person.user), &json!({})).await.expect(200);
    let suspended = refused(&acme).await;
    globex.platform.post(&format!("/organizations/{}/suspend", globex.id), &json!({})).await.expect(200);
    assert_eq!(suspended, refused(&globex).await);
    acme.admin.post(&format!("/users/{}/resume", person.user), &json!({})).await.expect(200);
    assert_eq!(at(&acme).await.expect(200).body["status"], "SIGNED_IN");
}

// covers: H-09, H-21, W-22
#[tokio::test]
async fn people_of_two_organizations_with_one_address_are_two_people() {
    let (acme, globex) = (fresh_organization().await, fresh_organization().await);
    let person = acme.person("member").await.with_own_password().await;
    let body = json!({ "external_ref": "namesake", "email": person.email, "role": "member" });
    let namesake = globex.platform.post("/users", &body).await.expect(201).id("id");
    globex.platform.post(&format!("/users/{namesake}/temporary-password"), &json!({ "password": GIVEN })).await.expect(200);

    let mut elsewhere = person.body(OWN);
    elsewhere["organization"] = json!(globex.slug);
    door("/auth/signin", &elsewhere).await.refused(401, "AUTHENTICATION_FAILED");
    let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let client = acme.member.with_token(&signed_in.id("access_token"));
    assert_eq!(client.get("/me").await.expect(200).body["organization_id"], json!(acme.id));
    client.in_organization(globex.id).get("/me").await.refused(403, "TENANT_MISMATCH");
}
