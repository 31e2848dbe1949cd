//! An organization's provisioning, while its key store is away and its server is killed.

use super::{
    load::read_until,
    world::{Caller, Victim, World},
};
use crate::support::running::eventually;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::fs;

/// The key store is away when an organization is created, comes back while nobody looks, and the server is
/// killed before it tries again: the new one goes on with what was recorded.
// covers: H-97, E-126
#[test]
fn a_provisioning_that_failed_goes_on_after_a_restart() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(mut world: World) {
    let platform = Caller::new(&world.base_url, &world.descriptor().tokens.platform_admin);
    let create = async |slug: &str, setup: bool| {
        let body = json!({ "name": "Late", "slug": slug, "setup": setup });
        let created = platform.request(Method::POST, "/organizations").json(&body).send().await.expect("the server answers");
        let status = created.status();
        let created: Value = created.json().await.expect("JSON");
        assert_eq!(status, 201, "{created}");
        created["id"].as_str().expect("an id").to_owned()
    };
    // From here on the server knows what it needs of the platform's own keys.
    create("before-it", false).await;

    let (keys, away) = (world.data_dir.join("keys/epochs"), world.data_dir.join("keys/away"));
    fs::rename(&keys, &away).expect("the key store is taken away");
    fs::write(&keys, "no folder").expect("something else stands in its place");
    let id = create("while-away", true).await;
    let path = format!("/organizations/{id}/provisioning");
    // A look over HTTP is recorded, with where it comes from, under keys that are not there: it is refused and
    // says why, so the database is asked.
    let refused = platform.request(Method::GET, &path).send().await.expect("the server answers");
    let status = refused.status();
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!((status.as_u16(), &refused["reason"]), (503, &json!("gate.access_not_recorded")), "{refused}");
    let url = world.descriptor().database_url;
    let organization: uuid::Uuid = id.parse().expect("an id");
    eventually("the failure is recorded, and the next attempt has its time", async || {
        let mut database = PgConnection::connect(&url).await.expect("the database");
        sqlx::query("SET ROLE palmares_projector").execute(&mut database).await.expect("the role");
        let scheduled = "SELECT id FROM timers WHERE organization_id = $1 AND kind = 'organizations.provisioning_retry'";
        sqlx::query(scheduled).bind(organization).fetch_optional(&mut database).await.expect("the timers")
    })
    .await;

    fs::remove_file(&keys).expect("it makes way");
    fs::rename(&away, &keys).expect("the key store is back");
    world.kill(Victim::Server);
    let done = read_until(&platform, &path, |seen| seen["status"] == "COMPLETE").await;
    assert_eq!(done["steps"][0]["last_error"], "key_store", "what went wrong stays to be seen");
    assert!(done["steps"][0]["attempts"].as_u64().expect("a number") >= 2, "{done}");
    for step in 0..3 {
        assert_eq!(done["steps"][step]["state"], "DONE", "{done}");
    }
    assert_eq!(done["steps"][2]["attempts"], 1, "{done}");
}
