//! Signing up: what people have to pass is what the organization says, and nobody is anyone before.

use super::sign_in::{OWN, door};
use crate::support::{
    captcha::{SOLVED, captcha},
    mail::{Mail, mail_to, mails_to, token_in},
    running::{Client, Organization, Reply, eventually, fresh_organization, running, token_keys},
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares::sign_in::signup_token::{SignupToken, signup_token};
use serde_json::{Value, json};
use sqlx::Connection;
use std::collections::BTreeSet;
use uuid::Uuid;

const PAGE: &str = "auth/signup";

fn address() -> String {
    format!("{}@example.test", Uuid::now_v7().simple())
}

impl Organization {
    async fn configure(&self, open: bool, hooks: &[&str]) -> Reply {
        let path = format!("/organizations/{}/signup-policy", self.id);
        self.admin.send("PUT", &path, &json!({ "open": open, "hooks": hooks })).await
    }

    async fn sign_up(&self, email: &str) -> Reply {
        door("/auth/signup", &json!({ "organization": self.slug, "email": email, "display_name": "Ada Example" })).await
    }

    /// Asks to sign up, and finds the token in the mail.
    async fn asked(&self, email: &str) -> String {
        assert_eq!(self.sign_up(email).await.expect(202).body, json!({ "status": "SENT" }));
        token_in(&mail_to(email).await, PAGE)
    }

    async fn sign_in(&self, email: &str) -> Reply {
        door("/auth/signin?$jwt=true", &json!({ "organization": self.slug, "email": email, "password": OWN })).await
    }

    async fn signups(&self, filter: &str) -> Vec<Value> {
        self.admin.get_at(&format!("/signups{filter}"), self.head().await).await.expect(200).items().to_vec()
    }

    /// The one who waits for an approval.
    async fn waiting(&self) -> Value {
        let waiting = self.signups("?status=AWAITING_APPROVAL").await;
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0].clone()
    }

    async fn count(&self, event: &str) -> usize {
        self.domain_events().await.iter().filter(|found| found["type"] == event).count()
    }
}

async fn complete(token: &str) -> Reply {
    door("/auth/signup/complete?$jwt=true", &json!({ "token": token, "password": OWN })).await
}

async fn letter(email: &str, subject: &str) -> Mail {
    eventually(subject, async || mails_to(email).await.into_iter().find(|mail| mail.subject == subject)).await
}

#[track_caller]
fn not_valid(reply: Reply) {
    assert_eq!(reply.refused(404, "RESOURCE_NOT_FOUND").body["reason"], "identity.signup_not_valid");
}

// covers: T-44, T-45, P-80
#[tokio::test]
async fn whoever_proves_a_mailbox_is_in_where_nothing_else_is_asked() {
    let organization = fresh_organization().await;
    organization.configure(true, &["email_verification"]).await.expect(200);
    let email = address();
    let token = organization.asked(&email).await;
    organization.sign_in(&email).await.refused(401, "AUTHENTICATION_FAILED");
    let pending = organization.signups("?status=PENDING").await;
    assert_eq!((&pending[0]["email"], &pending[0]["display_name"]), (&json!(email), &json!("Ada Example")));
    assert_eq!((&pending[0]["passed"], &pending[0]["missing"]), (&json!([]), &json!(["email_verification"])));

    let weak = json!({ "token": token, "password": "password1234" });
    let weak = door("/auth/signup/complete", &weak).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(weak.body["errors"][0]["reason"], "password_guessable");
    let signed_in = complete(&token).await.expect(200);
    assert_eq!(signed_in.body["status"], "SIGNED_IN");
    let me = Client::anonymous().with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    assert_eq!((&me.body["roles"], me.id("organization_id")), (&json!(["member"]), organization.id.to_string()));
    assert_eq!(organization.sign_in(&email).await.expect(200).body["status"], "SIGNED_IN");
    not_valid(complete(&token).await);

    let user = organization.admin.get_at(&format!("/users/{}", me.id("user_id")), organization.head().await).await.expect(200);
    let told = (&user.body["email"], &user.body["display_name"], &user.body["status"]);
    assert_eq!(told, (&json!(email), &json!("Ada Example"), &json!("ACTIVE")));
    let events = organization.domain_events().await;
    let correlation = |name: &str| events.iter().find(|event| event["type"] == name).map(|event| event["correlation_id"].clone());
    assert!(correlation("identity.user_created").is_some());
    assert_eq!(correlation("identity.signup_completed"), correlation("identity.password_set"));
    let log = json!(events).to_string();
    assert!(!log.contains(&email) && !log.contains(&token) && !log.contains("Ada Example"), "the log holds who it is, or the token");
}

