//! Reviews of who has which role.

use super::found;
use crate::support::running::{Client, Organization, eventually, fresh_organization};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// A quarter from now.
fn due() -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(90)
}

async fn review(organization: &Organization, id: &str, position: i64) -> Value {
    let listed = organization.officer.get_at("/access-reviews", position).await.expect(200);
    listed.items().iter().find(|review| review["id"] == id).cloned().unwrap_or_default()
}

// covers: E-195
#[tokio::test]
async fn roles_are_attested_or_taken_away_and_the_review_says_how_far_it_is() {
    let organization = fresh_organization().await;
    let admin = &organization.admin;
    let (kept, lost) = (organization.add_member("kept").await, organization.add_member("lost").await);
    let mut position = 0;
    for user in [&kept, &lost] {
        position = admin.post(&format!("/users/{user}/roles"), &json!({ "role": "expert" })).await.expect(200).position();
    }
    admin.get_at("/users", position).await.expect(200);
    let opened = organization.officer.post("/access-reviews", &json!({ "role": "expert", "due_at": due() })).await.expect(201);
    assert_eq!(opened.body["items"], 2);
    let id = opened.id("id");
    let decide = async |verb: &str, user: &str| {
        admin.post(&format!("/access-reviews/{id}/{verb}"), &json!({ "user_id": user, "role": "expert" })).await
    };
    decide("attest", &kept).await.expect(200);
    decide("attest", &kept).await.refused(409, "CONFLICT");
    let revoked = decide("revoke", &lost).await.expect(200);
    decide("attest", &organization.member_id).await.refused(422, "VALIDATION_ERROR");
    let user = admin.get_at(&format!("/users/{lost}"), revoked.position()).await.expect(200);
    assert_eq!(user.body["roles"], json!(["member"]), "the role is gone with the decision");
    let user = admin.get(&format!("/users/{kept}")).await.expect(200);
    assert!(user.body["roles"].as_array().is_some_and(|roles| roles.contains(&json!("expert"))), "{}", user.body);

    let items = organization.officer.get(&format!("/access-reviews/{id}")).await.expect(200);
    let decisions: Vec<_> =
        items.body["items"].as_array().expect("items").iter().map(|item| (&item["user_id"], &item["decision"])).collect();
    assert_eq!(decisions.len(), 2);
    assert!(
        decisions.contains(&(&json!(kept), &json!("ATTESTED"))) && decisions.contains(&(&json!(lost), &json!("REVOKED"))),
        "{decisions:?}"
    );
    assert_eq!(items.body["undecided"], 0);
    for item in items.body["items"].as_array().expect("items") {
        assert!(item["decided_by"].is_string() && item["decided_at"].is_string(), "{item}");
    }
    let seen = review(&organization, &id, revoked.position()).await;
    assert_eq!((&seen["items"], &seen["attested"], &seen["revoked"]), (&json!(2), &json!(1), &json!(1)));
    let closed = admin.post(&format!("/access-reviews/{id}/close"), &json!({})).await.expect(200);
    assert_eq!(review(&organization, &id, closed.position()).await["status"], "CLOSED");
    decide("attest", &kept).await.refused(409, "CONFLICT");
    let story = found(&organization, "event_type=identity.role_unassigned").await;
    assert_eq!(story[0]["action"], "compliance.access_review.revoke", "the log says under what it was taken");
}

#[tokio::test]
async fn whose_invitation_was_taken_back_is_in_no_review() {
    let organization = fresh_organization().await;
    let mut invited = Vec::new();
    for email in ["ada@acme.example", "grace@acme.example"] {
        let body = json!({ "email": email, "role": "expert" });
        invited.push(organization.admin.post(&format!("/organizations/{}/invitations", organization.id), &body).await.expect(201));
    }
    organization.admin.post(&format!("/invitations/{}/revoke", invited[0].id("id")), &json!({})).await.expect(200);
    let opened = organization.officer.post("/access-reviews", &json!({ "role": "expert", "due_at": due() })).await.expect(201);
    assert_eq!(opened.body["items"], 1);
    let shown = organization.officer.get(&format!("/access-reviews/{}", opened.id("id"))).await.expect(200);
    assert_eq!(shown.body["items"][0]["user_id"], invited[1].id("user_id").as_str());
}

