//! API keys: programs act for an organization as far as their keys grant, as often as their quota says.

use crate::support::running::{Client, Organization, Reply, eventually, fresh_organization, mint};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{TimeDelta, Utc};
use palmares_domain::kernel::RoleId;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A key that was made: its id, and its text.
struct Made {
    id: String,
    text: String,
}

fn plan(grants: &[&str]) -> Value {
    json!({ "name": "Payroll", "grants": grants, "quota": { "requests": 1000, "per": "day" } })
}

impl Made {
    fn of(reply: Reply, status: u16) -> Self {
        let reply = reply.expect(status);
        Self { id: reply.id("id"), text: reply.id("key") }
    }

    async fn by(client: &Client, body: &Value) -> Self {
        Self::of(client.post("/api-keys", body).await, 201)
    }

    fn client(&self) -> Client {
        Client::anonymous().with_token(&self.text)
    }

    fn path(&self, step: &str) -> String {
        format!("/api-keys/{}/{step}", self.id)
    }

    /// The text with other bytes from `at` on: organization at 0, key at 16, secret at 32.
    fn with(&self, at: usize, bytes: &[u8]) -> String {
        let mut content = URL_SAFE_NO_PAD.decode(&self.text[3..]).expect("the text of a key");
        content[at..at + bytes.len()].copy_from_slice(bytes);
        format!("pk_{}", URL_SAFE_NO_PAD.encode(content))
    }
}

impl Organization {
    async fn key(&self, grants: &[&str]) -> Made {
        Made::by(&self.admin, &plan(grants)).await
    }

    async fn listed_key(&self, key: &Made) -> Value {
        let listed = self.admin.get_at("/api-keys", self.head().await).await.expect(200);
        listed.items().iter().find(|item| item["id"] == key.id.as_str()).expect("the key is listed").clone()
    }
}

// covers: P-33
#[tokio::test]
async fn a_program_acts_by_its_key_as_far_as_that_grants() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let key = organization.key(&["points.debit", "points.credit"]).await;
    let credit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 5 });

    key.client().post("/points/credits", &credit).await.expect(202);
    let by_header = Client::anonymous().request(Method::POST, "/points/credits").header("Palmares-Api-Key", &key.text).json(&credit);
    Reply::of(by_header).await.expect(202);
    key.client().post("/points/holds", &credit).await.refused(403, "ACCESS_DENIED");
    key.client().get("/users").await.refused(403, "ACCESS_DENIED");
    let other = fresh_organization().await;
    key.client().in_organization(other.id).get("/users").await.refused(403, "TENANT_MISMATCH");

    // The log knows the key by its id, and its secret not at all.
    let events = organization.domain_events().await;
    let accepted: Vec<_> = events.iter().filter(|event| event["type"] == "points.credit_accepted").collect();
    assert_eq!(accepted.len(), 2);
    assert!(accepted.iter().all(|event| event["actor_id"] == key.id.as_str()), "{accepted:?}");
    let secret = &key.text[key.text.len() - 40..];
    assert!(!json!(events).to_string().contains(secret));
    let shown = organization.listed_key(&key).await;
    assert_eq!((&shown["name"], &shown["status"]), (&json!("Payroll"), &json!("ACTIVE")));
    assert_eq!(
        (&shown["grants"], &shown["quota"]),
        (&json!(["points.credit", "points.debit"]), &json!({ "requests": 1000, "per": "day" }))
    );
    assert!(!shown.to_string().contains(secret) && shown.get("secret").is_none());
}

// covers: P-33
#[tokio::test]
async fn the_text_of_a_key_is_shown_once() {
    let organization = fresh_organization().await;
    let repeated = [("Idempotency-Key", "first-key")];
    let first = organization.admin.post_with("/api-keys", &plan(&["points"]), &repeated).await;
    let key = Made::of(first, 201);
    let again = organization.admin.post_with("/api-keys", &plan(&["points"]), &repeated).await.expect(201);
    assert_eq!((again.id("id"), again.body.get("key")), (key.id.clone(), None));
    key.client().get("/points/programs").await.expect(200);

    let repeated = [("Idempotency-Key", "second-secret")];
    let rotated = Made::of(organization.admin.post_with(&key.path("rotate"), &json!({}), &repeated).await, 200);
    let again = organization.admin.post_with(&key.path("rotate"), &json!({}), &repeated).await.expect(200);
    assert_eq!(again.body.get("key"), None);
    rotated.client().get("/points/programs").await.expect(200);

    let rehearsed = organization.admin.post("/api-keys?dry_run=true", &plan(&["points"])).await.expect(200);
    assert_eq!((&rehearsed.body["status"], rehearsed.body.get("key")), (&json!("dry_run"), None));
}

