//! Exports: what is recorded of somebody is built, sealed to a key that they alone have, and downloaded
//! after they showed once more who they are.

use super::sign_in::{OWN, Person, code, door};
use crate::support::running::{Client, Organization, Reply, eventually, fresh_organization, mint, running};
use age::x25519::Identity;
use palmares_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;
use uuid::Uuid;

impl Person {
    pub(super) async fn signed_in(&self, organization: &Organization) -> Client {
        let signed_in = door("/auth/signin?$jwt=true", &self.body(OWN)).await.expect(200);
        organization.member.with_token(&signed_in.id("access_token"))
    }
}

/// Asks for an export, and waits until it is built; its id and the key that opens it.
pub(super) async fn built(client: &Client, format: &str) -> (String, Identity) {
    let asked = client.post("/me/exports", &json!({ "format": format })).await.expect(202);
    let identity: Identity = asked.id("identity").parse().expect("a key");
    let export = asked.id("id");
    eventually("the export is built", || async {
        let listed = client.get("/me/exports").await.expect(200);
        let found = listed.items().iter().find(|item| item["id"] == export.as_str())?.clone();
        assert_ne!(found["status"], "FAILED", "{found}");
        (found["status"] == "READY").then_some(())
    })
    .await;
    (export, identity)
}

pub(super) async fn proof(client: &Client) -> String {
    client.post("/me/step-up", &json!({ "password": OWN })).await.expect(200).id("proof")
}

pub(super) async fn download(client: &Client, export: &str, proof: &str) -> reqwest::Response {
    let request = client.request(Method::GET, &format!("/me/exports/{export}/download")).header("Palmares-Proof", proof);
    request.send().await.expect("the server answers")
}

/// What an export holds, opened.
pub(super) async fn opened(client: &Client, export: &str, identity: &Identity) -> Vec<u8> {
    let response = download(client, export, &proof(client).await).await;
    assert_eq!(response.status().as_u16(), 200);
    let sealed = response.bytes().await.expect("the whole file");
    assert!(sealed.starts_with(b"age-encryption.org/v1"));
    age::decrypt(identity, &sealed).expect("the key fits")
}

// covers: E-59, E-176, E-177, E-178, E-190, E-286
#[tokio::test]
async fn somebody_takes_out_everything_that_names_them_and_who_read_it() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let user = person.user.clone();
    let client = person.signed_in(&organization).await;
    let item = json!({ "source": "watch", "source_record_id": "1", "user_id": user, "metric": "steps", "value": 4321,
        "local_day": "2020-03-02", "time_zone": "Europe/Paris" });
    organization.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
    organization.platform.get(&format!("/users/{user}/sessions")).await.expect(200);
    let neighbour = organization.person("member").await.user;
    organization.admin.get_at("/users", organization.head().await).await.expect(200);
    client.post("/me/subject-requests", &json!({ "kind": "access", "details": "all that you have" })).await.expect(201);
    let elevation = json!({ "act_as": user, "duration_seconds": 60, "reason": "support" });
    let elevation = organization.admin.post("/elevations", &elevation).await.expect(201).id("id");

    let (export, identity) = built(&client, "json").await;
    let clear = opened(&client, &export, &identity).await;
    let document: Value = serde_json::from_slice(&clear).expect("a JSON document");
    assert_eq!((&document["schema"], &document["user_id"]), (&json!("palmares.subject_export.v1"), &json!(user)));
    let events = document["events"].as_array().expect("events").clone();
    assert!(events.is_sorted_by_key(|event| event["position"].as_i64()));

    // Complete: whatever the log holds with their id in it is there, whoever's stream it stands in.
    let head = organization.head().await;
    organization.officer.get_at("/events?limit=1", head).await.expect(200);
    let asked_at = events.iter().filter_map(|event| event["position"].as_i64()).max().expect("a position");
    let exported: Vec<_> = events.iter().map(|event| event["id"].clone()).collect();
    let mut naming = 0;
    for event in organization.officer.all("/events").await {
        if event["position"].as_i64() <= Some(asked_at) && event.to_string().contains(&user) {
            assert!(exported.contains(&event["id"]), "{} is not in the export", event["type"]);
            naming += 1;
        }
    }
    assert!(naming > 8, "{naming}");
    let of = |name: &str| events.iter().find(|event| event["type"] == name).unwrap_or_else(|| panic!("no {name}")).clone();
    assert!(of("challenges.activities_recorded")["personal"]["records"].to_string().contains("4321"));
    assert_eq!(of("compliance.subject_request_received")["personal"]["details"], "all that you have");
    // Named elsewhere: by an administrator who would act as them.
    assert_eq!(of("identity.elevation_requested")["stream"]["id"], elevation.as_str());
    assert_eq!(of("identity.elevation_requested")["personal"]["reason"], "support", "it says why somebody would act as them");
    // From where they came, and by which device, as the audit log shows it of them.
    let origins = document["origins"].as_array().expect("origins");
    assert!(origins.iter().any(|origin| origin["ip"].is_string()), "{origins:?}");
    let named = |event: &Value| origins.iter().any(|origin| origin["id"] == event["metadata"]["client_context_id"]);
    assert!(events.iter().filter(|event| event["actor_id"] == user.as_str()).any(named), "the events name them");
    let foreign = |event: &&Value| event["actor_id"] != user.as_str() && event["metadata"]["client_context_id"].is_string();
    assert!(events.iter().filter(foreign).count() > 0 && !events.iter().filter(foreign).any(named), "nobody else's");
    // Why it is kept, who may be shown it, and how long.
    let told = &document["information"];
    let purposes = told["purposes"].as_array().expect("purposes");
    let health = purposes.iter().find(|of| of["purpose"] == "health").expect("health");
    assert_eq!((&health["recipients"], &health["retention"]), (&json!(["expert"]), &json!("WELLNESS")));
    assert!(told["retention"].as_array().expect("periods").iter().any(|period| period["class"] == "AUDIT" && period["days"] == 2557));
    assert!(told["rights"].as_array().expect("rights").contains(&json!("portability")) && told["controller"]["name"].is_string(), "{told}");
    assert_eq!((&health["legal_basis"], &health["recipients_outside"]), (&json!("explicit_consent"), &json!(["hosting"])));
    // And what secures the account stays sealed.
    assert!(events.iter().all(|event| !event["personal"].to_string().contains("argon2")));

    let readers = document["read_by"].as_array().expect("readers");
    assert!(
        readers.iter().any(|read| read["route"].as_str().is_some_and(|route| route.contains("/users/{user_id}/sessions"))),
        "{readers:?}"
    );

    // A list shows many: each learns that it showed them, and of nobody else.
    assert!(readers.iter().any(|read| read["route"] == "/api/v1/users"), "{readers:?}");
    let listed = events.iter().find(|event| event["payload"]["subjects"].is_array()).expect("a list that was read");
    assert_eq!(listed["payload"]["subjects"], json!([user]));
    assert!(listed["others"].as_i64() > Some(0) && !clear.windows(36).any(|id| id == neighbour.as_bytes()), "{listed}");

    // Every download is on record, on the export and in the audit log.
    opened(&client, &export, &identity).await;
    let head = organization.head().await;
    let listed = client.get_at("/me/exports", head).await.expect(200);
    assert_eq!((&listed.items()[0]["status"], &listed.items()[0]["downloads"]), (&json!("DOWNLOADED"), &json!(2)));
    organization.officer.get_at("/events?limit=1", head).await.expect(200);
    for event_type in ["compliance.subject_export_downloaded", "compliance.data_exported"] {
        let recorded = organization.officer.all(&format!("/events?type={event_type}&actor_id={user}")).await;
        assert_eq!(recorded.len(), 2, "{event_type}");
    }
}

