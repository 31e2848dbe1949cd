//! Somebody gets the address of a person who was erased: whatever can be computed of it leads to them alone.

use super::{
    remains::{all_reach, as_projector, dump, files_of, head, holds, superuser_url},
    world::{Caller, World},
};
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeSet, fs};
use uuid::Uuid;

/// Where the hashes of somebody's address and reference stand while they are there.
const HASHED: [&str; 2] = ["claims", "identity_users"];

/// Gives the address and the reference of somebody who was erased to somebody else, and looks for the keyed hashes
/// of both everywhere: they have to be found with whoever has them now, and nowhere else.
pub async fn assert_hashes_lead_to_nobody_else(world: &World, (admin, officer): (&Caller, &Caller), erased: &str, canary: &str) {
    let mut superuser = PgConnection::connect(&superuser_url(world)).await.expect("the superuser");
    let mut claimed = async |owner: &str| -> Vec<Uuid> {
        let owner: Uuid = owner.parse().expect("an id");
        sqlx::query_scalar("SELECT key FROM claims WHERE owner = $1").bind(owner).fetch_all(&mut superuser).await.expect("claims")
    };
    assert!(claimed(erased).await.is_empty(), "whoever was erased claims nothing");
    let body = json!({ "external_ref": canary, "role": "member", "email": format!("{canary}@example.test") });
    let user = admin.post("/users", body).await["id"].as_str().expect("the address is free").to_owned();
    let hashes = claimed(&user).await;
    assert_eq!(hashes.len(), 2, "the address and the reference");
    let mut database = as_projector(&world.descriptor().database_url).await;
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;

    assert_in_tables_only_of(&dump(&superuser_url(world)), &hashes, &user);
    // Events and what is made of them hold ids as texts, whatever file they are in.
    let texts: Vec<String> = hashes.iter().flat_map(|hash| [hash.to_string(), hash.simple().to_string()]).collect();
    for path in files_of(&world.data_dir).into_iter().chain([world.log_path()]) {
        let Ok(bytes) = fs::read(&path) else { continue };
        assert!(!texts.iter().any(|text| holds(&bytes, text)), "{} has the hash of an address", path.display());
    }
    let told = ["/events", "/audit-logs/export", "/audit-logs/evidence"];
    for path in told {
        let accept = if path == "/events" { "application/x-ndjson" } else { "*/*" };
        let answered = officer.request(Method::GET, path).header("Accept", accept).send().await.expect("the server answers");
        assert_eq!(answered.status(), 200, "{path}");
        let body = answered.bytes().await.expect("a body");
        assert!(holds(&body, erased) && holds(&body, "identity.email_set"), "{path} is looked through for what is in it");
        assert!(!texts.iter().any(|text| holds(&body, text)), "{path} has the hash of an address");
    }
}

/// Looks through a dump for hashes, in every form that a column may have: each is found in the rows of one user alone.
fn assert_in_tables_only_of(dump: &[u8], hashes: &[Uuid], user: &str) {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let dump = String::from_utf8_lossy(dump);
    let (mut table, mut found) = ("", BTreeSet::new());
    for line in dump.lines() {
        if let Some(named) = line.strip_prefix("COPY public.") {
            table = named.split(' ').next().unwrap_or_default();
        }
        for hash in hashes {
            let (text, simple) = (hash.to_string(), hash.simple().to_string());
            if [text.clone(), hex(&text), hex(&simple), simple].iter().any(|form| line.contains(form.as_str())) {
                assert!(line.contains(user), "the hash of an address is in a row of {table} that is not its owner's");
                found.insert((table.trim_end_matches("_a").trim_end_matches("_b"), *hash));
            }
        }
    }
    let everywhere = HASHED.into_iter().flat_map(|table| hashes.iter().map(move |hash| (table, *hash))).collect();
    assert_eq!(found, everywhere, "the dump is searched for what is in it");
}