// covers: P-33
#[tokio::test]
async fn a_rotated_key_has_a_new_secret_and_the_old_one_for_the_overlap_only() {
    let organization = fresh_organization().await;
    let first = organization.key(&["points"]).await;
    let second = Made::of(organization.admin.post(&first.path("rotate"), &json!({ "overlap_seconds": 3600 })).await, 200);
    assert_eq!(second.id, first.id);
    for key in [&first, &second] {
        key.client().get("/points/programs").await.expect(200);
    }
    let shown = organization.listed_key(&first).await;
    assert!(shown["rotated_at"].is_string() && shown["former_secret_until"].is_string(), "{shown}");

    let third = Made::of(organization.admin.post(&first.path("rotate"), &json!({ "overlap_seconds": 2 })).await, 200);
    first.client().get("/points/programs").await.refused(401, "AUTHENTICATION_FAILED");
    eventually("the overlap ends", || async {
        let asked = second.client().get("/points/programs").await;
        (asked.status == 401).then_some(())
    })
    .await;
    third.client().get("/points/programs").await.expect(200);
    let too_long = json!({ "overlap_seconds": 86_401 });
    let refused = organization.admin.post(&first.path("rotate"), &too_long).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "overlap_seconds");
}

// covers: P-33
#[tokio::test]
async fn whatever_is_wrong_with_a_key_the_answer_is_the_same() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let key = organization.key(&["points"]).await;
    let foreign = other.key(&["points"]).await;
    let revoked = organization.key(&["points"]).await;
    organization.admin.post(&revoked.path("revoke"), &json!({})).await.expect(200);
    organization.admin.post(&revoked.path("revoke"), &json!({})).await.refused(409, "CONFLICT");
    organization.admin.post(&revoked.path("rotate"), &json!({})).await.refused(409, "CONFLICT");
    let rotated = organization.key(&["points"]).await;
    organization.admin.post(&rotated.path("rotate"), &json!({})).await.expect(200);
    let mut short = plan(&["points"]);
    short["expires_at"] = json!(Utc::now() + TimeDelta::seconds(2));
    let expired = Made::by(&organization.admin, &short).await;
    eventually("the key expires", || async {
        let asked = expired.client().get("/points/programs").await;
        (asked.status == 401).then_some(())
    })
    .await;
    let before = organization.domain_events().await;

    let id = |key: &Made| key.id.parse::<Uuid>().expect("an id").into_bytes();
    let bad = [
        ("of nobody", key.with(16, Uuid::now_v7().as_bytes())),
        ("with another secret", key.with(32, &[7; 32])),
        ("revoked", revoked.text.clone()),
        ("expired", expired.text.clone()),
        ("rotated", rotated.text.clone()),
        ("of another organization, under ours", foreign.with(0, organization.id.0.as_bytes())),
        ("ours, under another organization", key.with(0, other.id.0.as_bytes())),
        ("under an organization of nobody", key.with(0, Uuid::now_v7().as_bytes())),
        ("with the id of another one", key.with(16, &id(&revoked))),
        ("of a user", key.with(16, organization.member_id.parse::<Uuid>().expect("an id").as_bytes())),
        ("malformed", "pk_malformed".to_owned()),
    ];
    let mut answers = Vec::new();
    for (fault, text) in &bad {
        let refused = Client::anonymous().with_token(text).get("/points/programs").await.refused(401, "AUTHENTICATION_FAILED");
        let mut body = refused.body;
        body["request_id"] = Value::Null;
        assert_eq!(body["reason"], "gate.token_invalid", "a key {fault}");
        answers.push(body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    key.client().get("/points/programs").await.expect(200);
    assert_eq!(organization.domain_events().await, before);
    assert_eq!(organization.listed_key(&revoked).await["status"], "REVOKED");
    assert_eq!(organization.listed_key(&expired).await["status"], "EXPIRED");
    let active = organization.admin.get("/api-keys?status=ACTIVE").await.expect(200);
    assert_eq!(active.items().len(), 2, "{}", active.body);
}

// covers: P-33
#[tokio::test]
async fn a_key_that_used_up_its_quota_waits_for_the_next_period() {
    let organization = fresh_organization().await;
    let mut body = plan(&["points.program.read"]);
    body["quota"] = json!({ "requests": 2, "per": "day" });
    let key = Made::by(&organization.admin, &body).await;
    for _ in 0..2 {
        key.client().get("/points/programs").await.expect(200);
    }
    let refused = key.client().get("/points/programs").await.refused(429, "RATE_LIMITED");
    assert_eq!(refused.body["reason"], "gate.quota_exceeded");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=86_400).contains(&seconds)));
    let more = json!({ "quota": { "requests": 3, "per": "day" } });
    organization.admin.post(&key.path("quota"), &more).await.expect(200);
    key.client().get("/points/programs").await.expect(200);
    key.client().get("/points/programs").await.refused(429, "RATE_LIMITED");
    assert_eq!(organization.listed_key(&key).await["quota"], more["quota"]);
}