// covers: T-44, T-46
#[tokio::test]
async fn whoever_waits_for_an_approval_is_nobody_until_it_comes() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    organization.configure(true, &["email_verification", "admin_approval"]).await.expect(200);
    let email = address();
    let token = organization.asked(&email).await;
    let asked = organization.signups("").await[0]["id"].as_str().expect("an id").to_owned();
    let early = organization.admin.post(&format!("/signups/{asked}/approve"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(early.body["reason"], "identity.signup_hook_not_its_turn");
    let waits = complete(&token).await.expect(200);
    assert_eq!(waits.body, json!({ "status": "APPROVAL_REQUIRED" }));
    not_valid(complete(&token).await);
    organization.sign_in(&email).await.refused(401, "AUTHENTICATION_FAILED");

    let waiting = organization.waiting().await;
    assert_eq!((&waiting["id"], &waiting["email"], &waiting["passed"]), (&json!(asked), &json!(email), &json!(["email_verification"])));
    // Neither another organization nor a member decides, or sees who waits.
    let approve = format!("/signups/{asked}/approve");
    let body = json!({});
    assert_eq!(other.admin.post(&approve, &body).await.refused(404, "RESOURCE_NOT_FOUND").body["reason"], "identity.signup_not_found");
    other.admin.post(&format!("/signups/{asked}/refuse"), &body).await.refused(404, "RESOURCE_NOT_FOUND");
    assert!(other.signups("").await.is_empty());
    for path in ["/signups".to_owned(), format!("/organizations/{}/signup-policy", organization.id)] {
        organization.member.get(&path).await.refused(403, "ACCESS_DENIED");
    }
    organization.member.post(&approve, &body).await.refused(403, "ACCESS_DENIED");

    let approved = organization.admin.post(&approve, &body).await.expect(200);
    assert_eq!(approved.body["status"], "ACTIVE");
    letter(&email, "Welcome to Test").await;
    let signed_in = organization.sign_in(&email).await.expect(200);
    let me = Client::anonymous().with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    assert_eq!(me.id("user_id"), asked);
    let again = organization.admin.post(&approve, &body).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(again.body["errors"][0]["reason"], "identity.signup_transition_forbidden");
    let done = organization.signups("?status=ACTIVE").await;
    assert!(done.len() == 1 && done[0]["decided_by"].is_string() && done[0]["missing"] == json!([]), "{done:?}");
}

#[tokio::test]
async fn whoever_is_refused_is_told_why_and_does_not_ask_again() {
    let organization = fresh_organization().await;
    organization.configure(true, &["email_verification", "admin_approval"]).await.expect(200);
    let email = address();
    complete(&organization.asked(&email).await).await.expect(200);
    let waiting = organization.waiting().await;
    let refuse = format!("/signups/{}/refuse", waiting["id"].as_str().expect("an id"));
    organization.admin.post(&refuse, &json!({ "reason": "x".repeat(501) })).await.refused(422, "VALIDATION_ERROR");
    let refused = organization.admin.post(&refuse, &json!({ "reason": "We <know> nobody of this name." })).await.expect(200);
    assert_eq!(refused.body["status"], "REFUSED");
    let told = eventually("the letter", async || mails_to(&email).await.into_iter().find(|mail| mail.text.contains("has not approved")));
    assert!(told.await.text.contains("We <know> nobody of this name."));
    organization.sign_in(&email).await.refused(401, "AUTHENTICATION_FAILED");
    organization.sign_up(&email).await.expect(202);
    assert_eq!(organization.count("identity.signup_requested").await, 1);
    assert!(!json!(organization.domain_events().await).to_string().contains("nobody of this name"));
    // Whoever changes their mind invites them.
    let invite = json!({ "email": email, "role": "member" });
    organization.admin.post(&format!("/organizations/{}/invitations", organization.id), &invite).await.expect(201);
}

// covers: T-44
#[tokio::test]
async fn only_people_of_the_organizations_domain_sign_up_where_it_says_so() {
    let organization = fresh_organization().await;
    organization.configure(true, &["domain_auto_join", "email_verification"]).await.expect(200);
    let domain = organization.proven_domain().await;
    let (inside, outside) = (format!("ada@{domain}"), address());
    let refused = |reply: Reply| {
        let body = reply.refused(422, "VALIDATION_ERROR").body;
        assert_eq!(
            (&body["errors"][0]["field"], &body["errors"][0]["reason"]),
            (&json!("email"), &json!("identity.signup_domain_not_open"))
        );
    };
    refused(organization.sign_up(&inside).await);
    let auto_join = format!("/organizations/{}/domains/{domain}/auto-join", organization.id);
    organization.admin.send("PUT", &auto_join, &json!({ "mode": "automatic" })).await.expect(200);
    refused(organization.sign_up(&outside).await);
    assert!(organization.signups("").await.is_empty() && mails_to(&outside).await.is_empty());
    assert_eq!(complete(&organization.asked(&inside).await).await.expect(200).body["status"], "SIGNED_IN");
    // Where its people join once somebody approves, that is so for those who sign up too.
    organization.admin.send("PUT", &auto_join, &json!({ "mode": "approval" })).await.expect(200);
    let token = organization.asked(&format!("bob@{domain}")).await;
    assert_eq!(complete(&token).await.expect(200).body["status"], "APPROVAL_REQUIRED");
}

// covers: T-44, T-46, T-47
#[tokio::test]
async fn an_administrator_changes_the_hooks_while_the_system_runs_and_the_log_says_who() {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}/signup-policy", organization.id);
    let shown = organization.admin.get(&path).await.expect(200).body;
    assert_eq!((&shown["open"], &shown["hooks"], &shown["steps"]), (&json!(false), &json!([]), &json!(["email_verification"])));
    let closed = organization.sign_up(&address()).await.refused(409, "CONFLICT").body;
    assert_eq!(closed["reason"], "identity.signup_closed");
    let elsewhere = json!({ "organization": "no-such-organization", "email": address() });
    assert_eq!(door("/auth/signup", &elsewhere).await.refused(409, "CONFLICT").body["detail"], closed["detail"]);

    organization.configure(true, &["email_verification"]).await.expect(200);
    let (first, second) = (address(), address());
    let before = organization.asked(&first).await;
    organization.configure(true, &["admin_approval", "email_verification"]).await.expect(200);
    // Who began before the change goes on as it was; who begins now waits for an approval first.
    assert_eq!(complete(&before).await.expect(200).body["status"], "SIGNED_IN");
    organization.sign_up(&second).await.expect(202);
    let id = eventually("somebody waits", async || {
        let waiting = organization.signups("?status=AWAITING_APPROVAL").await;
        waiting.first().map(|found| found["id"].as_str().expect("an id").to_owned())
    })
    .await;
    assert!(mails_to(&second).await.is_empty(), "nobody writes before the approval");
    let approved = organization.admin.post(&format!("/signups/{id}/approve"), &json!({})).await.expect(200);
    assert_eq!(approved.body["status"], "PENDING", "the address is not proven");
    assert_eq!(complete(&token_in(&mail_to(&second).await, PAGE)).await.expect(200).body["status"], "SIGNED_IN");
    // Nobody goes on through a door that was closed.
    let third = address();
    organization.configure(true, &["email_verification"]).await.expect(200);
    let late = organization.asked(&third).await;
    organization.configure(false, &[]).await.expect(200);
    not_valid(complete(&late).await);

    for (hooks, reason) in [
        (vec!["email_verification", "email_verification"], "identity.signup_hook_repeated"),
        (vec!["email_verification", "captcha"], "identity.signup_hook_order"),
    ] {
        let refused = organization.configure(true, &hooks).await.refused(422, "VALIDATION_ERROR").body;
        assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["reason"]), (&json!("hooks"), &json!(reason)));
    }
    organization.configure(true, &["fingerprint"]).await.refused(422, "VALIDATION_ERROR");
    organization.member.send("PUT", &path, &json!({ "open": true, "hooks": [] })).await.refused(403, "ACCESS_DENIED");

    let head = organization.head().await;
    let log = organization.analyst.get_at("/events?type=identity.signup_configured", head).await.expect(200);
    let hooks: Vec<Value> = log.items().iter().map(|event| event["payload"]["hooks"].clone()).collect();
    let once = json!(["email_verification"]);
    assert_eq!(hooks, [once.clone(), json!(["admin_approval", "email_verification"]), once, json!([])]);
    assert!(log.items().iter().all(|event| event["actor_id"].is_string() && event["actor_id"] != json!(organization.member_id)));
}

