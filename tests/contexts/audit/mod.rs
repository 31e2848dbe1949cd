//! The audit log as auditors use it: searched, explained, taken out.

mod access;
mod anomalies;
mod duties;
mod officers;
mod reviews;
mod schedules;
mod searches;
mod siem;
mod whom;

use super::sign_in::{OWN, door};
use crate::support::running::{Client, Organization, eventually, fresh_organization};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everything that the officer finds by a filter once the trail knows all that was recorded.
pub(super) async fn found(organization: &Organization, filter: &str) -> Vec<Value> {
    let head = organization.head().await;
    organization.officer.get_at("/audit-logs?limit=1", head).await.expect(200);
    organization.officer.all(&format!("/audit-logs?{filter}")).await
}

fn types(entries: &[Value]) -> BTreeSet<&str> {
    entries.iter().filter_map(|entry| entry["event_type"].as_str()).collect()
}

/// Takes the audit log out, as text.
async fn exported(client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let request = client.request(Method::GET, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("the whole answer"))
}

// covers: E-194, E-195, E-185, P-88, E-233
#[tokio::test]
async fn an_entry_has_the_twelve_fields() {
    let organization = fresh_organization().await;
    let user = organization.add_member("audited").await;
    organization.admin.post(&format!("/users/{user}/suspend"), &json!({})).await.expect(200);
    let entries = found(&organization, &format!("target_id={user}&event_type=identity.user_suspended")).await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    for field in ["event_id", "actor_id", "timestamp", "device_metadata"] {
        assert!(!entry[field].is_null(), "no {field} in {entry}");
    }
    assert_eq!(entry["organization_id"], organization.id.to_string());
    assert_eq!(entry["actor_role"], json!(["organization_admin"]));
    assert_eq!(entry["event_type"], "identity.user_suspended");
    assert_eq!((&entry["resource_type"], &entry["resource_id"]), (&json!("user"), &json!(user)));
    assert_eq!(entry["ip_address"], "127.0.0.1");
    let (before, after) = (entry["before_state"].to_string(), entry["after_state"].to_string());
    assert!(before.contains("ACTIVE") && after.contains("SUSPENDED"), "{before} {after}");
    assert_eq!(entry["before_state"].as_object().map(|fields| fields.len()), entry["after_state"].as_object().map(|fields| fields.len()));
}

// covers: E-194
#[tokio::test]
async fn an_entry_shows_what_changed_within_bounds_and_all_of_it_where_that_is_asked_for() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let body = json!({ "program_id": program, "user_id": organization.member_id, "amount": 10 });
    for number in 0..18 {
        let key = format!("credit-{number}");
        organization.admin.post_with("/points/credits", &body, &[("Prefer", "wait=30"), ("Idempotency-Key", &key)]).await.expect(200);
    }
    let newest = found(&organization, "event_type=points.credit_resolved").await.remove(0);
    let order = &newest["after_state"]["history.order[]"];
    assert_eq!(order.as_array().map(Vec::len), Some(1), "what came, of eighteen: {newest}");
    assert_eq!(newest["before_state"]["history.order[]"], json!([]), "nothing went");
    let whole = found(&organization, "event_type=points.credit_resolved&states=true").await.remove(0);
    assert_eq!(whole["event_id"], newest["event_id"]);
    assert_eq!(whole["after_state"]["history.order"].as_array().map(Vec::len), Some(18), "{whole}");
}

// covers: E-187, E-190, E-191, E-193, E-29
#[tokio::test]
async fn events_are_found_by_the_names_of_the_document() {
    let organization = fresh_organization().await;
    let role = organization.admin.post("/roles", &json!({ "name": "Desk", "grants": ["identity.user.list"] })).await.expect(201).id("id");
    organization.admin.post(&format!("/users/{}/roles", organization.member_id), &json!({ "role": role })).await.expect(200);
    organization.admin.get(&format!("/users/{}/sessions", organization.member_id)).await.expect(200);
    exported(&organization.officer, "/audit-logs/export", &[]).await;

    let changed = found(&organization, "audit_name=ROLE_CHANGED").await;
    let expected = BTreeSet::from(["identity.role_composed", "identity.role_assigned"]);
    assert!(types(&changed).is_superset(&expected), "{:?}", types(&changed));
    assert!(changed.iter().all(|entry| entry["audit_name"] == "ROLE_CHANGED"));
    let viewed = found(&organization, "audit_name=SESSION_VIEWED").await;
    assert_eq!(viewed.len(), 1, "{viewed:?}");
    assert_eq!((&viewed[0]["resource_type"], &viewed[0]["resource_id"]), (&json!("user"), &json!(organization.member_id)));
    assert_eq!(found(&organization, "audit_name=DATA_EXPORTED").await.len(), 1);
    organization.officer.get("/audit-logs?audit_name=NOTHING").await.refused(422, "VALIDATION_ERROR");
    organization.platform.post(&format!("/organizations/{}/suspend", organization.id), &json!({ "reason": "audit" })).await.expect(200);
    let trail = organization.platform.get_at("/audit-logs?audit_name=ORG_SUSPENDED", organization_head(&organization).await).await;
    assert_eq!(trail.expect(200).items().len(), 1);
}

