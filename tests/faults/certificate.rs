//! What a third party does with a certificate of erasure, years later and without the server.

use super::{load::read_until, world::Caller};
use palmares_proofs::files::{Asked, Unproved, Verified, verify};
use serde_json::Value;
use std::fs;
use uuid::Uuid;

/// The keys of tokens come and go; that of the log proves what was certified, and nothing else.
pub async fn assert_proved_offline(officer: &Caller, request: &str) {
    let certificate = read_until(officer, &format!("/deletion-requests/{request}/certificate"), Value::is_object).await;
    let payload = certificate["payload"].as_str().expect("the recorded bytes");
    assert_eq!(serde_json::from_str::<Value>(payload).expect("JSON")["certificate"], certificate["certificate"]);
    let proof = format!("/audit-logs/{}/proof", certificate["position"]);
    let proof = read_until(officer, &proof, |proof| proof["proof"].is_string()).await;
    let keys = read_until(officer, "/audit-logs/keys", Value::is_object).await;
    let folder = std::env::temp_dir().join(format!("palmares-certificate-{}", Uuid::now_v7().simple()));
    fs::create_dir(&folder).expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let asked = |payload: &str| Asked {
        file: file("certified.tlog-proof", proof["proof"].as_str().expect("a proof")),
        keys: vec![keys["items"][0]["key"].as_str().expect("a key").to_owned()],
        payload: Some(file("payload.json", payload)),
        ..Default::default()
    };
    let verified = verify(&asked(&format!("{payload}\n"))).expect("it is proved");
    assert!(matches!(verified, Verified::Event(event) if event.event_type == "compliance.subject_anonymised"));
    let refused = verify(&asked(&payload.replacen('a', "b", 1))).expect_err("another one");
    assert!(matches!(&refused, Unproved::NotProved(why) if why.contains("NOT the payload")), "{refused}");
    fs::remove_dir_all(&folder).expect("the folder goes");
}
