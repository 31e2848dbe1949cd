//! The audit log is taken out by a schedule: days pass on the clock of a server that is killed in between.

use super::{
    erasure::token_keys,
    load::read_until,
    world::{Caller, World, YEARS},
};
use age::x25519::Identity;
use palmares::reactors::exports::audit::{PURPOSE, SignedExport, Statement};
use palmares_commands::digests::digest_of;
use palmares_domain::{identity::Role, kernel::UserId};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const GIVEN: &str = "lantern orbit pebble quartz";
const OWN: &str = "meadow tractor violin glacier";
const EMAIL: &str = "auditor@example.test";
const RAN: &str = "compliance.audit_schedule_ran";
const PAUSED: &str = "compliance.audit_schedule_paused";

// covers: E-276
#[test]
fn a_schedule_takes_out_what_came_since_and_stops_when_its_owner_may_not() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(mut world: World) {
    let descriptor = world.descriptor();
    let caller = |token: &str| Caller::new(&world.base_url, token);
    let (admin, officer) = (caller(&descriptor.tokens.organization_admin), caller(&descriptor.tokens.compliance_officer));
    let platform = caller(&descriptor.tokens.platform_admin).in_organization(descriptor.organization_id);
    let user = json!({ "external_ref": "auditor", "role": "compliance_officer", "email": EMAIL });
    let auditor = id(&admin.post("/users", user).await, "id");
    platform.post(&format!("/users/{auditor}/temporary-password"), json!({ "password": GIVEN })).await;
    let door = caller("nobody");
    let challenge = id(&door.enter("/auth/signin", credentials(GIVEN)).await, "challenge");
    door.enter("/auth/password", json!({ "challenge": challenge, "password": OWN })).await;
    let own = as_auditor(&world, &auditor);
    let daily =
        json!({ "every": "day", "hour": 3, "time_zone": "UTC", "format": "json", "filters": { "event_type": "identity.user_created" } });
    let opened = own.post("/audit-logs/schedules", daily).await;
    let (schedule, key) = (id(&opened, "id"), id(&opened, "identity").parse::<Identity>().expect("a key"));
    let joins = async |name: &str| id(&admin.post("/users", json!({ "external_ref": name, "role": "member" })).await, "id");
    let early = joins("early").await;

    // Four days without a server are one export.
    world.ahead(4);
    let first = happened(&officer, RAN, 1).await;
    let ready = export(&as_auditor(&world, &auditor), &first[0]).await;
    let statement = opens(&world, &ready, &key, &[&early]).await;
    assert_eq!((statement.schedule_id.to_string(), statement.entries), (schedule.clone(), 1));
    told(&world).await;

    // The next one begins where it ended: what came before is not in it again, and nothing is left out.
    let late = joins("late").await;
    world.ahead(5);
    let both = happened(&officer, RAN, 2).await;
    let next = of(&both, &first[0]["payload"]["until_position"]);
    let ready = export(&as_auditor(&world, &auditor), next).await;
    let following = opens(&world, &ready, &key, &[&late]).await;
    assert_eq!((following.after_position, following.entries), (statement.until_position, 1));

    // Whoever may not export the audit log any more has no schedule that does.
    admin.post(&format!("/users/{auditor}/roles"), json!({ "role": "member" })).await;
    admin.post(&format!("/users/{auditor}/roles/compliance_officer/unassign"), json!({})).await;
    world.ahead(8);
    let stopped = happened(&officer, PAUSED, 1).await;
    assert_eq!(stopped[0]["payload"]["cause"], "right_lost");
    assert_eq!(happened(&officer, RAN, 2).await.len(), 2);
}

fn credentials(password: &str) -> Value {
    json!({ "organization": "acme", "email": EMAIL, "password": password })
}

/// The auditor, by a token that the operator signed: no session that needs a second factor.
fn as_auditor(world: &World, auditor: &str) -> Caller {
    let (user, organization) = (UserId(auditor.parse().expect("an id")), world.descriptor().organization_id);
    let token = token_keys(world).mint(user, organization, [Role::ComplianceOfficer], YEARS);
    Caller::new(&world.base_url, &token.expect("a token"))
}

fn id(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}")).to_owned()
}

/// The events of a type, once they are so many.
async fn happened(officer: &Caller, event_type: &str, times: usize) -> Vec<Value> {
    let items = |seen: &Value| seen["items"].as_array().cloned().unwrap_or_default();
    items(&read_until(officer, &format!("/events?type={event_type}"), |seen| items(seen).len() == times).await)
}

/// The run that begins behind a position.
fn of<'a>(runs: &'a [Value], after: &Value) -> &'a Value {
    runs.iter().find(|run| run["payload"]["after_position"] == *after).unwrap_or_else(|| panic!("none after {after} of {runs:?}"))
}

/// The sealed file of a run, fetched by whose schedule it is.
async fn export(own: &Caller, run: &Value) -> Vec<u8> {
    let export = run["payload"]["export_id"].as_str().expect("an export").to_owned();
    let is_ready = |seen: &Value| {
        let items = seen["items"].as_array();
        items.is_some_and(|items| items.iter().any(|item| item["id"] == export.as_str() && item["status"] == "READY"))
    };
    read_until(own, "/me/exports", is_ready).await;
    let path = format!("/me/exports/{export}/download");
    assert_ne!(own.status(Method::GET, &path, &Value::Null).await, 200, "it takes a proof");
    let proof = id(&own.post("/me/step-up", json!({ "password": OWN })).await, "proof");
    let response = own.request(Method::GET, &path).header("Palmares-Proof", proof).send().await.expect("the server answers");
    assert_eq!(response.status(), 200);
    response.bytes().await.expect("the whole file").to_vec()
}

/// Opens an export, verifies what is signed of it, and looks whose joining it has.
async fn opens(world: &World, sealed: &[u8], key: &Identity, joined: &[&str]) -> Statement {
    let clear = age::decrypt(key, sealed).expect("the key fits");
    let file: SignedExport = serde_json::from_slice(&clear).expect("a signed export");
    let statement: Statement = token_keys(world).unseal(PURPOSE, &file.statement).expect("it verifies");
    assert_eq!(statement.digest, digest_of(file.content.as_bytes()));
    let entries: Vec<Value> = file.content.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect();
    let of: Vec<_> = entries.iter().map(|entry| entry["resource_id"].as_str().unwrap_or_default()).collect();
    assert_eq!(of, joined);
    assert!(entries.iter().all(|entry| entry["event_type"] == "identity.user_created"));
    statement
}

/// Waits for the letter that tells of it. A server that was started again has another mailbox, and says where
/// once it is up.
async fn told(world: &World) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let messages = format!("{}/messages", world.descriptor().mailbox_url);
        let got: Vec<Value> = match http.get(messages).query(&[("to", EMAIL)]).send().await {
            Ok(got) => got.json().await.expect("mails"),
            Err(error) => vec![error.to_string().into()],
        };
        if got.iter().any(|mail| mail["subject"].as_str().is_some_and(|subject| subject.starts_with("The audit log of"))) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "nobody told {EMAIL}: {got:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
