//! What comes by mail and lets one in: links to sign in and to set a password, and codes.

use super::sign_in::{GIVEN, OWN, Person, code, cookie, door};
use super::suspicious_sign_ins::HOME;
use crate::support::{
    mail::{Mail, mail_to, mails_to, token_in},
    running::{Client, Organization, Reply, eventually, fresh_organization, mint, token_keys},
};
use chrono::{TimeDelta, Utc};
use palmares::sign_in::pass_token::{PassToken, pass_token};
use palmares_domain::{
    identity::{Role, credential::PassKind},
    kernel::PassId,
};
use serde_json::{Value, json};
use uuid::Uuid;

const NEW: &str = "copper walnut horizon ribbon";

impl Person {
    fn named(&self) -> Value {
        json!({ "organization": self.organization, "email": self.email })
    }

    /// Asks for a link, and finds its token in the mail.
    pub(super) async fn link(&self, page: &str) -> String {
        let asked = door(&format!("/{page}"), &self.named()).await.expect(202);
        assert_eq!(asked.body, json!({ "status": "SENT" }));
        let leads_there = format!("/{page}#token=");
        let letter = eventually("a letter that leads to the page", async || {
            mails_to(&self.email).await.into_iter().find(|mail| mail.text.contains(&leads_there))
        });
        token_in(&letter.await, page)
    }

    /// Enrols an authenticator, and answers its secret.
    async fn enrolled(&self, organization: &Organization) -> String {
        let signed_in = door("/auth/signin?$jwt=true", &self.body(OWN)).await.expect(200);
        let client = organization.member.with_token(&signed_in.id("access_token"));
        let secret = client.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
        client.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
        secret
    }

    /// Signs in as far as the code by mail that a suspicion asks for.
    async fn suspected(&self, organization: &Organization) -> Value {
        organization.chooses("challenge").await;
        self.is_guessed(organization, 5, 3).await;
        let asked = self.signs_in_from(HOME, OWN).await.expect(200);
        assert_eq!((&asked.body["status"], &asked.body["methods"]), (&json!("SECOND_FACTOR_REQUIRED"), &json!(["email_code"])));
        asked.body["challenge"].clone()
    }

    /// Signs in as far as the second factor.
    async fn half_way(&self) -> Value {
        let asked = door("/auth/signin", &self.body(OWN)).await.expect(200);
        assert_eq!(asked.body["status"], "SECOND_FACTOR_REQUIRED");
        asked.body
    }
}

async fn complete(page: &str, token: &str) -> Reply {
    door(&format!("/{page}/complete"), &json!({ "token": token })).await
}

/// Everything that a refusal says, but for the id of the request.
fn says(refused: Reply) -> Value {
    let mut body = refused.refused(401, "AUTHENTICATION_FAILED").body;
    body.as_object_mut().expect("a problem").remove("request_id");
    body
}

/// The six digits in a mail.
#[track_caller]
fn digits_in(mail: &Mail) -> String {
    let digits = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.text.lines().map(str::trim).find(digits).unwrap_or_else(|| panic!("no code in {}", mail.text)).to_owned()
}

// covers: E-93, E-104, E-105, E-216
#[tokio::test]
async fn a_link_by_mail_signs_in_once() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let token = person.link("auth/magic-link").await;
    let body = json!({ "token": token, "$jwt": true });
    let signed_in = door("/auth/magic-link/complete", &body).await.expect(200);
    assert_eq!(signed_in.body["status"], "SIGNED_IN");
    let me = organization.member.with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    assert_eq!(me.id("user_id"), person.user);
    says(door("/auth/magic-link/complete", &body).await);
    // Asked again within the minute, the answer is the same, and no second letter goes out.
    door("/auth/magic-link", &person.named()).await.expect(202);
    let events = organization.domain_events().await;
    assert_eq!(events.iter().filter(|event| event["type"] == "identity.pass_issued").count(), 1);
    assert!(!json!(events).to_string().contains(&token), "the log holds the token");
}

// covers: E-105
#[tokio::test]
async fn a_link_that_was_asked_for_on_a_device_is_good_on_that_device_only() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let device = |id: &str| json!({ "id": id, "name": "Phone" });
    let mut asked = person.named();
    asked["device"] = device("0123456789abcdef-phone");
    door("/auth/magic-link", &asked).await.expect(202);
    let token = token_in(&mail_to(&person.email).await, "auth/magic-link");
    says(complete("auth/magic-link", &token).await);
    says(door("/auth/magic-link/complete", &json!({ "token": token, "device": device("0123456789abcdef-other") })).await);
    door("/auth/magic-link/complete", &json!({ "token": token, "device": device("0123456789abcdef-phone") })).await.expect(200);
}

