//! Who gained and who lost what between two moments.

use super::found;
use crate::contexts::{
    newcomers::{accepted, address, complete},
    sign_in::OWN,
};
use crate::support::running::{Organization, eventually, fresh_organization, mint};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::identity::Role;
use serde_json::{Value, json};

async fn changes(organization: &Organization, from: &str, to: &str) -> Value {
    let path = format!("/access-reviews/changes?from={from}&to={to}");
    organization.officer.get_at(&path, organization.head().await).await.expect(200).body
}

fn moment() -> String {
    Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// A moment after all that happened until now.
async fn later() -> String {
    let now = moment();
    eventually("the clock went on", || async { Some(moment()).filter(|later| *later > now) }).await
}

/// What a list tells of a user, each with whether it was gained and whether it was lost.
fn listed<'a>(changes: &'a Value, list: &str, user: &str) -> Vec<(&'a Value, bool, bool)> {
    let entries = changes[list].as_array().expect("a list").iter().filter(|change| change["user_id"] == user);
    entries.map(|change| (change, !change["gained"].is_null(), !change["lost"].is_null())).collect()
}

/// The times at which a user might act.
fn times(changes: &Value, user: &str) -> Vec<(bool, bool)> {
    listed(changes, "users", user).into_iter().map(|(_, gained, lost)| (gained, lost)).collect()
}

/// Which roles a user held, with whether each was gained and whether it was lost.
fn of<'a>(changes: &'a Value, user: &str) -> Vec<(&'a str, bool, bool)> {
    let roles = listed(changes, "roles", user).into_iter();
    roles.map(|(change, gained, lost)| (change["role"].as_str().unwrap_or_default(), gained, lost)).collect()
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

// covers: E-195
#[tokio::test]
async fn who_is_shut_out_or_leaves_is_told_and_so_is_who_comes_back() {
    let organization = fresh_organization().await;
    let admin = &organization.admin;
    let begin = moment();
    let (user, leaver) = (organization.add_member("back-and-forth").await, organization.member_id.clone());
    let step = async |verb: &str| admin.post(&format!("/users/{user}/{verb}"), &json!({})).await.expect(200);
    step("suspend").await;
    let middle = later().await;
    step("resume").await;
    step("deactivate").await;
    step("approve-reactivation").await;
    let second = organization.add_member("second-admin").await;
    admin.post(&format!("/users/{second}/roles"), &json!({ "role": "organization_admin" })).await.expect(200);
    let second = admin.with_token(&mint(&second, organization.id, Role::OrganizationAdmin));
    second.post(&format!("/users/{user}/reactivate"), &json!({})).await.expect(200);
    admin.post(&format!("/users/{leaver}/deactivate"), &json!({})).await.expect(200);
    let end = later().await;

    let first = changes(&organization, &begin, &middle).await;
    assert_eq!((times(&first, &user), times(&first, &leaver)), (vec![(true, true)], vec![]), "{first}");
    let second = changes(&organization, &middle, &end).await;
    assert_eq!(times(&second, &user), [(true, true), (true, false)], "{second}");
    let gone = listed(&second, "users", &leaver);
    let [(gone, false, true)] = gone.as_slice() else { panic!("{second}") };
    let entries = found(&organization, &format!("target_id={leaver}&event_type=identity.user_deactivated")).await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    for (told, recorded) in [("event_id", "event_id"), ("by", "actor_id"), ("at", "timestamp")] {
        assert_eq!(gone["lost"][told], entry[recorded], "{gone} {entry}");
    }
}

// covers: E-195
#[tokio::test]
async fn an_invitation_gives_nothing_before_the_invited_person_is_in() {
    let organization = fresh_organization().await;
    let invitations = format!("/organizations/{}/invitations", organization.id);
    let begin = moment();
    let (address, other) = (address(), address());
    let invited = organization.admin.post(&invitations, &json!({ "email": address, "role": "analyst" })).await.expect(201).id("user_id");
    let revoked = organization.admin.post(&invitations, &json!({ "email": other, "role": "analyst" })).await.expect(201);
    organization.admin.post(&format!("/invitations/{}/revoke", revoked.id("id")), &json!({})).await.expect(200);
    let middle = later().await;
    let taken = accepted(&address).await;
    complete(&taken.body["setup_token"], OWN).await.expect(200);
    let end = later().await;

    let first = changes(&organization, &begin, &middle).await;
    for user in [&invited, &revoked.id("user_id")] {
        assert_eq!((of(&first, user), times(&first, user)), (vec![], vec![]), "{first}");
    }
    let second = changes(&organization, &middle, &end).await;
    assert_eq!(of(&second, &invited), [("analyst", true, false)], "{second}");
    assert_eq!(times(&second, &invited), [(true, false)], "{second}");
    let whole = changes(&organization, &begin, &end).await;
    assert_eq!((of(&whole, &invited), of(&whole, &revoked.id("user_id"))), (vec![("analyst", true, false)], vec![]), "{whole}");
}

// covers: E-195
#[tokio::test]
async fn keys_and_experts_whose_time_is_over_are_told_at_that_time() {
    let organization = fresh_organization().await;
    let admin = &organization.admin;
    let experts = format!("/users/{}/experts", organization.member_id);
    let body = json!({ "external_ref": "expert", "role": "expert" });
    let expert = admin.post("/users", &body).await.expect(201).id("id");
    let over: DateTime<Utc> = Utc::now() + TimeDelta::seconds(4);
    let key = json!({
        "name": "Robot", "grants": ["identity.user.list"], "quota": { "requests": 100, "per": "minute" }, "expires_at": over,
    });
    let key = admin.post("/api-keys", &key).await.expect(201).id("id");
    admin.post(&experts, &json!({ "expert_id": expert, "until": over })).await.expect(200);
    let begin = later().await;
    let far = (Utc::now() + TimeDelta::days(1)).to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(changes(&organization, &begin, &far).await["keys"], json!([]), "what is not over yet is not told");
    eventually("their time is over", || async { (Utc::now() > over).then_some(()) }).await;
    let again = later().await;
    admin.post(&experts, &json!({ "expert_id": expert })).await.expect(200);
    admin.send("DELETE", &format!("{experts}/{expert}"), &json!({})).await.expect(200);
    let end = later().await;

    let told = changes(&organization, &begin, &end).await;
    let [expired] = told["keys"].as_array().expect("keys").as_slice() else { panic!("{told}") };
    let at = |moment: &Value| moment["at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()).map(|at| at.timestamp_micros());
    assert_eq!((&expired["key_id"], &expired["change"], at(expired)), (&json!(key), &json!("EXPIRED"), Some(over.timestamp_micros())));
    let made = found(&organization, "event_type=identity.api_key_created").await.remove(0);
    assert_eq!((&expired["event_id"], &expired["by"]), (&made["event_id"], &made["actor_id"]), "who said until when");
    let [first, second] = told["experts"].as_array().expect("experts").as_slice() else { panic!("{told}") };
    assert_eq!((&first["user_id"], &first["expert_id"]), (&json!(organization.member_id), &json!(expert)));
    assert!(first["gained"].is_null() && at(&first["lost"]) == Some(over.timestamp_micros()), "{first}");
    assert!(second["gained"]["by"].is_string() && second["lost"]["by"] == second["gained"]["by"], "{second}");
    let later = changes(&organization, &again, &end).await;
    assert_eq!((&later["keys"], later["experts"].as_array().map(Vec::len)), (&json!([]), Some(1)), "{later}");
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
