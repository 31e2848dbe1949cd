//! A telephone as a second factor: enrolled, asked for at the door, and never more than that.

use super::{
    exports::proof,
    sign_in::{OWN, Person, code, door},
};
use crate::support::{
    mail::{mail_to, mails_to, notice_to},
    running::{Client, Organization, Reply, fresh_organization},
};
use serde_json::{Value, json};
use uuid::Uuid;

fn number() -> String {
    format!("+999{:09}", Uuid::new_v4().as_u128() % 1_000_000_000)
}

/// The code in the newest text message to a telephone.
async fn code_to(phone: &str) -> String {
    let text = mail_to(phone).await.text;
    text.split_once(' ').expect("a code before a space").0.to_owned()
}

/// The code of the next text message, after one that came before.
async fn next_code_to(phone: &str, before: usize) -> String {
    crate::support::running::eventually("another text message", async || (mails_to(phone).await.len() > before).then_some(())).await;
    code_to(phone).await
}

fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().expect("digits") + 1) % 1_000_000)
}

impl Organization {
    async fn takes_phone_codes(&self, whether: bool) {
        let settings = json!({ "phone_codes_allowed": whether });
        self.admin.send("PATCH", &format!("/organizations/{}/settings", self.id), &settings).await.expect(200);
    }
}

async fn asking_organization() -> Organization {
    let organization = fresh_organization().await;
    organization.takes_phone_codes(true).await;
    organization
}

/// With a proof of a moment ago.
async fn proven(client: &Client, path: &str, body: &Value) -> Reply {
    client.post_with(path, body, &[("Palmares-Proof", &proof(client).await)]).await
}

/// A member who enrolled a telephone.
async fn with_phone(organization: &Organization) -> (Person, Client, String) {
    let person = organization.person("member").await.with_own_password().await;
    let (client, phone) = (person.signed_in(organization).await, number());
    proven(&client, "/me/mfa/phone", &json!({ "phone": phone })).await.expect(200);
    client.post("/me/mfa/phone/confirm", &json!({ "code": code_to(&phone).await })).await.expect(200);
    (person, client, phone)
}

async fn comes_in(person: &Person) -> Value {
    door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200).body
}

fn shown(asked: &Value, method: &str, code: &str) -> Value {
    json!({ "challenge": asked["challenge"], "method": method, "code": code })
}