/// Of an organization that is suspended only the platform may ask.
async fn organization_head(organization: &Organization) -> i64 {
    let listed = organization.platform.get("/projections").await.expect(200);
    listed.items().iter().filter_map(|row| Some(row["position"].as_i64()? + row["lag_positions"].as_i64()?)).max().unwrap_or_default()
}

// covers: E-195
#[tokio::test]
async fn a_permission_finds_those_below_it_and_no_others() {
    let organization = fresh_organization().await;
    organization.add_member("one").await;
    organization.program().await;
    let of = |filter: &'static str| found(&organization, filter);
    let users = of("action=identity.user&outcome=recorded").await;
    assert!(!users.is_empty() && users.iter().all(|entry| entry["action"].as_str().is_some_and(|one| one.starts_with("identity.user."))));
    assert_eq!(of("action=identity.user.create").await.len(), users.len(), "only users were created");
    let half = organization.officer.get("/audit-logs?action=identity.use").await.refused(422, "VALIDATION_ERROR");
    assert_eq!(half.body["errors"][0]["allowed"][0], "identity.user", "half a name is no permission: {}", half.body);
    assert!(types(&of("action=points").await).contains("points.program_defined"));
}

#[tokio::test]
async fn what_acts_by_itself_is_found_by_what_it_does_and_by_no_other_name() {
    let organization = fresh_organization().await;
    for name in ["system", "system.erase", "door", "door.sign_in"] {
        organization.officer.get(&format!("/audit-logs?action={name}")).await.expect(200);
    }
    for (name, like) in [("system.nonsense", None), ("door.nonsense", None), ("system.erace", Some("system.erase"))] {
        let refused = organization.officer.get(&format!("/audit-logs?action={name}")).await.refused(422, "VALIDATION_ERROR");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["reason"]), (&json!("action"), &json!("name_unknown")), "{name}");
        assert_eq!(error["allowed"][0].as_str(), like, "{name}");
    }
}

// covers: E-195, P-40
#[tokio::test]
async fn entries_are_found_by_where_they_came_from_and_by_their_words() {
    let organization = fresh_organization().await;
    let (all, here) =
        (found(&organization, "outcome=recorded").await.len(), found(&organization, "outcome=recorded&ip=127.0.0.1").await.len());
    assert!(all > 0 && here > 0, "{all} {here}");
    assert_eq!(
        found(&organization, "ip=::ffff:127.0.0.1&event_type=identity.user_created").await.len(),
        4,
        "the same address, written otherwise"
    );
    assert!(found(&organization, "ip=198.51.100.7").await.is_empty());
    organization.officer.get("/audit-logs?ip=nonsense").await.refused(422, "VALIDATION_ERROR");

    organization.admin.post("/roles", &json!({ "name": "Night Desk", "grants": ["identity.user.list"] })).await.expect(201);
    let named = found(&organization, "text=night%20desk").await;
    assert_eq!(types(&named), BTreeSet::from(["identity.role_composed"]), "{named:?}");
    assert_eq!(found(&organization, "text=NIGHT").await.len(), 1);
    assert!(found(&organization, "text=night%20shift").await.is_empty(), "every word has to be there");
    organization.member.get("/users").await.refused(403, "ACCESS_DENIED");
    let denied = found(&organization, "text=permission_missing&outcome=refused").await;
    assert!(denied.iter().any(|entry| entry["action"] == "identity.user.list"), "{denied:?}");
    assert!(found(&organization, "text=test-member").await.is_empty(), "a person's reference is in no text");
    for bad in ["text=%20", &format!("text={}", "x".repeat(201))] {
        organization.officer.get(&format!("/audit-logs?{bad}")).await.refused(422, "VALIDATION_ERROR");
    }
    let (own, other) = (found(&organization, "text=identity").await, fresh_organization().await);
    assert!(!own.is_empty() && found(&other, "text=night").await.is_empty(), "another organization's words are not one's own");
}