// covers: E-46
#[tokio::test]
async fn nobody_decides_about_themselves_or_takes_what_reaches_further() {
    let organization = fresh_organization().await;
    organization.officer.get_at("/users", organization.head().await).await.expect(200);
    let opened = organization.officer.post("/access-reviews", &json!({ "due_at": due() })).await.expect(201);
    let (id, items) = (opened.id("id"), opened.body["items"].as_i64().expect("a number"));
    assert!(items >= 4, "{items}");
    let undecided = organization.officer.get(&format!("/access-reviews/{id}")).await.expect(200).body["undecided"].clone();
    assert_eq!(undecided, items);
    let listed = organization.officer.get(&format!("/access-reviews/{id}")).await.expect(200);
    let of =
        |role: &str| listed.body["items"].as_array().expect("items").iter().find(|item| item["role"] == role).cloned().expect("a holder");
    let decide = async |client: &Client, verb: &str, item: Value| {
        let body = json!({ "user_id": item["user_id"], "role": item["role"] });
        client.post(&format!("/access-reviews/{id}/{verb}"), &body).await
    };
    let refused = decide(&organization.officer, "attest", of("compliance_officer")).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "compliance.own_access");
    let refused = decide(&organization.officer, "revoke", of("organization_admin")).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");
    let key = json!({ "name": "Robot", "grants": ["compliance.access_review"], "quota": { "requests": 100, "per": "minute" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("key");
    let robot = Client::anonymous().with_token(&key);
    robot.get("/access-reviews").await.expect(200);
    let refused = decide(&robot, "attest", of("organization_admin")).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "gate.permission_missing", "nor by a key of one's own");
    decide(&robot, "revoke", of("member")).await.refused(403, "ACCESS_DENIED");
    decide(&organization.analyst, "attest", of("member")).await.refused(403, "ACCESS_DENIED");
    let other = fresh_organization().await;
    decide(&other.officer, "attest", of("member")).await.refused(404, "RESOURCE_NOT_FOUND");
    other.officer.get(&format!("/access-reviews/{id}")).await.refused(404, "RESOURCE_NOT_FOUND");
    for (due_at, reason) in
        [("2020-01-01T00:00:00Z", "compliance.review_due_invalid"), ("2999-01-01T00:00:00Z", "compliance.review_due_over_a_year_ahead")]
    {
        let refused = organization.officer.post("/access-reviews", &json!({ "due_at": due_at })).await.refused(422, "VALIDATION_ERROR");
        assert_eq!((&refused.body["errors"][0]["field"], &refused.body["reason"]), (&json!("due_at"), &json!(reason)));
    }
    organization.officer.post("/access-reviews", &json!({ "due_at": due(), "role": "expert" })).await.refused(422, "VALIDATION_ERROR");
}

// covers: E-195
#[tokio::test]
async fn a_review_knows_what_was_recorded_before_it_and_goes_on_in_parts() {
    let organization = fresh_organization().await;
    let mut expected = std::collections::BTreeSet::new();
    for number in 0..5 {
        let user = organization.add_member(&format!("expert-{number}")).await;
        // Nobody waits for the read model in between.
        organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": "expert" })).await.expect(200);
        expected.insert(user);
    }
    let (mut seen, mut after, mut parts) = (std::collections::BTreeSet::new(), Value::Null, Vec::new());
    loop {
        let body = json!({ "role": "expert", "due_at": due(), "limit": 2, "after_user": after });
        let opened = organization.officer.post("/access-reviews", &body).await.expect(201);
        parts.push(opened.body["items"].as_i64().expect("a number"));
        let shown = organization.officer.get(&format!("/access-reviews/{}", opened.id("id"))).await.expect(200);
        let items = shown.body["items"].as_array().expect("items").clone();
        seen.extend(items.iter().filter_map(|item| item["user_id"].as_str().map(str::to_owned)));
        after = opened.body["more_after"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!((parts, seen), (vec![2, 2, 1], expected));
    let bad = json!({ "role": "expert", "due_at": due(), "limit": 0 });
    organization.officer.post("/access-reviews", &bad).await.refused(422, "VALIDATION_ERROR");
}

// covers: E-195
#[tokio::test]
async fn keys_of_programs_are_attested_by_others_than_their_makers_or_revoked() {
    let organization = fresh_organization().await;
    let key = |name: &str| json!({ "name": name, "grants": ["points"], "quota": { "requests": 100, "per": "minute" } });
    let mut made = Vec::new();
    for name in ["kept", "lost", "over"] {
        made.push(organization.admin.post("/api-keys", &key(name)).await.expect(201));
    }
    let [kept, lost, over] = [made[0].id("id"), made[1].id("id"), made[2].id("id")];
    organization.admin.post(&format!("/api-keys/{over}/revoke"), &json!({})).await.expect(200);
    let opened = organization.officer.post("/access-reviews", &json!({ "scope": "api_keys", "due_at": due() })).await.expect(201);
    assert_eq!(opened.body["items"], 2, "what is over opens nothing any more");
    let id = opened.id("id");
    let decide =
        async |client: &Client, key: &str, verb: &str| client.post(&format!("/access-reviews/{id}/keys/{key}/{verb}"), &json!({})).await;
    let refused = decide(&organization.admin, &kept, "attest").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "compliance.own_access");
    decide(&organization.officer, &kept, "attest").await.expect(200);
    decide(&organization.officer, &kept, "revoke").await.refused(409, "CONFLICT");
    decide(&organization.officer, &over, "attest").await.refused(404, "RESOURCE_NOT_FOUND");
    let robot = Client::anonymous().with_token(&made[1].id("key"));
    robot.get("/points/programs").await.expect(200);
    let revoked = decide(&organization.officer, &lost, "revoke").await.expect(200);
    eventually("it opens nothing", || async { (robot.get("/points/programs").await.status == 401).then_some(()) }).await;
    let seen = review(&organization, &id, revoked.position()).await;
    assert_eq!((&seen["items"], &seen["attested"], &seen["revoked"]), (&json!(2), &json!(1), &json!(1)));
    let shown = organization.officer.get(&format!("/access-reviews/{id}")).await.expect(200);
    for (key, decision) in [(&kept, "ATTESTED"), (&lost, "REVOKED")] {
        let items = shown.body["items"].as_array().expect("items");
        let item = items.iter().find(|item| item["key_id"] == **key).expect("an item");
        assert_eq!(item["decision"], decision);
    }
    let part = json!({ "scope": "api_keys", "due_at": due(), "limit": 1 });
    organization.admin.post("/api-keys", &key("another")).await.expect(201);
    let first = organization.officer.post("/access-reviews", &part).await.expect(201);
    let next = json!({ "scope": "api_keys", "due_at": due(), "after_key": first.body["more_after"] });
    assert_eq!(organization.officer.post("/access-reviews", &next).await.expect(201).body["items"], 1);
    let stray = json!({ "scope": "api_keys", "due_at": due(), "role": "expert" });
    let refused = organization.officer.post("/access-reviews", &stray).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "role");
}

#[tokio::test]
async fn what_was_taken_since_the_review_was_opened_nobody_attests() {
    let organization = fresh_organization().await;
    let gone = organization.add_member("gone").await;
    let given = organization.admin.post(&format!("/users/{gone}/roles"), &json!({ "role": "expert" })).await.expect(200);
    let key = json!({ "name": "Robot", "grants": ["points"], "quota": { "requests": 100, "per": "minute" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("id");
    organization.admin.get_at("/users", given.position()).await.expect(200);
    let of_roles = organization.officer.post("/access-reviews", &json!({ "role": "expert", "due_at": due() })).await.expect(201).id("id");
    let of_keys = json!({ "scope": "api_keys", "due_at": due() });
    let of_keys = organization.officer.post("/access-reviews", &of_keys).await.expect(201).id("id");
    organization.admin.post(&format!("/users/{gone}/roles/expert/unassign"), &json!({})).await.expect(200);
    organization.admin.post(&format!("/api-keys/{key}/revoke"), &json!({})).await.expect(200);
    let role = json!({ "user_id": gone, "role": "expert" });
    for (path, body) in [(format!("/access-reviews/{of_roles}"), role), (format!("/access-reviews/{of_keys}/keys/{key}"), json!({}))] {
        let refused = organization.officer.post(&format!("{path}/attest"), &body).await.refused(409, "CONFLICT");
        assert_eq!(refused.body["reason"], "compliance.review_item_gone");
        organization.officer.post(&format!("{path}/revoke"), &body).await.expect(200);
    }
}
