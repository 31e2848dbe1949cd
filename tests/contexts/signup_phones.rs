//! Signing up with a telephone: the code that comes to it, before somebody approves.

use super::sign_in::{OWN, door};
use crate::support::{
    mail::{mail_to, mails_to, token_in},
    running::{Client, Organization, Reply, eventually, fresh_organization},
};
use serde_json::{Value, json};
use uuid::Uuid;

const PAGE: &str = "auth/signup";

/// Somebody who signs up, with a mailbox and a telephone of their own.
struct Applicant {
    organization: String,
    email: String,
    phone: String,
}

impl Applicant {
    fn of(organization: &Organization) -> Self {
        let (email, number) = (format!("{}@example.test", Uuid::now_v7().simple()), Uuid::new_v4().as_u128() % 1_000_000_000);
        Self { organization: organization.slug.clone(), email, phone: format!("+999{number:09}") }
    }

    async fn asks(&self) -> Reply {
        let body = json!({ "organization": self.organization, "email": self.email, "phone": self.phone, "display_name": "Ada Example" });
        door("/auth/signup", &body).await
    }

    async fn types(&self, code: &str) -> Reply {
        door("/auth/signup/phone", &json!({ "organization": self.organization, "email": self.email, "code": code })).await
    }

    async fn signs_in(&self) -> Reply {
        door("/auth/signin?$jwt=true", &json!({ "organization": self.organization, "email": self.email, "password": OWN })).await
    }

    /// The code in the text message.
    async fn code(&self) -> String {
        let text = mail_to(&self.phone).await.text;
        let (code, _) = text.split_once(' ').expect("a code before a space");
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{text}");
        code.to_owned()
    }
}

/// Another code than this one.
fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().expect("digits") + 1) % 1_000_000)
}

async fn asking_for(hooks: &[&str]) -> Organization {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}/signup-policy", organization.id);
    organization.admin.send("PUT", &path, &json!({ "open": true, "hooks": hooks })).await.expect(200);
    organization
}

async fn signups(organization: &Organization, status: &str) -> Vec<Value> {
    organization.admin.get_at(&format!("/signups?status={status}"), organization.head().await).await.expect(200).items().to_vec()
}

#[track_caller]
fn not_valid(reply: Reply) -> Value {
    let mut body = reply.refused(404, "RESOURCE_NOT_FOUND").body;
    assert_eq!(body["reason"], "identity.signup_not_valid");
    body.as_object_mut().expect("a problem").remove("request_id");
    body
}

async fn count(organization: &Organization, event: &str) -> usize {
    organization.domain_events().await.iter().filter(|found| found["type"] == event).count()
}

// covers: T-46, T-44
#[tokio::test]
async fn a_telephone_and_an_approval_let_somebody_in_once_the_address_is_proven() {
    let organization = asking_for(&["phone_verification", "admin_approval"]).await;
    let ada = Applicant::of(&organization);
    assert_eq!(ada.asks().await.expect(202).body, json!({ "status": "SENT" }));
    let code = ada.code().await;
    assert!(mails_to(&ada.email).await.is_empty(), "the letter comes last");
    let pending = signups(&organization, "PENDING").await;
    assert_eq!(pending[0]["missing"], json!(["phone_verification", "admin_approval", "email_verification"]));
    let approve = format!("/signups/{}/approve", pending[0]["id"].as_str().expect("an id"));
    organization.admin.post(&approve, &json!({})).await.refused(409, "CONFLICT");

    not_valid(ada.types(&other_than(&code)).await);
    assert_eq!(ada.types(&code).await.expect(200).body, json!({ "status": "APPROVAL_REQUIRED" }));
    not_valid(ada.types(&code).await);
    let waiting = signups(&organization, "AWAITING_APPROVAL").await;
    assert_eq!((&waiting[0]["passed"], &waiting[0]["phone"]), (&json!(["phone_verification"]), &json!(ada.phone)));
    organization.admin.post(&approve, &json!({})).await.expect(200);
    ada.signs_in().await.refused(401, "AUTHENTICATION_FAILED");

    let token = token_in(&mail_to(&ada.email).await, PAGE);
    let signed_in = door("/auth/signup/complete?$jwt=true", &json!({ "token": token, "password": OWN })).await.expect(200);
    assert_eq!(signed_in.body["status"], "SIGNED_IN");
    let me = Client::anonymous().with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    assert_eq!(me.id("user_id"), pending[0]["id"].as_str().expect("an id"));
    // Neither the number nor the code stands in the log; that the text message was sent does.
    let events = organization.domain_events().await;
    let log = json!(events).to_string();
    assert!(!log.contains(&ada.phone[1..]) && !log.contains(&format!("\"{code}\"")), "the log holds the number or the code");
    let sent = organization.analyst.get_at("/events?type=messaging.letter_sent", organization.head().await).await.expect(200);
    assert!(sent.items().iter().any(|event| event["payload"]["kind"] == "signup_code"), "{:?}", sent.items());
}