// covers: E-112, E-198
#[tokio::test]
async fn a_telephone_is_enrolled_with_a_fresh_code_by_whoever_showed_who_they_are() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let (client, phone) = (person.signed_in(&organization).await, number());
    let body = json!({ "phone": phone });
    let off = proven(&client, "/me/mfa/phone", &body).await.refused(409, "CONFLICT");
    assert_eq!(off.body["reason"], "identity.phone_codes_not_allowed");
    organization.takes_phone_codes(true).await;

    let alone = client.post("/me/mfa/phone", &body).await.refused(403, "ACCESS_DENIED");
    assert_eq!(alone.body["reason"], "gate.step_up_required");
    for wrong in ["0612345678", "+33 6 12 34"] {
        let refused = proven(&client, "/me/mfa/phone", &json!({ "phone": wrong })).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "phone", "{wrong}");
    }
    proven(&client, "/me/mfa/phone", &body).await.expect(200);
    let digits = code_to(&phone).await;
    let again = proven(&client, "/me/mfa/phone", &body).await.refused(429, "RATE_LIMITED");
    assert_eq!(again.body["reason"], "identity.too_many_passes");

    let wrong = client.post("/me/mfa/phone/confirm", &json!({ "code": other_than(&digits) })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(wrong.body["errors"][0]["reason"], "code_wrong");
    assert_eq!(client.get("/me").await.expect(200).body["phone"], Value::Null, "nothing is proven yet");
    client.post("/me/mfa/phone/confirm", &json!({ "code": digits })).await.expect(200);
    client.post("/me/mfa/phone/confirm", &json!({ "code": digits })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(client.get("/me").await.expect(200).body["phone"], json!(phone));
    let seen = organization.admin.get_at(&format!("/users/{}", person.user), organization.head().await).await.expect(200);
    assert_eq!((&seen.body["mfa_enabled"], &seen.body["roles"]), (&json!(true), &json!(["member"])));
    let other = proven(&client, "/me/mfa/phone", &json!({ "phone": number() })).await.refused(409, "CONFLICT");
    assert_eq!(other.body["reason"], "identity.phone_enrolled_already");

    notice_to(&person.email, "second factor").await;
    // Neither the number nor the code stands in the log.
    let log = json!(organization.domain_events().await).to_string();
    assert!(log.contains("identity.phone_enrolled"));
    assert!(!log.contains(&phone[1..]) && !log.contains(&format!("\"{digits}\"")), "the log holds the number or the code");
}

// covers: E-112
#[tokio::test]
async fn a_code_of_an_enrolment_is_void_after_five_wrong_ones() {
    let organization = asking_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let (client, phone) = (person.signed_in(&organization).await, number());
    proven(&client, "/me/mfa/phone", &json!({ "phone": phone })).await.expect(200);
    let digits = code_to(&phone).await;
    for _ in 0..5 {
        client.post("/me/mfa/phone/confirm", &json!({ "code": other_than(&digits) })).await.refused(422, "VALIDATION_ERROR");
    }
    client.post("/me/mfa/phone/confirm", &json!({ "code": digits })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(client.get("/me").await.expect(200).body["phone"], Value::Null);
}

// covers: E-112, E-100
#[tokio::test]
async fn a_number_is_not_flooded_by_people_who_are_in() {
    let organization = asking_organization().await;
    let phone = number();
    let mut last = None;
    for _ in 0..7 {
        let person = organization.person("member").await.with_own_password().await;
        let client = person.signed_in(&organization).await;
        last = Some(proven(&client, "/me/mfa/phone", &json!({ "phone": phone })).await);
    }
    let refused = last.expect("an answer").refused(429, "RATE_LIMITED");
    assert_eq!(refused.body["reason"], "sign_in.too_many_attempts");
}

// covers: E-112
#[tokio::test]
async fn whoever_has_a_telephone_signs_in_with_a_code_to_it() {
    let organization = asking_organization().await;
    let (person, _, phone) = with_phone(&organization).await;
    let asked = comes_in(&person).await;
    assert_eq!((&asked["status"], &asked["methods"]), (&json!("SECOND_FACTOR_REQUIRED"), &json!(["phone_code"])));
    let before = mails_to(&phone).await.len();
    let challenge = json!({ "challenge": asked["challenge"] });
    door("/auth/mfa/verify", &shown(&asked, "phone_code", "000000")).await.refused(401, "AUTHENTICATION_FAILED");
    door("/auth/mfa/phone-code", &challenge).await.expect(202);
    door("/auth/mfa/phone-code", &challenge).await.refused(429, "RATE_LIMITED");
    let digits = next_code_to(&phone, before).await;
    door("/auth/mfa/verify", &shown(&asked, "phone_code", &other_than(&digits))).await.refused(401, "AUTHENTICATION_FAILED");
    // It is worth nothing as another one, and the mailbox, which resets the password, stands in for none.
    door("/auth/mfa/email-code", &challenge).await.refused(401, "AUTHENTICATION_FAILED");
    for method in ["email_code", "totp"] {
        door("/auth/mfa/verify", &shown(&asked, method, &digits)).await.refused(401, "AUTHENTICATION_FAILED");
    }
    let entered = door("/auth/mfa/verify", &shown(&asked, "phone_code", &digits)).await.expect(200);
    assert_eq!(entered.body["status"], "SIGNED_IN");
    door("/auth/mfa/verify", &shown(&asked, "phone_code", &digits)).await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: E-112
#[tokio::test]
async fn where_codes_are_switched_off_later_a_code_by_mail_is_left_and_nobody_is_locked_out() {
    let organization = asking_organization().await;
    let (person, _, phone) = with_phone(&organization).await;
    let earlier = comes_in(&person).await;
    organization.takes_phone_codes(false).await;
    door("/auth/mfa/phone-code", &json!({ "challenge": earlier["challenge"] })).await.refused(401, "AUTHENTICATION_FAILED");
    let asked = comes_in(&person).await;
    assert_eq!((&asked["status"], &asked["methods"]), (&json!("SECOND_FACTOR_REQUIRED"), &json!(["email_code"])));
    door("/auth/mfa/email-code", &json!({ "challenge": asked["challenge"] })).await.expect(202);
    let digits = mail_to(&person.email).await.text;
    let digits = digits.lines().map(str::trim).find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()));
    let entered = door("/auth/mfa/verify", &shown(&asked, "email_code", digits.expect("a code"))).await.expect(200);
    // No code goes to the number, so none is asked for to remove it.
    let client = organization.member.with_token(&entered.id("access_token"));
    assert_eq!(client.get("/me").await.expect(200).body["phone"], json!(phone));
    proven(&client, "/me/mfa/phone/remove", &json!({})).await.expect(200);
    assert_eq!(comes_in(&person).await["status"], "SIGNED_IN");
}

// covers: E-112, E-113
#[tokio::test]
async fn a_telephone_is_not_enough_for_whoever_administers_and_never_a_step_up() {
    let organization = asking_organization().await;
    let (person, client, phone) = with_phone(&organization).await;
    // To step up takes the password, whatever comes to the telephone.
    let before = mails_to(&phone).await.len();
    client.post("/me/mfa/phone/code", &json!({})).await.expect(200);
    let digits = next_code_to(&phone, before).await;
    client.post("/me/step-up", &json!({ "code": digits })).await.refused(422, "VALIDATION_ERROR");
    client.post("/me/step-up", &json!({ "code": digits, "password": "not the password" })).await.refused(401, "AUTHENTICATION_FAILED");
    let request = client.post("/deletion-requests", &json!({ "user_id": person.user })).await.expect(201).id("id");
    client.post(&format!("/deletion-requests/{request}/verify"), &json!({ "code": digits })).await.refused(409, "CONFLICT");

    // An administrator enrols an authenticator first, and from then on only that counts.
    organization.admin.post(&format!("/users/{}/roles", person.user), &json!({ "role": "organization_admin" })).await.expect(200);
    let asked = comes_in(&person).await;
    assert_eq!((&asked["status"], &asked["methods"]), (&json!("ENROLMENT_REQUIRED"), &json!(["totp"])));
    let challenge = json!({ "challenge": asked["challenge"] });
    let secret = door("/auth/mfa/enrol", &challenge).await.expect(200).id("secret");
    let confirm = json!({ "challenge": asked["challenge"], "code": code(&secret, -1) });
    let entered = door("/auth/mfa/confirm", &confirm).await.expect(200);
    let asked = comes_in(&person).await;
    assert_eq!(asked["methods"], json!(["totp", "recovery_code"]));
    door("/auth/mfa/phone-code", &json!({ "challenge": asked["challenge"] })).await.refused(401, "AUTHENTICATION_FAILED");
    door("/auth/mfa/verify", &shown(&asked, "phone_code", &digits)).await.refused(401, "AUTHENTICATION_FAILED");
    let client = organization.member.with_token(&entered.id("access_token"));
    client.post("/me/step-up", &json!({ "password": OWN, "code": digits })).await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: E-112
#[tokio::test]
async fn an_administrator_takes_away_a_telephone_that_was_lost() {
    let organization = asking_organization().await;
    let (person, client, _) = with_phone(&organization).await;
    let path = format!("/users/{}/second-factor/reset", person.user);
    organization.admin.post(&path, &json!({})).await.expect(200);
    client.get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    notice_to(&person.email, "telephone").await;
    assert_eq!(comes_in(&person).await["status"], "SIGNED_IN");
    organization.admin.post(&path, &json!({})).await.refused(409, "CONFLICT");
}

// covers: E-112
#[tokio::test]
async fn a_telephone_is_removed_with_a_code_to_it_and_its_owner_is_told() {
    let organization = asking_organization().await;
    let (person, client, phone) = with_phone(&organization).await;
    client.post("/me/mfa/phone/remove", &json!({})).await.refused(403, "ACCESS_DENIED");
    let missing = proven(&client, "/me/mfa/phone/remove", &json!({})).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(missing.body["errors"][0]["field"], "code");
    proven(&client, "/me/mfa/phone/remove", &json!({ "code": "000000" })).await.refused(422, "VALIDATION_ERROR");
    let before = mails_to(&phone).await.len();
    client.post("/me/mfa/phone/code", &json!({})).await.expect(200);
    let digits = next_code_to(&phone, before).await;
    proven(&client, "/me/mfa/phone/remove", &json!({ "code": digits })).await.expect(200);
    notice_to(&person.email, "telephone").await;
    let gone = proven(&client, "/me/mfa/phone/remove", &json!({ "code": digits })).await.refused(409, "CONFLICT");
    assert_eq!(gone.body["reason"], "identity.phone_not_enrolled");
    client.post("/me/mfa/phone/code", &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(comes_in(&person).await["status"], "SIGNED_IN");
    let seen = organization.admin.get_at(&format!("/users/{}", person.user), organization.head().await).await.expect(200);
    assert_eq!(seen.body["mfa_enabled"], false);
}
