//! Bad input: each is a problem with its code, and nothing of it is recorded.

use crate::support::running::{Client, Organization, Reply, fresh_organization};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Sends a body as it stands.
async fn raw(client: &Client, path: &str, content_type: &str, body: &str) -> Reply {
    Reply::of(client.request(Method::POST, path).header("Content-Type", content_type).body(body.to_owned())).await
}

/// An organization, its program, and what has happened in it before the bad input comes.
struct Ground {
    organization: Organization,
    program: String,
    before: Vec<Value>,
}

impl Ground {
    async fn new() -> Self {
        let organization = fresh_organization().await;
        let program = organization.program().await;
        let before = organization.domain_events().await;
        Self { organization, program, before }
    }

    fn admin(&self) -> &Client {
        &self.organization.admin
    }

    /// Asserts that one field is to blame, and for what.
    async fn assert_blamed(&self, path: &str, body: Value, field: &str, reason: &str) {
        let refused = self.admin().post(path, &body).await.refused(422, "VALIDATION_ERROR");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["reason"]), (&json!(field), &json!(reason)), "{body} at {path}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }

    async fn assert_nothing_happened(&self) {
        assert_eq!(self.organization.domain_events().await, self.before);
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let ground = Ground::new().await;
    let cases = [
        ("{\"external_ref\":", "malformed_json"),
        ("{\"a\":1} {}", "malformed_json"),
        ("\u{0}", "malformed_json"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("\"text\"", "not_an_object"),
        ("{\"role\":\"member\",\"role\":\"member\"}", "duplicate_field"),
    ];
    for (body, reason) in cases {
        let refused = raw(ground.admin(), "/users", "application/json", body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["reason"], reason, "{body}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    raw(ground.admin(), "/users", "application/json", &deep).await.refused(422, "VALIDATION_ERROR");
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let ground = Ground::new().await;
    let user = json!({ "external_ref": "someone", "role": "member" }).to_string();
    for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonx"] {
        let refused = raw(ground.admin(), "/users", content_type, &user).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "Content-Type", "{content_type}");
    }
    let packed =
        ground.admin().request(Method::POST, "/users").header("Content-Type", "application/json").header("Content-Encoding", "gzip");
    let refused = Reply::of(packed.body(user)).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "Content-Encoding");
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn unknown_fields_and_wrong_types_are_named() {
    let ground = Ground::new().await;
    let member = &ground.organization.member_id;
    let debit = |amount: Value| json!({ "program_id": ground.program, "user_id": member, "amount": amount });
    let cases = [
        ("/users", json!({ "external_ref": "a", "role": "member", "is_admin": true }), "is_admin", "unknown_field"),
        ("/users", json!({ "external_ref": 7, "role": "member" }), "external_ref", "wrong_type"),
        ("/users", json!({ "external_ref": "a", "role": "king" }), "role", "not_allowed"),
        ("/users", json!({ "role": "member" }), "external_ref", "required"),
        ("/points/debits", debit(json!("5")), "amount", "wrong_type"),
        ("/points/debits", debit(json!(1.5)), "amount", "wrong_type"),
        ("/points/debits", debit(json!(null)), "amount", "wrong_type"),
        ("/points/debits", json!({ "program_id": "x", "user_id": member, "amount": 5 }), "program_id", "uuid"),
    ];
    for (path, body, field, reason) in cases {
        ground.assert_blamed(path, body, field, reason).await;
    }
    // The path names the resource; a body that names another one is not believed.
    let frozen = format!("/points/accounts/{member}/freeze");
    ground.assert_blamed(&frozen, json!({ "program_id": ground.program, "user_id": member }), "user_id", "unknown_field").await;
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn values_out_of_bounds_are_refused() {
    let ground = Ground::new().await;
    let member = &ground.organization.member_id;
    let long = |count: usize| "x".repeat(count);
    let cases = [
        ("/users", json!({ "external_ref": long(201), "role": "member" })),
        ("/users", json!({ "external_ref": "", "role": "member" })),
        ("/users", json!({ "external_ref": " a", "role": "member" })),
        ("/users", json!({ "external_ref": "a\u{7}", "role": "member" })),
        ("/points/programs", json!({ "name": long(1_000) })),
        ("/points/programs", json!({ "name": "" })),
        ("/points/programs", json!({ "name": "debts", "floor": 1 })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 0 })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": -5 })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 1_000_000_001 })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 5, "source_id": "a b" })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 5, "source_id": long(129) })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 5, "reason": long(501) })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 5, "expires_at": "tomorrow" })),
        ("/points/credits", json!({ "program_id": ground.program, "user_id": member, "amount": 5, "expires_at": "2001-01-01T00:00:00Z" })),
    ];
    for (path, body) in cases {
        ground.admin().post(path, &body).await.refused(422, "VALIDATION_ERROR");
    }
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let ground = Ground::new().await;
    let body = json!({ "external_ref": "x".repeat(1024 * 1024), "role": "member" });
    ground.admin().post("/users", &body).await.refused(413, "PAYLOAD_TOO_LARGE");
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_batch_of_a_wrong_size_is_refused_whole() {
    let ground = Ground::new().await;
    let item = |number: usize| {
        json!({
            "source": "test", "source_record_id": format!("r{number}"), "user_id": ground.organization.member_id,
            "metric": "steps", "value": 1, "local_day": "2026-01-01", "time_zone": "UTC",
        })
    };
    for count in [0, 1_001] {
        let items: Vec<_> = (0..count).map(item).collect();
        ground.assert_blamed("/activities", json!({ "items": items }), "items", "challenges.batch_size").await;
    }
    let mut malformed: Vec<_> = (0..3).map(item).collect();
    malformed[1]["steps"] = json!(7);
    ground.assert_blamed("/activities", json!({ "items": malformed }), "items[1].steps", "unknown_field").await;
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_record_that_makes_no_sense_is_refused_alone() {
    let ground = Ground::new().await;
    let item = |number: usize, name: &str, value: Value| {
        let mut item = json!({
            "source": "test", "source_record_id": format!("r{number}"), "user_id": ground.organization.member_id,
            "metric": "steps", "value": 1, "local_day": "2026-01-01", "time_zone": "UTC",
        });
        item[name] = value;
        item
    };
    let items = [
        item(0, "value", json!(100)),
        item(1, "metric", json!("happiness")),
        item(2, "value", json!(-1)),
        item(3, "local_day", json!("2026-02-30")),
        item(4, "time_zone", json!("Mars/Olympus")),
        item(5, "user_id", json!(Uuid::now_v7())),
    ];
    let answer = ground.admin().post("/activities", &json!({ "items": items })).await.expect(200);
    let statuses: Vec<_> = answer.items().iter().filter_map(|item| item["status"].as_str()).collect();
    assert_eq!(statuses, ["accepted", "refused", "refused", "refused", "refused", "refused"], "{}", answer.body);
    assert!(answer.items()[1..].iter().all(|item| item["reason"].is_string()));
    let told = |item: usize| answer.items()[item]["message"].as_str().map(str::to_owned);
    assert_eq!((told(0), told(1)), (None, Some("items[1].metric: This metric is not known.".to_owned())));
    assert!((1..6).all(|item| told(item).is_some_and(|told| told.starts_with(&format!("items[{item}].")))), "{}", answer.body);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let ground = Ground::new().await;
    let nobody = Uuid::now_v7();
    for path in ["/nothing", "/users/abc", "/users/abc/points", &format!("/users/{nobody}"), &format!("/points/transactions/{nobody}")] {
        ground.admin().get(path).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    for path in [
        format!("/points/holds/{nobody}/post"),
        "/points/holds/abc/void".to_owned(),
        format!("/points/transactions/{nobody}/reverse"),
        format!("/users/{nobody}/suspend"),
    ] {
        ground.admin().post(&path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    let debit = json!({ "program_id": nobody, "user_id": ground.organization.member_id, "amount": 5 });
    ground.assert_blamed("/points/debits", debit, "program_id", "points.program_not_defined").await;
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn parameters_of_a_query_are_checked() {
    let ground = Ground::new().await;
    let cases = [
        ("/users?cursor=xyz", "cursor"),
        ("/users?limit=0", "limit"),
        ("/users?limit=201", "limit"),
        ("/users?limit=many", "limit"),
        ("/users?colour=red", "colour"),
        ("/users?min_position=-1", "min_position"),
        ("/events?after=x", "after"),
        ("/leaderboards/steps?as_of=yesterday", "as_of"),
    ];
    for (path, field) in cases {
        let refused = ground.admin().get(path).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{path}");
    }
    // A cursor of one list is none of another.
    let page = ground.organization.analyst.get("/events?limit=1").await.expect(200);
    ground.admin().get(&format!("/audit-logs?cursor={}x", page.id("next_cursor"))).await.refused(422, "VALIDATION_ERROR");
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn headers_of_a_command_are_checked() {
    let ground = Ground::new().await;
    let body = json!({ "external_ref": "someone", "role": "member" });
    let long = "k".repeat(256);
    let cases = [
        ("Idempotency-Key", long.as_str()),
        ("Idempotency-Key", "a b"),
        ("If-Match", "7"),
        ("If-Match", "\"x\""),
        ("Palmares-Organization", "x"),
    ];
    for (name, value) in cases {
        let refused = ground.admin().post_with("/users", &body, &[(name, value)]).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], name, "{value}");
    }
    ground.admin().post("/users?dry_run=maybe", &body).await.refused(422, "VALIDATION_ERROR");
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let ground = Ground::new().await;
    for method in [Method::DELETE, Method::PUT, Method::PATCH] {
        let refused = Reply::of(ground.admin().request(method, "/users")).await.refused(405, "METHOD_NOT_ALLOWED");
        assert_eq!(refused.header("allow"), "GET, POST");
    }
    ground.assert_nothing_happened().await;
}

#[tokio::test]
async fn problems_are_told_in_the_callers_language() {
    let ground = Ground::new().await;
    let body = json!({ "external_ref": 7, "role": "member" });
    for (accepted, language, title) in
        [("fr-CH, en;q=0.5", "fr", "La requête n’est pas valide"), ("de, en;q=0.5", "en", "The request is not valid")]
    {
        let refused = ground.admin().post_with("/users", &body, &[("Accept-Language", accepted)]).await.refused(422, "VALIDATION_ERROR");
        assert_eq!((refused.header("content-language"), refused.body["title"].as_str()), (language, Some(title)));
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let ground = Ground::new().await;
    let answers = [
        Reply::of(ground.admin().request_at(Method::GET, "/health")).await.expect(200),
        ground.admin().get("/users").await.expect(200),
        ground.admin().get("/nothing").await.expect(404),
        Client::anonymous().get("/users").await.expect(401),
    ];
    for answer in answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("vary", "Accept-Language, Accept"),
        ] {
            assert_eq!(answer.header(name), value);
        }
        assert!(Uuid::parse_str(answer.header("palmares-request-id")).is_ok());
    }
}