// covers: T-46
#[tokio::test]
async fn a_telephone_may_come_after_the_address() {
    let organization = asking_for(&["email_verification", "phone_verification"]).await;
    let ada = Applicant::of(&organization);
    ada.asks().await.expect(202);
    let token = token_in(&mail_to(&ada.email).await, PAGE);
    assert!(mails_to(&ada.phone).await.is_empty(), "the code waits for the link");
    let asked = door("/auth/signup/complete", &json!({ "token": token, "password": OWN })).await.expect(200);
    assert_eq!(asked.body, json!({ "status": "PHONE_CODE_REQUIRED" }));
    ada.signs_in().await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(ada.types(&ada.code().await).await.expect(200).body, json!({ "status": "COMPLETE" }));
    assert_eq!(ada.signs_in().await.expect(200).body["status"], "SIGNED_IN");
}

// covers: T-46, E-88
#[tokio::test]
async fn a_code_is_void_after_five_wrong_ones_and_a_wrong_one_tells_nothing() {
    let organization = asking_for(&["phone_verification"]).await;
    let (ada, nobody) = (Applicant::of(&organization), Applicant::of(&organization));
    ada.asks().await.expect(202);
    let code = ada.code().await;
    let strange = not_valid(nobody.types(&code).await);
    let elsewhere = Applicant { organization: format!("org-{}", Uuid::now_v7().simple()), ..Applicant::of(&organization) };
    assert_eq!(strange, not_valid(elsewhere.types(&code).await));
    for _ in 0..5 {
        assert_eq!(strange, not_valid(ada.types(&other_than(&code)).await));
    }
    assert_eq!(strange, not_valid(ada.types(&code).await), "the right one is void as well");
    assert_eq!(count(&organization, "identity.signup_code_failed").await, 5);
    assert_eq!(count(&organization, "identity.signup_hook_passed").await, 0);
    // Asked again within the minute, nobody gets another code, and nobody learns that.
    assert_eq!(ada.asks().await.expect(202).body, json!({ "status": "SENT" }));
    assert_eq!(count(&organization, "identity.signup_code_issued").await, 1);
    // A member's answer is the same as a stranger's.
    let member = organization.newcomer("member").await;
    let known = Applicant { email: member.email, ..Applicant::of(&organization) };
    assert_eq!(known.asks().await.expect(202).body, json!({ "status": "SENT" }));
    assert_eq!(strange, not_valid(known.types(&code).await));
    eventually("the reminder", async || mails_to(&known.email).await.into_iter().next()).await;
    assert!(mails_to(&known.phone).await.is_empty(), "who has an account gets no code");
}

// covers: T-46
#[tokio::test]
async fn a_number_has_to_be_one_and_is_not_flooded() {
    let organization = asking_for(&["phone_verification"]).await;
    let ada = Applicant::of(&organization);
    for wrong in [Value::Null, json!("0612345678"), json!("+33 6 12 34 56 78"), json!("+33612345678x")] {
        let body = json!({ "organization": ada.organization, "email": ada.email, "phone": wrong });
        let refused = door("/auth/signup", &body).await.refused(422, "VALIDATION_ERROR").body;
        assert_eq!(refused["errors"][0]["field"], "phone", "{wrong}");
    }
    assert_eq!(count(&organization, "identity.signup_requested").await, 0);
    // By whomever it is asked for.
    for _ in 0..6 {
        Applicant { phone: ada.phone.clone(), ..Applicant::of(&organization) }.asks().await.expect(202);
    }
    let refused = ada.asks().await.refused(429, "RATE_LIMITED");
    assert_eq!(refused.body["reason"], "sign_in.too_many_attempts");
    // Where no telephone is asked for, none is kept.
    let other = asking_for(&["email_verification"]).await;
    let bob = Applicant::of(&other);
    bob.asks().await.expect(202);
    token_in(&mail_to(&bob.email).await, PAGE);
    assert_eq!(count(&other, "identity.signup_phone_given").await, 0);
}