// covers: E-195, E-233
#[tokio::test]
async fn who_looks_at_the_audit_log_is_in_it() {
    let organization = fresh_organization().await;
    organization.officer.get("/audit-logs?limit=7").await.expect(200);
    let looked = found(&organization, "action=compliance.audit_log.read&event_type=compliance.sensitive_data_read").await;
    assert!(!looked.is_empty(), "the look that is searched for may be there too");
    assert!(looked.iter().all(|entry| entry["actor_role"] == json!(["compliance_officer"])));
}

// covers: E-195
#[tokio::test]
async fn pages_fit_together_while_the_log_grows() {
    let organization = fresh_organization().await;
    let whole = found(&organization, "outcome=recorded&to=2999-01-01T00:00:00Z").await;
    let first = organization.officer.get("/audit-logs?limit=3&event_type=identity.user_created").await.expect(200);
    organization.add_member("meanwhile").await;
    let cursor = first.id("next_cursor");
    let rest = organization.officer.get(&format!("/audit-logs?limit=3&event_type=identity.user_created&cursor={cursor}")).await.expect(200);
    let created: Vec<_> =
        whole.iter().filter(|entry| entry["event_type"] == "identity.user_created").map(|entry| &entry["event_id"]).collect();
    let paged: Vec<_> = first.items().iter().chain(rest.items()).map(|entry| &entry["event_id"]).collect();
    assert_eq!(paged, created);
}

// covers: E-234, E-190
#[tokio::test]
async fn an_export_is_made_once_under_one_key() {
    let organization = fresh_organization().await;
    organization.add_member("exported").await;
    let key = [("Idempotency-Key", "audit-of-today")];
    let path = "/audit-logs/export?event_type=identity.user_created";
    let (status, first) = exported(&organization.officer, path, &key).await;
    assert_eq!(status, 200, "{first}");
    let lines: Vec<Value> = first.lines().map(|line| serde_json::from_str(line).expect("a line is an entry")).collect();
    assert_eq!(lines.len(), 5, "{first}");
    assert!(lines.is_sorted_by(|one, next| one["position"].as_i64() < next["position"].as_i64()));
    organization.add_member("later").await;
    let (_, again) = exported(&organization.officer, path, &key).await;
    assert_eq!(again, first, "the same export, whatever was recorded since");
    assert_eq!(found(&organization, "audit_name=DATA_EXPORTED").await.len(), 1);
    let (status, _) = exported(&organization.officer, "/audit-logs/export?event_type=identity.user_suspended", &key).await;
    assert_eq!(status, 422, "another export under the same key");
    let (_, fresh) = exported(&organization.officer, path, &[]).await;
    assert_eq!(fresh.lines().count(), 6);
    assert_eq!(found(&organization, "audit_name=DATA_EXPORTED").await.len(), 2);

    let recorded = found(&organization, "audit_name=DATA_EXPORTED").await;
    assert_eq!(recorded[0]["payload"]["filters"], json!({ "event_type": "identity.user_created" }));
    exported(&organization.officer, "/audit-logs/export?ip=127.0.0.1&text=ann", &[]).await;
    let recorded = found(&organization, "audit_name=DATA_EXPORTED").await;
    assert_eq!(recorded[0]["payload"]["filters"], json!({}), "neither an address nor a name is kept of it");
}

// covers: E-234
#[tokio::test]
async fn an_export_is_a_table_for_who_asks_for_one() {
    let organization = fresh_organization().await;
    let (status, text) = exported(&organization.officer, "/audit-logs/export?audit_name=ROLE_CHANGED", &[("Accept", "text/csv")]).await;
    assert_eq!(status, 200, "{text}");
    let header = text.lines().next().expect("names");
    for field in ["event_id", "actor_id", "actor_role", "organization_id", "event_type", "resource_type", "resource_id", "timestamp"] {
        assert!(header.split(',').any(|name| name == field), "{header}");
    }
    for bad in ["ip=nonsense", "text=%20", "cursor=x", "shoe_size=43"] {
        let (status, body) = exported(&organization.officer, &format!("/audit-logs/export?{bad}"), &[("Accept", "text/csv")]).await;
        assert_eq!(status, 422, "{bad}: {body}");
    }
    let (status, _) = exported(&organization.analyst, "/audit-logs/export", &[]).await;
    assert_eq!(status, 403);
    let names = found(&organization, "audit_name=DATA_EXPORTED").await;
    assert_eq!(names.len(), 1, "what was refused took nothing out");
}

