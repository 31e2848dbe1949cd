//! A superuser of the database alters what stands sealed of one person: that is told, and everything else is shown.

use super::{
    load::read_until,
    remains::superuser_url,
    world::{Caller, World, YEARS},
};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::fs;
use uuid::Uuid;

const NAME: &str = "Ada Lovelace";
const EMAIL: &str = "ada@example.test";

// covers: E-184
#[test]
fn one_altered_value_is_told_and_takes_nothing_else_down() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(world: World) {
    let descriptor = world.descriptor();
    let caller = |token: &str| Caller::new(&world.base_url, token);
    let (admin, officer) = (caller(&descriptor.tokens.organization_admin), caller(&descriptor.tokens.compliance_officer));
    let ada = json!({ "external_ref": "ada", "role": "member", "display_name": NAME, "email": EMAIL });
    let ada = admin.post("/users", ada).await["id"].as_str().expect("an id").to_owned();
    let own = caller(&minted(&world, &ada, descriptor.organization_id));
    own.post("/me/exports", json!({ "format": "json" })).await;
    read_until(&own, "/me/exports", |listed| listed["items"][0]["status"] == "READY").await;
    let by_ada = format!("/audit-logs?actor_id={ada}");
    read_until(&officer, &by_ada, |listed| listed["items"][0]["ip_address"].is_string()).await;
    assert_eq!(unreadable_values(&world).await, 0.0);

    let mut superuser = PgConnection::connect(&superuser_url(&world)).await.expect("the superuser");
    let altered = alter(&mut superuser, &ada, "client_contexts SET ciphertext = '\\x00' WHERE subject_id = $1").await;
    assert_eq!(altered, 1);
    assert_eq!(alter_field(&mut superuser, &ada, "display_name").await, 1);

    // What they did is told, and that it cannot be said from where; of everybody else it is.
    let (listed, marked) = shown(&officer, &by_ada).await;
    let entry = &listed["items"][0];
    assert!(entry["ip_address"].is_null() && entry["device_metadata"].is_null(), "{entry}");
    assert_eq!((&entry["unreadable"], marked), (&json!(["ip_address", "device_metadata"]), 1));
    let (listed, _) = shown(&officer, &format!("/audit-logs?target_id={ada}&limit=100")).await;
    let others: Vec<_> = listed["items"].as_array().expect("entries").iter().filter(|entry| entry["ip_address"].is_string()).collect();
    assert!(!others.is_empty() && others.iter().all(|entry| entry["unreadable"].is_null()), "{others:?}");
    let exported = officer.request(Method::GET, "/audit-logs/export").send().await.expect("the server answers");
    let exported = exported.text().await.expect("it does not end in the middle");
    let of_ada: Vec<&str> = exported.lines().filter(|line| line.contains("\"unreadable\":[\"ip_address\",\"device_metadata\"]")).collect();
    assert!(!of_ada.is_empty() && of_ada.iter().all(|line| line.contains(&ada)) && exported.lines().count() > of_ada.len());

    let path = format!("/users/{ada}");
    let (user, marked) = shown(&admin, &path).await;
    assert_eq!((&user["display_name"], &user["unreadable"], marked), (&Value::Null, &json!(["display_name"]), 1));
    assert_eq!((&user["external_ref"], &user["email"]), (&json!("ada"), &json!(EMAIL)), "what can be read is shown");
    let (listed, marked) = shown(&admin, "/users?limit=100").await;
    let others: Vec<_> = listed["items"].as_array().expect("users").iter().filter(|user| user["id"] != json!(ada)).collect();
    assert!(marked == 1 && others.len() > 1 && others.iter().all(|user| user["external_ref"].is_string() && user["unreadable"].is_null()));
    shown(&own, "/me/privacy").await;
    own.post("/me/exports", json!({ "format": "json" })).await;
    let both =
        |listed: &Value| listed["items"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["status"] == "READY"));
    read_until(&own, "/me/exports", both).await;

    assert_told(&world, &mut superuser, &ada).await;
    assert_not_decided_on(&mut superuser, &admin, &ada).await;
}