// covers: E-88, E-105, E-216, E-217
#[tokio::test]
async fn nobody_learns_from_a_link_who_is_here() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let locked = organization.person("member").await.with_own_password().await;
    organization.admin.post(&format!("/users/{}/suspend", locked.user), &json!({})).await.expect(200);
    let stranger = format!("{}@example.test", Uuid::now_v7().simple());
    for page in ["auth/magic-link", "auth/password-reset"] {
        let ask = async |organization: &str, email: &str| {
            let reply = door(&format!("/{page}"), &json!({ "organization": organization, "email": email })).await.expect(202);
            assert_eq!(reply.body, json!({ "status": "SENT" }), "{email} at {organization}");
        };
        ask(&person.organization, &stranger).await;
        ask(&person.organization, &locked.email).await;
        ask("no-such-organization", &person.email).await;
        // The letter goes to the address on record, however it was typed.
        ask(&person.organization, &person.email.to_uppercase()).await;
        let kind = if page == "auth/magic-link" { PassKind::MagicLink } else { PassKind::PasswordReset };
        eventually("the letter of this page", async || {
            let events = organization.domain_events().await;
            let issued = |event: &&Value| event["type"] == "identity.pass_issued" && event["payload"]["kind"] == json!(kind);
            events.iter().any(|event| issued(&event)).then_some(())
        })
        .await;
    }
    mail_to(&person.email).await;
    assert!(mails_to(&stranger).await.is_empty() && mails_to(&locked.email).await.is_empty());
    let issued = organization.domain_events().await.into_iter().filter(|event| event["type"] == "identity.pass_issued");
    let whose: Vec<Value> = issued.map(|event| event["payload"]["user_id"].clone()).collect();
    assert_eq!(whose, [json!(person.user), json!(person.user)]);

    // Asked for too often, everybody is told so alike.
    for email in [&person.email, &stranger] {
        let body = json!({ "organization": person.organization, "email": email });
        let mut refused = None;
        for _ in 0..10 {
            let reply = door("/auth/magic-link", &body).await;
            if reply.status != 202 {
                refused = Some(reply.refused(429, "RATE_LIMITED").body["reason"].clone());
            }
        }
        assert_eq!(refused, Some(json!("sign_in.too_many_attempts")), "{email}");
    }
}

// covers: E-88, E-105
#[tokio::test]
async fn every_bad_link_is_answered_alike() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let person = organization.person("member").await.with_own_password().await;
    let good = person.link("auth/magic-link").await;
    let keys = token_keys();
    let content = PassToken { organization: organization.id, user: person.user.parse().expect("an id"), pass: PassId(Uuid::now_v7()) };
    let until = Utc::now() + TimeDelta::minutes(5);
    let token = |kind, content: &PassToken, until| pass_token(&keys, kind, content, until).expect("a token");
    let (body, signature) = good.rsplit_once('.').expect("a signed token");
    let cases = [
        ("malformed", "not-a-token".to_owned()),
        ("altered", format!("{body}.{}", signature.chars().rev().collect::<String>())),
        ("of another kind", token(PassKind::PasswordReset, &content, until)),
        ("of a pass that was not issued", token(PassKind::MagicLink, &content, until)),
        ("expired", token(PassKind::MagicLink, &content, Utc::now() - TimeDelta::seconds(1))),
        ("of another organization", token(PassKind::MagicLink, &PassToken { organization: other.id, ..content }, until)),
    ];
    let expected = says(complete("auth/magic-link", "").await);
    for (case, token) in &cases {
        for page in ["auth/magic-link", "auth/email-verification"] {
            assert_eq!(says(complete(page, token).await), expected, "{case}");
        }
        let reset = json!({ "token": token, "password": NEW });
        assert_eq!(says(door("/auth/password-reset/complete", &reset).await), expected, "{case}");
    }
    organization.admin.post(&format!("/users/{}/suspend", person.user), &json!({})).await.expect(200);
    assert_eq!(says(complete("auth/magic-link", &good).await), expected);
    organization.admin.post(&format!("/users/{}/resume", person.user), &json!({})).await.expect(200);
    complete("auth/magic-link", &good).await.expect(200);
}

