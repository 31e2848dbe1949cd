//! Many people are erased while the server is killed, and nothing of them is found anywhere afterwards.

use super::{
    load::read_until,
    seeded,
    world::{Caller, Victim, World},
};
use crate::{
    contexts::code,
    support::running::{AUDIENCE, ISSUER},
};
use palmares::{
    pipeline::{Environment, TokenKeys},
    reactors::erasure::{Certificate, PURPOSE},
};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use palmares_projections::{challenges, compliance, engine::Projector, experts, identity, organizations, points};
use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Arc, time::Duration};

/// So many people are erased; `make faults` takes 200.
fn subjects() -> usize {
    std::env::var("FAULT_SUBJECTS").ok().map_or(20, |subjects| subjects.parse().expect("FAULT_SUBJECTS is a number"))
}

// covers: E-163, E-292
#[test]
fn nothing_of_whom_was_erased_is_found_anywhere_and_a_rebuild_is_what_was_purged() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

/// Somebody who will be erased.
struct Subject {
    id: String,
    request: String,
}

async fn run(mut world: World) {
    let mark = format!("canary{:016x}", seeded("erasure").random::<u64>());
    let descriptor = world.descriptor();
    let (admin, officer) = (
        Caller::new(&world.base_url, &descriptor.tokens.organization_admin),
        Caller::new(&world.base_url, &descriptor.tokens.compliance_officer),
    );
    let keys = token_keys(&world);
    let mint = |user: &str| {
        let user = UserId(user.parse().expect("an id"));
        keys.mint(user, descriptor.organization_id, [Role::Member], Duration::from_secs(3600)).expect("a token")
    };
    // What is not personal is found by the same search: the search can fail.
    let control = format!("control-of-{mark}").replace("canary", "c");
    let program = post(&admin, "/points/programs", json!({ "name": control })).await["id"].as_str().expect("an id").to_owned();
    let mut people = Vec::new();
    for n in 0..subjects() {
        people.push(subject(&admin, &officer, &format!("{mark}{n}"), &program, |user| Caller::new(&world.base_url, &mint(user))).await);
    }

    // A month later they are hidden, another month later erased, with a kill on the way.
    world.ahead(31);
    all_become(&officer, &people, "SOFT_DELETED").await;
    let hidden = |user: &Value| user["status"] == "SOFT_DELETED" && user["external_ref"].is_null() && user["email"].is_null();
    read_until(&admin, &format!("/users/{}", people[0].id), hidden).await;
    world.ahead(62);
    world.kill(Victim::Server);
    all_become(&officer, &people, "RETENTION_COUNTDOWN").await;

    let mut database = as_projector(&descriptor.database_url).await;
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;
    let purged = read_models(&mut database, until).await;
    assert_nothing_is_found(&world, &mark, &control).await;
    assert_certified(&officer, &keys, &people, descriptor.organization_id).await;
    rebuild_all(&Caller::new(&world.base_url, &descriptor.tokens.platform_admin), &mut database).await;
    let rebuilt = read_models(&mut database, until).await;
    for (name, rows) in &purged {
        assert_eq!(Some(rows), rebuilt.get(name), "{name} after a rebuild");
    }

    // When the last retention is over the subjects are purged.
    world.ahead(62 + 3700);
    all_become(&officer, &people, "PURGED").await;
    assert_eq!(get(&admin, &format!("/users/{}", people[0].id)).await["status"], "PURGED");
}

async fn post(caller: &Caller, path: &str, body: Value) -> Value {
    let response = caller.request(Method::POST, path).json(&body).send().await.expect("the server answers");
    let status = response.status();
    let body: Value = response.json().await.expect("JSON");
    assert!(status.is_success(), "{path}: {body}");
    body
}

async fn get(caller: &Caller, path: &str) -> Value {
    read_until(caller, path, Value::is_object).await
}

/// Makes somebody who leaves traces of every purpose, asks to be deleted, and is approved.
async fn subject(admin: &Caller, officer: &Caller, canary: &str, program: &str, caller: impl Fn(&str) -> Caller) -> Subject {
    let user = json!({
        "external_ref": canary, "role": "member", "display_name": format!("name {canary}"), "email": format!("{canary}@example.test"),
    });
    let id = post(admin, "/users", user).await["id"].as_str().expect("an id").to_owned();
    let own = caller(&id);
    let credit = json!({ "program_id": program, "user_id": id, "amount": 10, "reason": format!("for {canary}") });
    post(admin, "/points/credits", credit).await;
    let record = json!({
        "user_id": id, "source": "test", "source_record_id": canary, "metric": "steps", "value": 1234, "local_day": "2026-01-05", "time_zone": "Europe/Paris",
    });
    post(&own, "/activities", json!({ "items": [record] })).await;
    let secret = post(&own, "/me/mfa/totp", json!({})).await["secret"].as_str().expect("a secret").to_owned();
    post(&own, "/me/mfa/totp/confirm", json!({ "code": code(&secret, -1) })).await;
    let request = post(&own, "/deletion-requests", json!({ "user_id": id, "reason": format!("why {canary}") })).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    post(&own, &format!("/deletion-requests/{request}/verify"), json!({ "code": code(&secret, 0) })).await;
    post(officer, &format!("/deletion-requests/{request}/approve"), json!({})).await;
    Subject { id, request }
}

async fn all_become(officer: &Caller, people: &[Subject], status: &str) {
    for subject in people {
        read_until(officer, &format!("/deletion-requests/{}", subject.request), |request| request["status"] == status).await;
    }
}

fn token_keys(world: &World) -> Arc<TokenKeys> {
    let pem = fs::read_to_string(world.data_dir.join("keys/jwt.pem")).expect("the key that signs tokens");
    let keys = TokenKeys::from_pems(ISSUER, AUDIENCE, [pem.as_str()]).expect("a key");
    Arc::new(keys.in_environment(Environment::development()))
}

async fn assert_certified(officer: &Caller, keys: &TokenKeys, people: &[Subject], organization: OrganizationId) {
    for subject in people {
        let certificate = get(officer, &format!("/deletion-requests/{}/certificate", subject.request)).await;
        let text = certificate["certificate"].as_str().expect("a certificate");
        let said: Certificate = keys.unseal(PURPOSE, text).expect("it verifies");
        assert_eq!((said.organization_id, said.round, said.steps.len()), (organization, 1, 5));
        assert!(said.destroyed.len() == 3 && said.retained.len() == 2, "{said:?}");
    }
}