// covers: T-44
#[tokio::test]
async fn a_challenge_has_to_be_solved_where_the_organization_asks_for_it() {
    let organization = fresh_organization().await;
    organization.configure(true, &["captcha", "email_verification"]).await.expect(200);
    let email = address();
    let ask = async |captcha: Value| {
        door("/auth/signup", &json!({ "organization": organization.slug, "email": email, "captcha": captcha })).await
    };
    for wrong in [Value::Null, json!(""), json!("guessed")] {
        let refused = ask(wrong).await.refused(422, "VALIDATION_ERROR").body;
        assert_eq!(
            (&refused["errors"][0]["field"], &refused["errors"][0]["reason"]),
            (&json!("captcha"), &json!("identity.captcha_not_solved"))
        );
    }
    ask(json!("broken")).await.refused(503, "SERVICE_UNAVAILABLE");
    assert_eq!(organization.count("identity.signup_requested").await, 0);
    ask(json!(SOLVED)).await.expect(202);
    assert!(captcha().asked().iter().any(|form| form.contains(&("remoteip".to_owned(), "127.0.0.1".to_owned()))));
    let token = token_in(&mail_to(&email).await, PAGE);
    assert_eq!(complete(&token).await.expect(200).body["status"], "SIGNED_IN");
    let passed: Vec<Value> =
        organization.domain_events().await.into_iter().filter(|event| event["type"] == "identity.signup_hook_passed").collect();
    assert_eq!(
        passed.iter().map(|event| event["payload"]["hook"].clone()).collect::<Vec<_>>(),
        [json!("captcha"), json!("email_verification")]
    );
}

