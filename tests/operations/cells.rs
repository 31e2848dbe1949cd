//! Where tenants live: in one database together, or in a cell of their own from the same binary.

use crate::{
    faults::world::{Caller, World},
    support::running::{fresh_organization, running},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

const DECISION: &str = include_str!("../../docs/adr/0016-where-tenants-live.md");
const INDEX: &str = include_str!("../../docs/adr/README.md");

// covers: E-78
#[test]
fn the_three_ways_to_keep_tenants_apart_are_documented_and_decided() {
    assert!(INDEX.contains("(0016-where-tenants-live.md)"), "the decision is not among the others");
    let (context, decision) = DECISION.split_once("## Decision").expect("a decision");
    for (way, meaning, decided) in [
        ("**A**", "one schema that all share", "**A is the default.**"),
        ("**B**", "a schema for each", "**B is not offered.**"),
        ("**C**", "a database for each", "**C is a cell.**"),
    ] {
        assert!(context.contains(&format!("{way} {meaning}")), "{way} is not explained");
        assert!(decision.contains(decided), "nothing is decided about {way}");
    }
}

/// Which organizations a database has streams of, out of these.
async fn streams_of(database_url: &str, organizations: &[Uuid]) -> Vec<Uuid> {
    let mut database = PgConnection::connect(database_url).await.expect("the database");
    sqlx::query("SET ROLE palmares_committer").execute(&mut database).await.expect("the role");
    let known = "SELECT DISTINCT organization_id FROM streams WHERE organization_id = ANY($1) ORDER BY organization_id";
    sqlx::query_scalar(known).bind(organizations).fetch_all(&mut database).await.expect("the streams")
}

// covers: E-79
#[test]
fn tenants_share_a_database_and_one_that_has_to_be_alone_has_a_cell_of_the_same_binary() {
    let cell = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(shared_and_alone(&cell));
}

async fn shared_and_alone(cell: &World) {
    let (acme, globex) = (fresh_organization().await, fresh_organization().await);
    // What was agreed is recorded where the tenant is; the program does not read it.
    let settings = format!("/organizations/{}/settings", acme.id);
    acme.platform.send("PATCH", &settings, &json!({ "isolation_mode": "dedicated" })).await.expect(200);

    let there = cell.descriptor();
    let platform = Caller::new(&cell.base_url, &there.tokens.platform_admin);
    let ask = async |caller: &Caller, method: Method, path: &str, body: Option<Value>| {
        let mut request = caller.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the cell answers");
        let status = answer.status();
        (status, answer.json::<Value>().await.expect("JSON"))
    };
    // The cell knows nothing of the others: a name that is taken there is free here.
    let create = json!({ "name": "Acme", "slug": acme.slug });
    let (status, created) = ask(&platform, Method::POST, "/organizations", Some(create)).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let alone: Uuid = created["id"].as_str().expect("an id").parse().expect("an id");

    let here = &running().descriptor;
    assert_ne!((&here.database_url, &here.nats_url), (&there.database_url, &there.nats_url));
    let mut shared = vec![acme.id.0, globex.id.0];
    shared.sort_unstable();
    let all = [shared.clone(), vec![alone]].concat();
    assert_eq!(streams_of(&here.database_url, &all).await, shared, "tenants share a database");
    assert_eq!(streams_of(&there.database_url, &all).await, [alone], "the tenant of a cell has one of its own");

    // Nobody comes in with what another cell gave them.
    let stranger = Caller::new(&cell.base_url, acme.platform.token());
    assert_eq!(ask(&stranger, Method::GET, "/me", None).await.0, StatusCode::UNAUTHORIZED);
    acme.platform.with_token(&there.tokens.platform_admin).get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(ask(&platform, Method::GET, "/me", None).await.0, StatusCode::OK);
}
