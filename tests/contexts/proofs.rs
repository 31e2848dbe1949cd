//! The audit log proves itself: what a compliance officer hands over is verified by somebody who has
//! nothing but the files and a key.

use super::audit::found;
use crate::support::running::{Organization, PALMARES, eventually, fresh_organization, running};
use palmares_proofs::{Checkpoint, LogKey, NodeHash, compact::Compact};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use uuid::Uuid;

/// A folder of somebody who verifies.
struct Desk(PathBuf);

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Desk {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("palmares-evidence-{}", Uuid::now_v7().simple()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// `palmares verify`, with nothing of the server's environment.
fn verify(file: &Path, key: &str, pinned: Option<&Path>) -> Output {
    let mut command = Command::new(PALMARES);
    command.env_clear().args(["verify", "--key", key]).arg(file);
    if let Some(pinned) = pinned {
        command.arg("--pinned").arg(pinned);
    }
    command.output().unwrap()
}

#[track_caller]
fn proved(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["proved"].clone()
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until everything that is recorded now is sealed; within a second, says the design, where nothing else runs.
pub(super) async fn sealed(organization: &Organization) -> i64 {
    let head = organization.head().await;
    eventually("the log is sealed", async || {
        let status = organization.officer.get("/audit-logs/sealing").await.expect(200).body;
        assert_eq!(status["refusal"], Value::Null);
        (status["sealed_position"].as_i64()? >= head).then_some(head)
    })
    .await
}

async fn export(organization: &Organization, query: &str) -> Vec<u8> {
    let response = organization.officer.request(Method::GET, &format!("/audit-logs/evidence{query}")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["content-type"], "application/vnd.palmares.evidence+jsonl");
    response.bytes().await.unwrap().to_vec()
}

/// What an officer pins, proves and exports is verified offline; a line less is refused.
// covers: E-184, E-234
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exported_is_verified_without_the_server() {
    let (organization, desk) = (fresh_organization().await, Desk::new());
    sealed(&organization).await;
    let keys = organization.officer.get("/audit-logs/keys").await.expect(200);
    let key = keys.items()[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(keys.items()[0]["introduction"], Value::Null, "the first key");
    let pinned = organization.officer.get("/audit-logs/checkpoint").await.expect(200).body;
    let size = pinned["size"].as_u64().unwrap();
    let pin = desk.file("pinned", pinned["checkpoint"].as_str().unwrap().as_bytes());

    let created = organization.admin.post("/users", &json!({ "external_ref": "nina@example.com", "role": "member" })).await.expect(201);
    let position = created.position();
    sealed(&organization).await;

    // One event.
    let proof = organization.officer.get(&format!("/audit-logs/{position}/proof")).await.expect(200).body;
    let file = desk.file("one.tlog-proof", proof["proof"].as_str().unwrap().as_bytes());
    let event = proved(&verify(&file, &key, None))["event"].clone();
    assert_eq!((&event["position"], &event["event_type"]), (&json!(position), &json!("identity.user_created")));
    // The answer about the keys is taken as it is.
    let introductions = desk.file("keys.json", keys.body.to_string().as_bytes());
    let mut command = Command::new(PALMARES);
    command.env_clear().args(["verify", "--key", &key, "--introductions"]).arg(introductions).arg(&file);
    assert_eq!(proved(&command.output().unwrap())["event"], event);
    let forged = proof["proof"].as_str().unwrap().replacen("index ", "index 1", 1);
    refused(&verify(&desk.file("forged", forged.as_bytes()), &key, None));

    // The log extends the one that was pinned.
    let consistency = organization.officer.get(&format!("/audit-logs/consistency?from={size}")).await.expect(200).body;
    let now = consistency["size"].as_u64().unwrap();
    assert!(now > size);

    // Everything, and nothing left out.
    let package = export(&organization, "").await;
    let text = String::from_utf8(package.clone()).unwrap();
    assert!(!text.contains("nina@example.com"), "personal data stays sealed");
    let report = proved(&verify(&desk.file("all", &package), &key, Some(&pin)))["package"].clone();
    assert_eq!(
        (&report["first"], &report["organization_id"], &report["extends"]),
        (&json!(0), &json!(organization.id.to_string()), &json!(size))
    );
    assert_eq!(report["count"], report["tree_size"]);
    let line = text.lines().position(|line| line.contains(&format!("\"position\":{position},"))).unwrap();
    let without: String = text.lines().enumerate().filter(|(at, _)| *at != line).map(|(_, line)| format!("{line}\n")).collect();
    refused(&verify(&desk.file("without", without.as_bytes()), &key, None));
    // What cannot be read proves nothing, neither way.
    for (name, content) in [("converted", text.replace('\n', "\r\n")), ("prose", "Dear Sir,".to_owned())] {
        assert_eq!(verify(&desk.file(name, content.as_bytes()), &key, None).status.code(), Some(2), "{name}");
    }
    assert_eq!(verify(&desk.0.join("nowhere"), &key, None).status.code(), Some(2));
    // The key of another log is nothing to trust this one by.
    let log = LogKey::parse(&key).unwrap();
    let other_key = LogKey { public: [7; 32], ..log }.to_string();
    assert!(refused(&verify(&desk.file("all", &package), &other_key, None)).contains("no trusted key"));

    // A span by time, with the events at its borders, and the proof for the checkpoint that was kept.
    let at = text.lines().nth(line).and_then(|line| serde_json::from_str::<Value>(line).ok()).unwrap();
    let span = export(&organization, &format!("?from={}&pinned_size={size}", at["recorded_at"].as_str().unwrap())).await;
    let report = proved(&verify(&desk.file("span", &span), &key, Some(&pin)))["package"].clone();
    assert_eq!(report["first"], json!(at["index"].as_u64().unwrap() - 1));
    assert_eq!(report["extends"], json!(size));
    assert_eq!(report["first"].as_u64().unwrap() + report["count"].as_u64().unwrap(), report["tree_size"].as_u64().unwrap());
}

/// Whoever mirrors the tiles computes the root that was signed.
// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tiles_give_the_root_that_was_signed() {
    let organization = fresh_organization().await;
    sealed(&organization).await;
    let tile = async || organization.officer.get("/audit-logs/tiles/0/0").await.expect(200).body["hashes"].as_array().unwrap().clone();
    let before = tile().await;
    let note = organization.officer.get("/audit-logs/checkpoint").await.expect(200).body["checkpoint"].as_str().unwrap().to_owned();
    let (checkpoint, _) = Checkpoint::of_note(&note).unwrap();
    let after = tile().await;
    assert!(after.starts_with(&before), "a tile only grows");
    let mut tree = Compact::default();
    let leaves = after.iter().take(usize::try_from(checkpoint.size).unwrap());
    leaves.for_each(|hash| tree.append(NodeHash::from_base64(hash.as_str().unwrap()).unwrap()));
    assert_eq!((tree.size(), tree.root()), (checkpoint.size, checkpoint.root));

    organization.member.get("/audit-logs/tiles/0/0").await.refused(403, "ACCESS_DENIED");
    for nothing in ["0/1", "1/0", "9/0", "256/0", "-1/0", "0/x"] {
        organization.officer.get(&format!("/audit-logs/tiles/{nothing}")).await.refused(404, "RESOURCE_NOT_FOUND");
    }
}

/// One that is asked for again under its key ends where it did, whatever was sealed since.
// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_of_a_span_without_events_has_the_last_one_before_it() {
    let (organization, desk) = (fresh_organization().await, Desk::new());
    sealed(&organization).await;
    let key = organization.officer.get("/audit-logs/keys").await.expect(200).items()[0]["key"].as_str().unwrap().to_owned();
    let path = "/audit-logs/evidence?event_type=identity.user_created&from=2999-01-01T00:00:00Z";
    for name in ["first", "again"] {
        let request = organization.officer.request(Method::GET, path).header("Idempotency-Key", "a-span-without-events");
        let package = request.send().await.unwrap().bytes().await.unwrap();
        let report = proved(&verify(&desk.file(name, &package), &key, None))["package"].clone();
        assert_eq!(report["count"], 1, "{report}");
        organization.add_member(name).await;
        sealed(&organization).await;
    }
}

/// A proof tells of an event what it is, when it was and whose doing.
// covers: E-195
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_a_proof_is_in_the_audit_log() {
    let organization = fresh_organization().await;
    let position = organization.admin.post("/users", &json!({ "external_ref": "x", "role": "member" })).await.expect(201).position();
    sealed(&organization).await;
    organization.officer.get(&format!("/audit-logs/{position}/proof")).await.expect(200);
    let looks = found(&organization, "event_type=compliance.sensitive_data_read").await;
    let of_proof = looks.iter().filter(|look| look["payload"]["route"] == "/api/v1/audit-logs/{position}/proof");
    assert_eq!(of_proof.count(), 1, "{looks:?}");
}

/// Proofs are of one's own log, for those who may read it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proofs_are_for_those_who_may_read_the_audit_log() {
    let (organization, another) = (fresh_organization().await, fresh_organization().await);
    let theirs = another.admin.post("/users", &json!({ "external_ref": "x", "role": "member" })).await.expect(201).position();
    sealed(&organization).await;
    for path in
        ["/audit-logs/checkpoint", "/audit-logs/keys", "/audit-logs/sealing", "/audit-logs/evidence", "/audit-logs/consistency?from=1"]
    {
        organization.member.get(path).await.refused(403, "ACCESS_DENIED");
    }
    organization.officer.get(&format!("/audit-logs/{theirs}/proof")).await.refused(404, "RESOURCE_NOT_FOUND");
    for nothing in ["999999999", "-1", "x"] {
        organization.officer.get(&format!("/audit-logs/{nothing}/proof")).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    for (path, field) in [
        ("/audit-logs/consistency?from=999999", "from"),
        ("/audit-logs/consistency?from=x", "from"),
        ("/audit-logs/evidence?pinned_size=999999", "pinned_size"),
        ("/audit-logs/evidence?from=yesterday", "from"),
    ] {
        let refused = organization.officer.get(path).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{path}");
    }
}

/// No route changes or deletes what was recorded, whoever asks.
// covers: P-20
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_deletes_or_changes_the_log_over_http() {
    let organization = fresh_organization().await;
    let position = sealed(&organization).await;
    for client in [&organization.platform, &organization.admin, &organization.officer] {
        for method in ["DELETE", "PUT", "PATCH", "POST"] {
            for path in ["/audit-logs".to_owned(), format!("/audit-logs/{position}"), "/events".to_owned(), format!("/events/{position}")] {
                let refused = client.send(method, &path, &json!({})).await;
                assert!([404, 405].contains(&refused.status), "{method} {path} answered {}", refused.status);
            }
        }
    }
}

/// The running system's own log, read again as the operator would.
// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_verifies_the_log_in_the_database() {
    let organization = fresh_organization().await;
    sealed(&organization).await;
    let running = running();
    let mut command = Command::new(PALMARES);
    command.args(["verify-log", "--database-url", &running.descriptor.database_url, "--log-checkpoint-file"]);
    let output = command.arg(running.data_dir.join("log-checkpoint")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["whole"], true);
    assert!(told["leaves"].as_u64().unwrap() > 10);
}

/// What is handed over shows only what was looked for, and still proves that it is all of it.
// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_of_the_log_is_verified_as_all_that_fits() {
    let (organization, desk) = (fresh_organization().await, Desk::new());
    let user = organization.add_member("chosen").await;
    organization.admin.post(&format!("/users/{user}/suspend"), &json!({})).await.expect(200);
    sealed(&organization).await;
    let keys = organization.officer.get("/audit-logs/keys").await.expect(200);
    let key = keys.items()[0]["key"].as_str().unwrap().to_owned();
    let package = export(&organization, &format!("?event_type=identity.user_suspended&target_id={user}")).await;
    let text = String::from_utf8(package.clone()).unwrap();
    let events: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let (shown, hidden): (Vec<_>, Vec<_>) = events.iter().partition(|event| event["payload"]["text"].is_string());
    assert_eq!((shown.len(), &shown[0]["type"]), (1, &json!("identity.user_suspended")), "{text}");
    assert!(
        hidden.len() > 3 && hidden.iter().all(|event| event["payload"]["sha256"].is_string() && event["metadata"]["sha256"].is_string())
    );
    let chosen = desk.file("chosen", &package);
    let report = proved(&verify(&chosen, &key, None))["package"].clone();
    assert_eq!((&report["shown"], &report["hidden"]), (&json!(1), &json!(hidden.len())), "it is told how much is hidden");
    let all_of_it = |file: &Path| Command::new(PALMARES).env_clear().args(["verify", "--whole", "--key", &key]).arg(file).output().unwrap();
    assert!(refused(&all_of_it(&chosen)).contains("hashes alone"));
    proved(&all_of_it(&desk.file("all", &export(&organization, "").await)));
    // One that was left out is missed, shown or not.
    let fewer: Vec<&str> = text.lines().enumerate().filter(|(number, _)| *number != 2).map(|(_, line)| line).collect();
    refused(&verify(&desk.file("fewer", format!("{}\n", fewer.join("\n")).as_bytes()), &key, None));
    organization.officer.get("/audit-logs/evidence?event_type=no.such_event").await.refused(422, "VALIDATION_ERROR");
}