// covers: P-33, E-46
#[tokio::test]
async fn nobody_gets_a_key_that_reaches_further_than_they_do() {
    let organization = fresh_organization().await;
    let grants = json!({ "name": "Integrator", "grants": ["identity.api_key", "points.credit"] });
    let role = organization.admin.post("/roles", &grants).await.expect(201).id("id");
    let user = organization.member_id.clone();
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    let integrator = organization.admin.with_token(&mint(&user, organization.id, role.parse::<RoleId>().expect("a role")));
    let admins = organization.key(&["points"]).await;

    let own = Made::by(&integrator, &plan(&["points.credit.create", "identity.api_key"])).await;
    for (path, body) in [
        ("/api-keys".to_owned(), plan(&["points"])),
        ("/api-keys".to_owned(), plan(&["identity.user.create"])),
        (admins.path("rotate"), json!({})),
        (admins.path("quota"), json!({ "quota": { "requests": 9, "per": "day" } })),
    ] {
        // What holds for a person holds for a key that makes keys.
        for client in [&integrator, &own.client()] {
            let refused = client.post(&path, &body).await.refused(403, "ACCESS_DENIED");
            assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt", "{path}");
        }
    }
    admins.client().get("/points/programs").await.expect(200);
    integrator.post(&admins.path("revoke"), &json!({})).await.expect(200);
    admins.client().get("/points/programs").await.refused(401, "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn keys_of_another_organization_are_not_there() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let key = other.key(&["points"]).await;
    let quota = json!({ "quota": { "requests": 9, "per": "day" } });
    for (step, body) in [("rotate", json!({})), ("revoke", json!({})), ("quota", quota)] {
        organization.admin.post(&key.path(step), &body).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    assert!(organization.admin.get_at("/api-keys", organization.head().await).await.expect(200).items().is_empty());
    key.client().get("/points/programs").await.expect(200);
}

#[tokio::test]
async fn the_keys_of_a_suspended_organization_open_nothing() {
    let organization = fresh_organization().await;
    let key = organization.key(&["points"]).await;
    let step = async |verb: &str| {
        let platform = organization.admin.with_token(&crate::support::running::running().descriptor.tokens.platform_admin);
        platform.post(&format!("/organizations/{}/{verb}", organization.id), &json!({})).await.expect(200);
    };
    step("suspend").await;
    key.client().get("/points/programs").await.refused(403, "ACCESS_DENIED");
    step("resume").await;
    key.client().get("/points/programs").await.expect(200);
}

#[tokio::test]
async fn a_key_is_made_of_what_is_valid() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let cases = [
        ("name", json!(""), "name"),
        ("name", json!("x".repeat(101)), "name"),
        ("grants", json!([]), "grants"),
        ("grants", json!(["points.no.such"]), "grants[0]"),
        ("quota", json!({ "requests": 0, "per": "day" }), "quota.requests"),
        ("expires_at", json!("2020-01-01T00:00:00Z"), "expires_at"),
        // Nobody chooses the secret.
        ("secret", json!("ab".repeat(32)), "secret"),
    ];
    for (field, value, blamed) in cases {
        let mut body = plan(&["points"]);
        body[field] = value;
        let refused = organization.admin.post("/api-keys", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], blamed, "{body}");
    }
    let mut weekly = plan(&["points"]);
    weekly["quota"]["per"] = json!("week");
    organization.admin.post("/api-keys", &weekly).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(organization.domain_events().await, before);
}
