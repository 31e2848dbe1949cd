//! Who gained and who lost what between two moments.

use crate::support::running::{Organization, eventually, fresh_organization};
use chrono::Utc;
use serde_json::{Value, json};

async fn changes(organization: &Organization, from: &str, to: &str) -> Value {
    let path = format!("/access-reviews/changes?from={from}&to={to}");
    organization.officer.get_at(&path, organization.head().await).await.expect(200).body
}

fn moment() -> String {
    Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// What became of the roles of a user.
fn of<'a>(changes: &'a Value, user: &str) -> Vec<(&'a str, &'a str)> {
    let changes = changes["roles"].as_array().expect("roles").iter().filter(|change| change["user_id"] == user);
    changes.map(|change| (change["role"].as_str().unwrap_or_default(), change["change"].as_str().unwrap_or_default())).collect()
}

// covers: E-195
#[tokio::test]
async fn what_came_and_went_is_told_between_two_moments() {
    let organization = fresh_organization().await;
    let admin = &organization.admin;
    let role = admin.post("/roles", &json!({ "name": "Desk", "grants": ["identity.user.list"] })).await.expect(201).id("id");
    let begin = moment();
    let user = organization.add_member("reviewed").await;
    admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    admin.post(&format!("/users/{user}/roles"), &json!({ "role": "analyst" })).await.expect(200);
    admin.post(&format!("/users/{user}/roles/analyst/unassign"), &json!({})).await.expect(200);
    admin.post(&format!("/roles/{role}/grants"), &json!({ "grants": ["identity.user.read"] })).await.expect(200);
    let middle = moment();
    admin.post(&format!("/users/{user}/roles/{role}/unassign"), &json!({})).await.expect(200);
    let end = eventually("the clock went on", || async { Some(moment()).filter(|now| *now > middle) }).await;

    let first = changes(&organization, &begin, &middle).await;
    assert_eq!(of(&first, &user), [("member", "GAINED"), (role.as_str(), "GAINED")], "what came and went again is left out: {first}");
    let permissions: Vec<_> = first["permissions"].as_array().expect("permissions").iter().collect();
    let told: Vec<_> = permissions.iter().map(|change| (change["permission"].as_str(), change["change"].as_str())).collect();
    assert_eq!(told, [(Some("identity.user.list"), Some("LOST")), (Some("identity.user.read"), Some("GAINED"))], "{first}");
    let second = changes(&organization, &middle, &end).await;
    assert_eq!(of(&second, &user), [(role.as_str(), "LOST")], "{second}");
    assert_eq!(of(&changes(&organization, &begin, &end).await, &user), [("member", "GAINED")]);
    assert_eq!(first["truncated"], false);
}

// covers: E-195
#[tokio::test]
async fn keys_are_told_and_what_became_of_a_role_that_is_gone_is_not() {
    let organization = fresh_organization().await;
    let admin = &organization.admin;
    let begin = moment();
    let role = admin.post("/roles", &json!({ "name": "Short", "grants": ["identity.user.list"] })).await.expect(201).id("id");
    admin.post(&format!("/roles/{role}/retire"), &json!({})).await.expect(200);
    let key = json!({ "name": "Robot", "grants": ["identity.user.list"], "quota": { "requests": 100, "per": "minute" } });
    let key = admin.post("/api-keys", &key).await.expect(201).id("id");
    admin.post(&format!("/api-keys/{key}/rotate"), &json!({})).await.expect(200);
    admin.post(&format!("/api-keys/{key}/revoke"), &json!({})).await.expect(200);
    let end = eventually("the clock went on", || async { Some(moment()).filter(|now| *now > begin) }).await;
    let told = changes(&organization, &begin, &end).await;
    assert_eq!(told["permissions"], json!([]), "{told}");
    let keys: Vec<_> = told["keys"].as_array().expect("keys").iter().map(|key| (&key["change"], &key["grants"])).collect();
    let (none, one) = (json!([]), json!(["identity.user.list"]));
    assert_eq!(keys, [(&json!("CREATED"), &one), (&json!("ROTATED"), &none), (&json!("REVOKED"), &none)], "{told}");
}

#[tokio::test]
async fn it_is_asked_between_two_moments_by_those_who_may() {
    let organization = fresh_organization().await;
    let ask = |query: &'static str| organization.officer.get(query);
    for bad in ["/access-reviews/changes", "/access-reviews/changes?from=2026-01-01T00:00:00Z", "/access-reviews/changes?from=x&to=y"] {
        ask(bad).await.refused(422, "VALIDATION_ERROR");
    }
    ask("/access-reviews/changes?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z").await.refused(422, "VALIDATION_ERROR");
    let good = "/access-reviews/changes?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z";
    ask(good).await.expect(200);
    organization.analyst.get(good).await.refused(403, "ACCESS_DENIED");
    organization.member.get(good).await.refused(403, "ACCESS_DENIED");
}