/// Without the address that somebody has another one is not set: the one before would stay claimed.
async fn assert_not_decided_on(superuser: &mut PgConnection, admin: &Caller, user: &str) {
    let email = |text: &str| json!({ "email": text });
    admin.post(&format!("/users/{user}/email"), email("lovelace@example.test")).await;
    assert_eq!(alter_field(superuser, user, "email").await, 2, "both addresses");
    let set = admin.request(Method::POST, &format!("/users/{user}/email")).json(&email("byron@example.test"));
    let refused = set.send().await.expect("the server answers");
    assert_eq!(refused.status(), 409);
    let refused: Value = refused.json().await.expect("a problem");
    assert_eq!(refused["reason"], "identity.email_not_known");
    let events =
        "SELECT count(*) FROM events e JOIN streams s ON s.key = e.stream_key WHERE s.id = $1 AND e.event_type = 'identity.email_set'";
    let id: Uuid = user.parse().expect("an id");
    let set: i64 = sqlx::query_scalar(events).bind(id).fetch_one(superuser).await.expect("the log");
    assert_eq!(set, 2, "nothing is recorded");
}

/// In the log of the server without what it was, in a figure, and by whoever reads the whole log.
async fn assert_told(world: &World, superuser: &mut PgConnection, user: &str) {
    assert!(unreadable_values(world).await > 3.0);
    let log = fs::read_to_string(world.log_path()).expect("the server's log");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("a sealed value is not what was sealed there")).collect();
    for field in ["display_name", "client_context"] {
        assert!(lines.iter().any(|line| line.contains(field)), "{field} in {lines:?}");
    }
    assert!(!log.contains(NAME));
    let user: Uuid = user.parse().expect("an id");
    let at = "SELECT position FROM event_sealed WHERE subject_id = $1 AND field = 'display_name'";
    let at: i64 = sqlx::query_scalar(at).bind(user).fetch_one(&mut *superuser).await.expect("a ciphertext");
    let (is_whole, found) = world.verify_log();
    assert!(!is_whole);
    let beside: Vec<_> = found.iter().filter(|line| line["event"] == "beside").map(|line| &line["beside"]).collect();
    assert!(matches!(beside.as_slice(), [one] if one["unfit"] == "sealed_altered" && one["at"] == at), "{found:?}");
    assert_altered_key_is_told(world, superuser, user).await;
}

/// Whoever changes a wrapped key has erased somebody, and nobody would know before they are asked for.
async fn assert_altered_key_is_told(world: &World, superuser: &mut PgConnection, user: Uuid) {
    let flip =
        "UPDATE data_keys SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) WHERE subject_id = $1 AND purpose = 'profile'";
    let altered = sqlx::query(flip).bind(user).execute(&mut *superuser).await.expect("a key");
    assert_eq!(altered.rows_affected(), 1);
    let (_, found) = world.verify_log();
    let told = found.iter().any(|line| line["beside"]["unfit"] == "key_altered" && line["beside"]["subject_id"] == json!(user));
    assert!(told, "{found:?}");
    sqlx::query(flip).bind(user).execute(superuser).await.expect("as it was");
}

fn minted(world: &World, user: &str, organization: OrganizationId) -> String {
    world.token_keys().mint(UserId(user.parse().expect("an id")), organization, [Role::Member], YEARS).expect("a token")
}

/// What is answered, and how many values it says to lack.
async fn shown(caller: &Caller, path: &str) -> (Value, usize) {
    let answered = caller.request(Method::GET, path).send().await.expect("the server answers");
    let marked =
        answered.headers().get("palmares-unreadable").map_or(0, |count| count.to_str().expect("a text").parse().expect("a number"));
    let status = answered.status();
    let body: Value = answered.json().await.expect("JSON");
    assert_eq!(status, 200, "{path}: {body}");
    (body, marked)
}

async fn alter(superuser: &mut PgConnection, user: &str, what: &str) -> u64 {
    let user: Uuid = user.parse().expect("an id");
    sqlx::query(&format!("UPDATE {what}")).bind(user).execute(superuser).await.expect("a superuser may").rows_affected()
}

/// Alters one byte of what is encrypted.
async fn alter_field(superuser: &mut PgConnection, user: &str, field: &str) -> u64 {
    let byte = "ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)";
    alter(superuser, user, &format!("event_sealed SET {byte} WHERE subject_id = $1 AND field = '{field}'")).await
}

async fn unreadable_values(world: &World) -> f64 {
    let metrics = reqwest::get(format!("{}/metrics", world.base_url)).await.expect("the server answers").text().await.expect("figures");
    let value = metrics.lines().find_map(|line| line.strip_prefix("palmares_unreadable_values_total"));
    value.map_or(0.0, |value| value.trim().parse().expect("a number"))
}