// covers: E-88
#[tokio::test]
async fn nobody_learns_by_signing_up_who_is_here() {
    let organization = fresh_organization().await;
    organization.configure(true, &["email_verification"]).await.expect(200);
    let known = organization.newcomer("member").await.email;
    let stranger = address();
    let answers = [organization.sign_up(&known).await.expect(202), organization.sign_up(&stranger).await.expect(202)];
    let names = |reply: &Reply| reply.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!((&answers[0].body, names(&answers[0])), (&answers[1].body, names(&answers[1])));
    assert_eq!(answers[0].body, json!({ "status": "SENT" }));
    let told = letter(&known, "You have an account at Test").await;
    assert!(!told.text.contains("token="), "{}", told.text);
    token_in(&mail_to(&stranger).await, PAGE);
    // Asked again at once, nobody gets another letter, and nobody learns that either.
    for email in [&known, &stranger, &stranger.to_uppercase()] {
        assert_eq!(organization.sign_up(email).await.expect(202).body, json!({ "status": "SENT" }));
    }
    let third = address();
    organization.asked(&third).await;
    assert_eq!(organization.count("identity.signup_requested").await, 2);
    assert_eq!(organization.count("identity.signup_link_issued").await, 2);
    assert_eq!(organization.count("identity.pass_issued").await, 1);
    for (email, field) in [("ada", "email"), ("", "email")] {
        let refused = organization.sign_up(email).await.refused(422, "VALIDATION_ERROR").body;
        assert_eq!(refused["errors"][0]["field"], field);
    }
    for email in [&known, &third] {
        let mut refused = None;
        for _ in 0..10 {
            let reply = organization.sign_up(email).await;
            if reply.status != 202 {
                refused = Some(reply.refused(429, "RATE_LIMITED").body["reason"].clone());
            }
        }
        assert_eq!(refused, Some(json!("sign_in.too_many_attempts")), "{email}");
    }
}

