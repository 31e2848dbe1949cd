//! The adapter against the documented API of the transit engine, played by wiremock. No server with a
//! transit engine installs from the registries, so nothing here has met a real Vault.

use super::*;
use crate::privacy::cipher::Cipher;
use crate::privacy::contract;
use crate::privacy::exclusive_file::scratch::Scratch;
use aws_lc_rs::hmac;
use std::collections::HashMap;
use std::sync::Mutex;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const TOKEN: &str = "hvs.test";

/// One transit key: a cipher per version.
struct Key {
    versions: Vec<Cipher>,
    hmac: hmac::Key,
    min_decryption: usize,
    min_encryption: usize,
    min_available: usize,
}

impl Key {
    fn new() -> Self {
        let secret = Secret::random().unwrap();
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        Self { versions: vec![cipher()], hmac, min_decryption: 1, min_encryption: 0, min_available: 0 }
    }

    fn info(&self) -> Value {
        json!({ "data": { "latest_version": self.versions.len(), "min_decryption_version": self.min_decryption,
            "min_encryption_version": self.min_encryption, "min_available_version": self.min_available, "type": "aes256-gcm96" } })
    }

    fn encrypt(&self, item: &Value) -> Value {
        let version = item["key_version"].as_u64().unwrap() as usize;
        if version > self.versions.len() {
            return json!({ "error": "requested version for encryption is higher than the latest key version" });
        }
        if version < self.min_encryption {
            return json!({ "error": "requested version for encryption is less than the minimum encryption key version" });
        }
        let sealed = self.versions[version - 1].seal(&bytes(&item["associated_data"]), &bytes(&item["plaintext"])).unwrap();
        json!({ "ciphertext": format!("vault:v{version}:{}", BASE64.encode(sealed)), "key_version": version })
    }

    fn decrypt(&self, item: &Value) -> Value {
        let text = item["ciphertext"].as_str().unwrap();
        let parsed = text.strip_prefix("vault:v").and_then(|text| text.split_once(':'));
        let Some((version, sealed)) = parsed.and_then(|(version, sealed)| Some((version.parse::<usize>().ok()?, sealed))) else {
            return json!({ "error": "invalid ciphertext: no prefix" });
        };
        if version < self.min_decryption {
            return json!({ "error": "ciphertext or signature version is disallowed by policy (too old)" });
        }
        let opened =
            BASE64.decode(sealed).ok().and_then(|sealed| self.versions[version - 1].open(&bytes(&item["associated_data"]), &sealed).ok());
        match opened {
            Some(clear) => json!({ "plaintext": BASE64.encode(clear.as_slice()) }),
            None => json!({ "error": "cipher: message authentication failed" }),
        }
    }
}

fn cipher() -> Cipher {
    Cipher::new(&Secret::random().unwrap()).unwrap()
}

fn bytes(text: &Value) -> Vec<u8> {
    BASE64.decode(text.as_str().unwrap()).unwrap()
}

/// The transit engine, as far as it is used.
#[derive(Default)]
struct Transit(Mutex<HashMap<String, Key>>);

impl Respond for Transit {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let refuse = |status: u16, error: &str| ResponseTemplate::new(status).set_body_json(json!({ "errors": [error] }));
        if request.headers.get("x-vault-token").is_none_or(|token| token != TOKEN) {
            return refuse(403, "permission denied");
        }
        let Some(path) = request.url.path().strip_prefix("/v1/transit/") else { return refuse(404, "no handler for route") };
        let parts: Vec<&str> = path.split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut keys = self.0.lock().unwrap();
        let answer = |data: Value| ResponseTemplate::new(200).set_body_json(json!({ "data": data }));
        if let ("POST", ["keys", name]) = (request.method.as_str(), parts.as_slice()) {
            assert_eq!((&body["type"], &body["exportable"]), (&json!("aes256-gcm96"), &json!(false)));
            keys.entry((*name).to_owned()).or_insert_with(Key::new);
            return ResponseTemplate::new(204);
        }
        let Some(key) = keys.get_mut(parts[1]) else { return ResponseTemplate::new(404).set_body_json(json!({ "errors": [] })) };
        let number = |field: &str| body[field].as_u64().unwrap() as usize;
        match (request.method.as_str(), parts[0], parts.get(2).copied()) {
            ("GET", "keys", None) => ResponseTemplate::new(200).set_body_json(key.info()),
            ("POST", "keys", Some("rotate")) => {
                key.versions.push(cipher());
                ResponseTemplate::new(204)
            }
            ("POST", "keys", Some("config")) => {
                (key.min_decryption, key.min_encryption) = (number("min_decryption_version"), number("min_encryption_version"));
                ResponseTemplate::new(204)
            }
            ("POST", "keys", Some("trim")) => {
                let from = number("min_available_version");
                if from > key.min_decryption || from > key.min_encryption {
                    return refuse(400, "minimum available version cannot be higher than the minimum versions in use");
                }
                key.min_available = from;
                ResponseTemplate::new(204)
            }
            ("POST", operation @ ("encrypt" | "decrypt"), None) => {
                let one = |item| if operation == "encrypt" { key.encrypt(item) } else { key.decrypt(item) };
                let results: Vec<Value> = body["batch_input"].as_array().unwrap().iter().map(one).collect();
                // Where one fails, the status is 400 and the results are there all the same.
                let status = if results.iter().any(|result| result.get("error").is_some()) { 400 } else { 200 };
                ResponseTemplate::new(status).set_body_json(json!({ "data": { "batch_results": results } }))
            }
            ("POST", "hmac", Some("sha2-256")) => {
                let tag = hmac::sign(&key.hmac, &bytes(&body["input"]));
                answer(json!({ "hmac": format!("vault:v1:{}", BASE64.encode(tag.as_ref())) }))
            }
            other => panic!("not in the documentation: {other:?}"),
        }
    }
}