// covers: E-177
#[tokio::test]
async fn an_export_is_a_table_or_a_summary_too() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.signed_in(&organization).await;
    let (export, identity) = built(&client, "csv").await;
    let table = opened(&client, &export, &identity).await;
    let mut rows = csv::Reader::from_reader(table.as_slice());
    assert_eq!(rows.headers().expect("a header").iter().take(3).collect::<Vec<_>>(), ["position", "recorded_at", "type"]);
    let types: Vec<String> = rows.records().map(|row| row.expect("a row")[2].to_owned()).collect();
    assert!(types.contains(&"identity.user_created".to_owned()), "{types:?}");

    let (export, identity) = built(&client, "pdf").await;
    let summary = opened(&client, &export, &identity).await;
    assert!(summary.starts_with(b"%PDF-1."));
    assert!(String::from_utf8_lossy(&summary).contains(&person.user), "the summary says whose it is");
    assert!(String::from_utf8_lossy(&summary).contains(&person.email), "and what is known of them");
}

// covers: E-178, H-74
#[tokio::test]
async fn nothing_is_downloaded_without_a_fresh_proof_of_ones_own() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.signed_in(&organization).await;
    let (export, identity) = built(&client, "json").await;
    let path = format!("/me/exports/{export}/download");
    let refused = client.get(&path).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "gate.step_up_required");

    // A wrong password gives none, and is remembered; nor does another session's or another person's proof do.
    client.post("/me/step-up", &json!({ "password": "wrong wrong wrong" })).await.refused(401, "AUTHENTICATION_FAILED");
    client.post("/me/step-up", &json!({ "code": "000000" })).await.refused(422, "VALIDATION_ERROR");
    let elsewhere = person.signed_in(&organization).await;
    let other = organization.person("member").await.with_own_password().await.signed_in(&organization).await;
    let own = proof(&client).await;
    for foreign in
        [proof(&elsewhere).await, proof(&other).await, "nonsense".to_owned(), client.token().to_owned(), own[..own.len() - 2].to_owned()]
    {
        assert_eq!(download(&client, &export, &foreign).await.status().as_u16(), 403);
    }
    // Nobody else gets it, with whatever proof.
    assert_eq!(download(&other, &export, &proof(&other).await).await.status().as_u16(), 404);
    let neighbours = fresh_organization().await;
    let neighbour = neighbours.person("member").await.with_own_password().await.signed_in(&neighbours).await;
    assert_eq!(download(&neighbour, &export, &proof(&neighbour).await).await.status().as_u16(), 404, "nor anybody of another tenant");
    let by_operator = organization.admin.with_token(&mint(&person.user, organization.id, Role::Member));
    by_operator.post("/me/step-up", &json!({})).await.refused(422, "VALIDATION_ERROR");
    assert!(age::decrypt(&Identity::generate(), &bytes_of(download(&client, &export, &own).await).await).is_err());
    assert!(!opened(&client, &export, &identity).await.is_empty());
}