#[tokio::test]
async fn every_bad_link_of_a_sign_up_is_answered_alike() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    organization.configure(true, &["email_verification"]).await.expect(200);
    let email = address();
    let good = organization.asked(&email).await;
    let user = organization.signups("").await[0]["id"].as_str().expect("an id").parse().expect("an id");
    let keys = token_keys();
    let content = SignupToken { organization: organization.id, user, generation: 1 };
    let until = Utc::now() + TimeDelta::minutes(5);
    let token = |content: &SignupToken, until| signup_token(&keys, content, until).expect("a token");
    let (body, signature) = good.rsplit_once('.').expect("a signed token");
    for (case, token) in [
        ("malformed", "not-a-token".to_owned()),
        ("altered", format!("{body}.{}", signature.chars().rev().collect::<String>())),
        ("expired", token(&content, Utc::now() - TimeDelta::seconds(1))),
        ("of a link that was not sent", token(&SignupToken { generation: 2, ..content }, until)),
        ("of nobody", token(&SignupToken { user: palmares_domain::kernel::UserId(Uuid::now_v7()), ..content }, until)),
        ("of another organization", token(&SignupToken { organization: other.id, ..content }, until)),
    ] {
        let reply = complete(&token).await;
        assert_eq!(reply.body["reason"], "identity.signup_not_valid", "{case}");
        not_valid(reply);
    }
    organization.platform.post(&format!("/organizations/{}/suspend", organization.id), &json!({})).await.expect(200);
    not_valid(complete(&good).await);
    organization.sign_up(&address()).await.refused(409, "CONFLICT");
    organization.platform.post(&format!("/organizations/{}/resume", organization.id), &json!({})).await.expect(200);
    // Somebody has the address by now: whoever holds the link is nobody new.
    let taken = json!({ "external_ref": "hr-1", "email": email, "role": "member" });
    organization.platform.post("/users", &taken).await.expect(201);
    not_valid(complete(&good).await);
}

#[tokio::test]
async fn a_sign_up_has_a_timer_that_ends_it_and_not_before_its_time() {
    let organization = fresh_organization().await;
    organization.configure(true, &["email_verification"]).await.expect(200);
    let token = organization.asked(&address()).await;
    let ends: DateTime<Utc> = organization.signups("").await[0]["expires_at"].as_str().expect("a time").parse().expect("a time");
    assert!(ends > Utc::now() + TimeDelta::hours(47) && ends < Utc::now() + TimeDelta::hours(49), "{ends}");
    let connect = async || {
        let mut database = sqlx::PgConnection::connect(&running().descriptor.database_url).await.expect("the database");
        sqlx::query("SET ROLE palmares_projector").execute(&mut database).await.expect("the role");
        database
    };
    // A clock that is ahead fires it: nothing is over yet, so nothing is recorded.
    eventually("the timer is there", async || {
        let due = "UPDATE timers SET try_at = clock_timestamp() WHERE organization_id = $1 AND kind = 'identity.signup_due' \
                   AND due_at > $2 AND due_at < $2 + interval '1 minute' RETURNING id";
        let query = sqlx::query(due).bind(organization.id.0).bind(ends);
        query.fetch_optional(&mut connect().await).await.expect("the timers")
    })
    .await;
    eventually("the timer has fired", async || {
        let left = sqlx::query("SELECT id FROM timers WHERE organization_id = $1 AND kind = 'identity.signup_due'").bind(organization.id.0);
        left.fetch_optional(&mut connect().await).await.expect("the timers").is_none().then_some(())
    })
    .await;
    assert_eq!(organization.count("identity.signup_expired").await, 0);
    assert_eq!(complete(&token).await.expect(200).body["status"], "SIGNED_IN");
}