async fn vault(scratch: &Scratch, token: &str) -> (MockServer, VaultSettings) {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Transit::default()).mount(&server).await;
    let token_file = scratch.0.join("token");
    std::fs::write(&token_file, format!("{token}\n")).unwrap();
    let address = server.uri().parse().unwrap();
    (server, VaultSettings { address, token_file, mount: "transit".to_owned(), prefix: "palmares".to_owned() })
}

// covers: P-53
#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_of_vault_keeps_the_contract() {
    let scratch = Scratch::new();
    let (_server, settings) = vault(&scratch, TOKEN).await;
    let store = VaultKeyStore::new(settings).unwrap();
    store.check().await.unwrap();
    assert!(store.is_durable());
    contract::key_store(&store).await.unwrap();
}

#[tokio::test]
async fn a_second_node_has_the_same_keys_and_another_prefix_has_others() {
    let scratch = Scratch::new();
    let (_server, settings) = vault(&scratch, TOKEN).await;
    let organization = OrganizationId(uuid::Uuid::now_v7());
    let one = VaultKeyStore::new(settings.clone()).unwrap();
    let two = VaultKeyStore::new(settings.clone()).unwrap();
    let other = VaultKeyStore::new(VaultSettings { prefix: "staging".to_owned(), ..settings }).unwrap();
    let mut keys = Vec::new();
    for store in [&one, &two, &other] {
        let epoch = store.current_epoch(organization).await.unwrap();
        keys.push((store.epoch_key(organization, epoch).await.unwrap(), store.index_key(organization).await.unwrap()));
    }
    assert!(contract::is_same(keys[0].0.as_ref(), keys[1].0.as_ref()).await.unwrap());
    assert!(!contract::is_same(keys[0].0.as_ref(), keys[2].0.as_ref()).await.unwrap());
    assert_eq!(keys[0].1.0.bytes(), keys[1].1.0.bytes());
    assert_ne!(keys[0].1.0.bytes(), keys[2].1.0.bytes());
}

#[tokio::test]
async fn a_token_an_engine_or_a_server_that_is_not_right_is_an_error_and_no_lost_key() {
    let scratch = Scratch::new();
    let (server, settings) = vault(&scratch, "another").await;
    let organization = OrganizationId(uuid::Uuid::now_v7());
    let refused = VaultKeyStore::new(settings.clone()).unwrap().epoch_key(organization, Epoch::FIRST).await.err().unwrap();
    assert!(refused.to_string().contains("permission denied") && !refused.to_string().contains("another"), "{refused}");
    std::fs::write(&settings.token_file, TOKEN).unwrap();
    let unmounted = VaultKeyStore::new(VaultSettings { mount: "kv".to_owned(), ..settings.clone() }).unwrap();
    let error = unmounted.epoch_key(organization, Epoch::FIRST).await.err().unwrap();
    assert!(matches!(error, KeyStoreError::Refused { .. }), "{error}");
    let store = VaultKeyStore::new(settings.clone()).unwrap();
    store.check().await.expect("a token that was put there later is read");
    drop(server);
    let closed = VaultSettings { address: "http://127.0.0.1:9".parse().unwrap(), ..settings };
    let error = VaultKeyStore::new(closed).unwrap().current_epoch(organization).await.unwrap_err();
    assert!(matches!(error, KeyStoreError::Unreachable(_)), "{error}");
}