// covers: E-195
#[tokio::test]
async fn an_entry_is_explained_by_what_caused_it_and_what_came_of_it() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let body = json!({ "program_id": program, "user_id": organization.member_id, "amount": 10 });
    organization.admin.post_with("/points/credits", &body, &[("Prefer", "wait=30"), ("Idempotency-Key", "credit-1")]).await.expect(200);
    let credit = found(&organization, "event_type=points.credit_accepted").await.remove(0);
    let resolved =
        eventually("the credit is resolved", || async { found(&organization, "event_type=points.credit_resolved").await.first().cloned() })
            .await;
    let explain = async |entry: &Value| {
        let path = format!("/audit-logs/{}/explain", entry["event_id"].as_str().expect("an id"));
        organization.officer.get(&path).await.expect(200).body
    };
    let explained = explain(&resolved).await;
    let causes = explained["causes"].as_array().expect("causes");
    let types: Vec<_> = causes.iter().map(|step| step["entry"]["event_type"].as_str().unwrap_or_default()).collect();
    assert_eq!(types, ["points.credit_accepted", "points.credit_resolved"]);
    assert_eq!((&causes[0]["command"]["sent_by"], &causes[1]["command"]["sent_by"]), (&json!("caller"), &json!("reactor")));
    assert!(causes[0]["command"]["policies"][0].as_str().is_some_and(|policy| policy.starts_with("role.organization_admin@")));
    assert!(causes[0]["command"]["command_id"].is_string() && causes[1]["command"]["command_id"].is_string());
    assert_eq!(explained["effects"], json!([]));

    let explained = explain(&credit).await;
    let effects = explained["effects"].as_array().expect("effects");
    assert!(effects.iter().any(|step| step["entry"]["event_id"] == resolved["event_id"]), "{explained}");
    assert!(effects.iter().all(|step| step["command"]["sent_by"] == "reactor"));
    assert_eq!((&explained["truncated"], explained["causes"].as_array().map(Vec::len)), (&json!(false), Some(1)));
    let other = fresh_organization().await;
    let path = format!("/audit-logs/{}/explain", credit["event_id"].as_str().expect("an id"));
    other.officer.get(&path).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.analyst.get(&path).await.refused(403, "ACCESS_DENIED");
}

// covers: E-188, E-195
#[tokio::test]
async fn a_sign_in_that_failed_and_what_was_done_in_a_session_are_found() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await;
    door("/auth/signin", &person.body("quartz pebble orbit lantern")).await.refused(401, "AUTHENTICATION_FAILED");
    let failed =
        eventually("the failure is in the log", || async { found(&organization, "audit_name=LOGIN_FAILED").await.first().cloned() });
    let failed = failed.await;
    assert_eq!((&failed["actor_id"], &failed["outcome"]), (&json!(person.user), &json!("refused")));
    assert_eq!(failed["ip_address"], "127.0.0.1");

    // Nobody is called so: that is kept too, in one name for all of them, and nothing of what was typed.
    let typed = format!("{}@example.test", uuid::Uuid::now_v7().simple());
    for _ in 0..2 {
        let body = json!({ "organization": organization.slug, "email": typed, "password": "quartz pebble orbit lantern" });
        door("/auth/signin", &body).await.refused(401, "AUTHENTICATION_FAILED");
    }
    let strangers = eventually("the strangers are in the log", || async {
        let failed = found(&organization, "audit_name=LOGIN_FAILED").await;
        let others: Vec<_> = failed.into_iter().filter(|entry| entry["actor_id"] != person.user.as_str()).collect();
        Some(others).filter(|others| others.len() == 2)
    });
    let strangers = strangers.await;
    assert_eq!(strangers[0]["actor_id"], strangers[1]["actor_id"]);
    assert_eq!((&strangers[0]["outcome"], &strangers[0]["ip_address"]), (&json!("refused"), &json!("127.0.0.1")));
    assert!(!strangers.iter().any(|entry| entry.to_string().contains(&typed)), "{strangers:?}");
    assert!(strangers[0]["policies"].as_array().is_some_and(|of| of.contains(&json!("sign_in.unknown_address"))), "{}", strangers[0]);

    let person = person.with_own_password().await;
    let signed_in = door("/auth/login?$jwt=true", &person.body(OWN)).await.expect(200);
    let client = organization.member.with_token(&signed_in.id("access_token"));
    client.get("/users").await.refused(403, "ACCESS_DENIED");
    let session = signed_in.id("session_id");
    let done = eventually("the refusal is in the log", || async {
        Some(found(&organization, &format!("session_id={session}&outcome=refused")).await).filter(|entries| !entries.is_empty())
    });
    let done = done.await;
    assert!(done.iter().all(|entry| entry["session_id"] == session.as_str() && entry["action"] == "identity.user.list"), "{done:?}");
}