async fn bytes_of(response: reqwest::Response) -> Vec<u8> {
    assert_eq!(response.status().as_u16(), 200);
    response.bytes().await.expect("the whole file").to_vec()
}

// covers: E-178
#[tokio::test]
async fn where_an_authenticator_is_enrolled_its_code_is_part_of_the_proof() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.signed_in(&organization).await;
    let secret = client.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    client.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    let alone = client.post("/me/step-up", &json!({ "password": OWN })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(alone.body["errors"][0]["field"], "code");
    let shown = json!({ "password": OWN, "code": code(&secret, 0) });
    client.post("/me/step-up", &shown).await.expect(200);
    // A code is good once.
    client.post("/me/step-up", &shown).await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: E-178
#[tokio::test]
async fn an_export_is_gone_when_its_time_is_over() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.signed_in(&organization).await;
    let (export, _) = built(&client, "json").await;
    let id: Uuid = export.parse().expect("an id");
    let mut database = sqlx::PgConnection::connect(&running().descriptor.database_url).await.expect("the database");
    sqlx::query("SET ROLE palmares_projector").execute(&mut database).await.expect("the role");
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT content FROM compliance_export_files WHERE export_id = $1")
        .bind(id)
        .fetch_one(&mut database)
        .await
        .expect("the file");
    assert!(sealed.starts_with(b"age-encryption.org/v1"), "what is stored is sealed");
    let expires: chrono::DateTime<chrono::Utc> = client.get("/me/exports").await.expect(200).items()[0]["expires_at"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("when it expires");
    let timer = eventually("a timer waits for its end", || async {
        let mut database = sqlx::PgConnection::connect(&running().descriptor.database_url).await.expect("the database");
        sqlx::query("SET ROLE palmares_projector").execute(&mut database).await.expect("the role");
        let query = "SELECT due_at FROM timers WHERE stream_id = $1 AND kind = 'compliance.subject_export_due'";
        sqlx::query_scalar::<_, chrono::DateTime<chrono::Utc>>(query).bind(id).fetch_optional(&mut database).await.expect("the timers")
    })
    .await;
    assert!(timer >= expires && expires > chrono::Utc::now() + chrono::TimeDelta::days(6));
}

#[tokio::test]
async fn what_is_no_export_is_refused_and_not_recorded() {
    let organization = fresh_organization().await;
    let (member, user) = (&organization.member, organization.member_id.clone());
    let before = organization.domain_events().await;
    for (body, field) in [
        (json!({ "format": "xml" }), "format"),
        (json!({}), "format"),
        (json!({ "format": "json", "recipient": "AGE-SECRET-KEY-1" }), "recipient"),
        (json!({ "format": "json", "recipient": "age1nonsense" }), "recipient"),
        (json!({ "format": "json", "user_id": user }), "user_id"),
    ] {
        let refused = member.post("/me/exports", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    assert_eq!(organization.domain_events().await, before);

    // Sealed to a key of one's own, no key is shown; nor is one when the request is repeated.
    let key = Identity::generate();
    let own = json!({ "format": "json", "recipient": key.to_public().to_string() });
    let asked = member.post("/me/exports", &own).await.expect(202);
    assert!(asked.body["identity"].is_null());
    let headers = [("Idempotency-Key", "once")];
    let first = member.post_with("/me/exports", &json!({ "format": "csv" }), &headers).await.expect(202);
    let again = member.post_with("/me/exports", &json!({ "format": "csv" }), &headers).await.expect(202);
    assert!(first.body["identity"].is_string() && again.body["identity"].is_null());
    assert_eq!(first.id("id"), again.id("id"));
    let events = json!(organization.domain_events().await).to_string();
    assert!(!events.contains("age1") && !events.contains("AGE-SECRET-KEY"), "no key stands in the log");

    // Programs and experts take nothing out.
    let key = json!({ "name": "Robot", "grants": ["compliance"], "quota": { "requests": 100, "per": "minute" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("key");
    let robot = Client::anonymous().request(Method::POST, "/me/exports").header("Authorization", format!("Bearer {key}"));
    Reply::of(robot.json(&json!({ "format": "json", "user_id": user }))).await.refused(403, "ACCESS_DENIED");
    let expert = organization.admin.post("/users", &json!({ "external_ref": "expert", "role": "expert" })).await.expect(201).id("id");
    let expert = organization.admin.with_token(&mint(&expert, organization.id, Role::Expert));
    expert.post("/me/exports", &json!({ "format": "json" })).await.refused(403, "ACCESS_DENIED");
}