// covers: E-217, E-98
#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_mail_and_ends_every_session() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let secret = person.enrolled(&organization).await;
    let half_way = person.half_way().await;
    let verify = json!({ "challenge": half_way["challenge"], "method": "totp", "code": code(&secret, 0) });
    let signed_in = door("/auth/mfa/verify", &verify).await.expect(200);
    let browser = |reply: &Reply| Client::anonymous().request(reqwest::Method::GET, "/me").header("Cookie", cookie(reply));
    Reply::of(browser(&signed_in)).await.expect(200);

    let token = person.link("auth/password-reset").await;
    let reset = |password: &str| json!({ "token": token, "password": password });
    let weak = door("/auth/password-reset/complete", &reset("password1234")).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(weak.body["errors"][0]["reason"], "password_guessable");
    let changed = door("/auth/password-reset/complete", &reset(NEW)).await.expect(200);
    assert_eq!(changed.body, json!({ "status": "CHANGED" }));
    says(door("/auth/password-reset/complete", &reset(GIVEN)).await);
    Reply::of(browser(&signed_in)).await.refused(401, "AUTHENTICATION_FAILED");
    says(door("/auth/signin", &person.body(OWN)).await);
    // A mailbox is no way around the second factor: what resets the password brings no code in its place.
    let asked = door("/auth/signin", &person.body(NEW)).await.expect(200);
    assert_eq!(asked.body["status"], "SECOND_FACTOR_REQUIRED");
    assert_eq!(asked.body["methods"], json!(["totp", "recovery_code"]));
    let challenge = &asked.body["challenge"];
    says(door("/auth/mfa/email-code", &json!({ "challenge": challenge })).await);
    says(door("/auth/mfa/verify", &json!({ "challenge": challenge, "method": "email_code", "code": "000000" })).await);
    let verify = json!({ "challenge": challenge, "method": "totp", "code": code(&secret, 1) });
    assert_eq!(door("/auth/mfa/verify", &verify).await.expect(200).body["status"], "SIGNED_IN");
}

// covers: E-111
#[tokio::test]
async fn a_code_by_mail_is_a_second_factor_once() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let challenge = person.suspected(&organization).await;
    let verify = |code: &str| json!({ "challenge": challenge, "method": "email_code", "code": code });
    says(door("/auth/mfa/verify", &verify("000000")).await);
    door("/auth/mfa/email-code", &json!({ "challenge": challenge })).await.expect(202);
    let again = door("/auth/mfa/email-code", &json!({ "challenge": challenge })).await.refused(429, "RATE_LIMITED");
    assert_eq!(again.body["reason"], "identity.too_many_passes");
    let digits = digits_in(&mail_to(&person.email).await);
    let wrong = if digits == "111111" { "222222" } else { "111111" };
    says(door("/auth/mfa/verify", &verify(wrong)).await);
    assert_eq!(door("/auth/mfa/verify", &verify(&digits)).await.expect(200).body["status"], "SIGNED_IN");
    says(door("/auth/mfa/verify", &verify(&digits)).await);
}

// covers: E-110, E-111
#[tokio::test]
async fn who_has_an_authenticator_is_let_in_by_no_code_that_was_sent() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    // A code that was sent before is worth nothing from then on, and the challenge asks for the authenticator.
    let suspected = person.suspected(&organization).await;
    door("/auth/mfa/email-code", &json!({ "challenge": suspected })).await.expect(202);
    let digits = digits_in(&mail_to(&person.email).await);
    let session = organization.member.with_token(&mint(&person.user, organization.id, Role::Member));
    let secret = session.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    session.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    says(door("/auth/mfa/verify", &json!({ "challenge": suspected, "method": "email_code", "code": digits })).await);
    says(door("/auth/mfa/email-code", &json!({ "challenge": suspected })).await);

    let by_link = complete("auth/magic-link", &person.link("auth/magic-link").await).await.expect(200);
    assert_eq!(by_link.body["methods"], json!(["totp", "recovery_code"]));
    says(door("/auth/mfa/email-code", &json!({ "challenge": by_link.body["challenge"] })).await);
}

// covers: E-111
#[tokio::test]
async fn a_code_by_mail_is_void_after_five_wrong_ones() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let challenge = person.suspected(&organization).await;
    door("/auth/mfa/email-code", &json!({ "challenge": challenge })).await.expect(202);
    let digits = digits_in(&mail_to(&person.email).await);
    let wrong = if digits == "111111" { "222222" } else { "111111" };
    let verify = |code: &str| json!({ "challenge": challenge, "method": "email_code", "code": code });
    for _ in 0..5 {
        says(door("/auth/mfa/verify", &verify(wrong)).await);
    }
    says(door("/auth/mfa/verify", &verify(&digits)).await);
    let events = organization.domain_events().await;
    assert_eq!(events.iter().filter(|event| event["type"] == "identity.pass_failed").count(), 5);
    assert!(!json!(events).to_string().contains(&digits), "the log holds the code");
}

// covers: E-136
#[tokio::test]
async fn a_user_shows_by_a_link_that_the_mailbox_is_theirs() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let client = organization.member.with_token(&signed_in.id("access_token"));
    let asked = client.post("/me/email-verification", &json!({})).await.expect(200);
    assert_eq!(asked.body, json!({ "status": "SENT" }));
    let token = token_in(&mail_to(&person.email).await, "auth/email-verification");
    assert_eq!(complete("auth/email-verification", &token).await.expect(200).body, json!({ "status": "VERIFIED" }));
    says(complete("auth/email-verification", &token).await);
    let events = organization.domain_events().await;
    assert!(events.iter().any(|event| event["type"] == "identity.email_verified" && event["payload"]["user_id"] == person.user.as_str()));
    // Of the people of a test this one has no address.
    let refused = organization.member.post("/me/email-verification", &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "sign_in.no_address");
}
