//! Who gained and who lost what between two moments.

use super::found;
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

/// Which roles a user held, with whether each was gained and whether it was lost.
fn of<'a>(changes: &'a Value, user: &str) -> Vec<(&'a str, bool, bool)> {
    let changes = changes["roles"].as_array().expect("roles").iter().filter(|change| change["user_id"] == user);
    changes.map(|change| (change["role"].as_str().unwrap_or_default(), !change["gained"].is_null(), !change["lost"].is_null())).collect()
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
    assert_eq!(
        of(&first, &user),
        [("analyst", true, true), ("member", true, false), (role.as_str(), true, false)],
        "what came and went again is told with both: {first}"
    );
    let short = first["roles"].as_array().expect("roles").iter().find(|change| change["role"] == "analyst").expect("it was held");
    for (moment, event_type) in [("gained", "identity.role_assigned"), ("lost", "identity.role_unassigned")] {
        let entries = found(&organization, &format!("target_id={user}&event_type={event_type}")).await;
        let entry = entries.iter().find(|entry| entry["event_id"] == short[moment]["event_id"]).expect("an entry of the log tells so");
        assert_eq!((&entry["actor_id"], &entry["timestamp"]), (&short[moment]["by"], &short[moment]["at"]), "{entry}");
    }
    let permissions: Vec<_> = first["permissions"].as_array().expect("permissions").iter().collect();
    let told: Vec<_> =
        permissions.iter().map(|change| (change["permission"].as_str(), change["gained"].is_null(), change["lost"].is_null())).collect();
    assert_eq!(told, [(Some("identity.user.list"), true, false), (Some("identity.user.read"), false, true)], "{first}");
    let second = changes(&organization, &middle, &end).await;
    assert_eq!(of(&second, &user), [(role.as_str(), false, true)], "{second}");
    let whole = changes(&organization, &begin, &end).await;
    assert_eq!(of(&whole, &user), [("analyst", true, true), ("member", true, false), (role.as_str(), true, true)], "{whole}");
    assert_eq!(first["truncated"], false);
}

// covers: E-195
#[tokio::test]
async fn keys_are_told_and_what_a_role_granted_that_is_gone() {
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
    let permissions = told["permissions"].as_array().expect("permissions");
    let [short] = permissions.as_slice() else { panic!("{told}") };
    assert_eq!(short["permission"], "identity.user.list");
    assert!(short["gained"]["by"].is_string() && short["lost"]["by"] == short["gained"]["by"], "{short}");
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
