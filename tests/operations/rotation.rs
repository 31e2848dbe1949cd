//! The key that signs tokens changes while a server serves, and nobody notices.

use super::site::{Node, Site};
use crate::support::{
    running::{Reply, eventually},
    servers::embedded,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What asks a node.
#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    base: String,
}

impl Caller {
    async fn me(&self, token: &str) -> Reply {
        Reply::of(self.http.get(format!("{}/api/v1/me", self.base)).bearer_auth(token)).await
    }

    /// The keys that verify, by their ids.
    async fn published(&self) -> Vec<String> {
        let set = Reply::of(self.http.get(format!("{}/.well-known/jwks.json", self.base))).await.expect(200);
        let keys = set.body["keys"].as_array().expect("keys").clone();
        assert!(keys.iter().all(|key| key.get("d").is_none()), "a private key is published");
        keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
    }

    /// Waits until the server has these keys, the one that signs first.
    async fn has(&self, ids: &[&String]) {
        eventually("the server has taken the keys", async || (self.published().await.iter().collect::<Vec<_>>() == ids).then_some(()))
            .await;
    }
}

/// Asks again and again, by a token from before the rotation and by one of the moment, until told to end.
async fn ask_on(caller: Caller, old: String, new: Arc<std::sync::Mutex<String>>, end: Arc<AtomicBool>, asked: Arc<AtomicUsize>) {
    while !end.load(Ordering::Relaxed) {
        let current = new.lock().expect("no panic").clone();
        for token in [&old, &current] {
            caller.me(token).await.expect(200);
            asked.fetch_add(1, Ordering::Relaxed);
        }
        // A pace, no wait for anything.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn serving(site: &Site) -> (Node, Caller) {
    let api = site.answers("api-1", site.start("api-1"), "/health").await;
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
    let base = format!("http://{}", api.address);
    (api, Caller { http, base })
}

// covers: E-108, P-23
#[test]
fn the_key_of_tokens_changes_while_requests_go_on() {
    // The node belongs to this thread, which outlives it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut site = Site::new("of_rotation").await;
        site.set("NATS_URL", &embedded().nats_url());
        site.set("PALMARES_NATS_REPLICAS", "1");
        site.set("PALMARES_RATE_LIMIT_IP", "1000000");
        let (api, caller) = serving(&site).await;
        let bootstrapped: Value = serde_json::from_str(&site.run(&["bootstrap", "--external-ref", "operator"])).expect("JSON");
        let id = |name: &str| bootstrapped[name].as_str().expect("an id").to_owned();
        let mint = || site.run(&["token", "--user", &id("user_id"), "--organization", &id("organization_id"), "--role", "platform_admin"]);
        let rotate =
            |arguments: &[&str]| -> Value { serde_json::from_str(&site.run(&[&["keys", "rotate"], arguments].concat())).expect("JSON") };
        let old = mint();
        let [first] = caller.published().await.try_into().expect("one key");
        let (current, end, asked) = (Arc::new(std::sync::Mutex::new(old.clone())), Arc::default(), Arc::new(AtomicUsize::new(0)));
        let asking = tokio::spawn(ask_on(caller.clone(), old.clone(), current.clone(), Arc::clone(&end), asked.clone()));

        let told = rotate(&[]);
        assert_eq!((&told["step"], told["keys"].as_array().map(Vec::len)), (&json!("published"), Some(2)));
        let second = told["keys"][1].as_str().expect("an id").to_owned();
        caller.has(&[&first, &second]).await;
        assert_eq!(kid(&mint()), first, "a key signs before it is promoted");

        assert_eq!(rotate(&["--promote", "--at-once"])["keys"], json!([second, first]));
        // The server knows the key that signs now, even while it has not looked at the file again.
        let new = mint();
        assert_eq!(kid(&new), second);
        current.lock().expect("no panic").clone_from(&new);
        caller.me(&new).await.expect(200);
        caller.has(&[&second, &first]).await;
        caller.me(&old).await.expect(200);

        end.store(true, Ordering::Relaxed);
        asking.await.expect("no request failed");
        assert!(asked.load(Ordering::Relaxed) > 20, "too few requests went on meanwhile");

        rotate(&["--retire", "--older-than", "0s"]);
        caller.has(&[&second]).await;
        caller.me(&new).await.expect(200);
        caller.me(&old).await.refused(401, "AUTHENTICATION_FAILED");

        // A file that is broken changes nothing.
        let file = site.setting("PALMARES_JWT_KEY_FILE");
        let whole = std::fs::read_to_string(&file).expect("the keys");
        std::fs::write(&file, &whole[..whole.len() / 2]).expect("half of the keys");
        eventually("the fault is told", async || site.log("api-1").contains("stay in use").then_some(())).await;
        caller.me(&new).await.expect(200);
        assert!(api.stop(), "it ends well when it is asked to");
    });
}

// covers: H-20, H-28
#[test]
fn a_token_of_another_environment_opens_nothing_though_its_key_is_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut site = Site::new("of_an_environment").await;
        site.set("NATS_URL", &embedded().nats_url());
        site.set("PALMARES_NATS_REPLICAS", "1");
        site.set("PALMARES_ENVIRONMENT", "staging-2");
        let (_api, caller) = serving(&site).await;
        let bootstrapped: Value = serde_json::from_str(&site.run(&["bootstrap", "--external-ref", "operator"])).expect("JSON");
        let id = |name: &str| bootstrapped[name].as_str().expect("an id").to_owned();
        let user = ["--user", &id("user_id"), "--organization", &id("organization_id"), "--role", "platform_admin"];
        let mint = |more: &[&str]| site.run(&[&["token"], &user[..], more].concat());
        caller.me(&mint(&[])).await.expect(200);
        let foreign = caller.me(&mint(&["--environment", "production"])).await.refused(401, "AUTHENTICATION_FAILED");
        assert_eq!(foreign.body["reason"], "gate.token_invalid");
    });
}

/// The key that a token names.
fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).expect("a token").kid.expect("a key")
}
