//! JetStream may be wiped, cut or filled by others at any time: nobody notices (ADR 3).

use super::{
    model::{Control, noted},
    rig::Rig,
};
use crate::support::running::eventually;
use async_nats::{HeaderMap, jetstream::stream};
use palmares::cli::dev::embedded::{
    programs,
    unix::{Signal, contain},
};
use palmares_projections::engine::log::Log;
use serde_json::json;
use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use uuid::Uuid;

const NOTHING: Vec<i64> = Vec::new();

/// A message of the form that the relay sends, of an event that no log has.
fn forged(position: i64) -> (HeaderMap, Vec<u8>) {
    let id = Uuid::now_v7();
    let mut headers = HeaderMap::new();
    headers.insert("Palmares-Event-Id", id.to_string().as_str());
    let event = json!({
        "position": position, "id": id, "type": "test.happened", "schema_version": 1,
        "stream": { "type": "user", "id": Uuid::now_v7(), "version": 1 },
        "organization_id": Uuid::now_v7(), "actor_id": Uuid::now_v7(), "recorded_at": "2026-01-01T00:00:00Z",
        "effective_at": null, "metadata": {}, "payload": { "amount": 1_000_000 },
    });
    (headers, event.to_string().into_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_deleted_under_way_is_made_anew_and_nothing_is_applied_twice() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    for _ in 0..3 {
        let last = rig.append(50).await;
        node.reaches(last).await;
        rig.cached(last).await;
        let name = rig.stream_name().await;
        rig.jetstream().await.delete_stream(&name).await.unwrap();
    }
    let last = rig.append(50).await;
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_lost_messages_loses_no_event() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(50).await;
    let stream = rig.cached(last).await;
    stream.purge().await.unwrap();
    let last = rig.append(50).await;
    node.reaches(last).await;
    let stream = rig.cached(last).await;
    // Its tail, and one in the middle.
    for sequence in [last - 20, last - 1, last] {
        stream.delete_message(sequence as u64).await.unwrap();
    }
    let last = rig.append(50).await;
    node.reaches(last).await;
    let second = rig.node(2, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(1).await;
    second.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_others_are_never_taken_for_events() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let mut last = rig.append(20).await;
    let context = rig.jetstream().await;
    let subject = format!("{}.x.user", rig.cache().await.subject_root);
    for round in 0..6 {
        node.reaches(last).await;
        rig.cached(last).await;
        for behind in 1..=3 {
            // Junk, or what looks like the very next events.
            let (headers, body) = if round % 2 == 0 { (HeaderMap::new(), b"junk".to_vec()) } else { forged(last + behind) };
            context.publish_with_headers(subject.clone(), headers, body.into()).await.unwrap().await.unwrap();
        }
        // Shorter than what was slipped in, as long, and longer.
        last = rig.append(2 + round).await;
    }
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}

// covers: E-84
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_the_log_under_another_tenant_is_not_taken_and_its_stream_is_made_anew() {
    let mut rig = Rig::open().await;
    let log = Log::new(rig.as_role("palmares_relay").await);
    // In place of the relay somebody fills the stream who knows every event, and not the key.
    let mut lead = rig.superuser.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(7081, 1)").execute(&mut *lead).await.unwrap();
    let (cache, context) = (rig.cache().await, rig.jetstream().await);
    let config =
        stream::Config { name: rig.stream_name().await, subjects: vec![format!("{}.>", cache.subject_root)], ..Default::default() };
    context.create_stream(config).await.unwrap();
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let mut last = 0;
    for _ in 0..8 {
        let before = last;
        last = rig.append(3).await;
        for event in log.read_after(before, 3).await.unwrap() {
            let mut body = serde_json::to_value(&event).unwrap();
            let other = Uuid::now_v7();
            (body["organization_id"], body["payload"]["amount"]) = (json!(other), json!(1_000_000));
            let mut headers = HeaderMap::new();
            headers.insert("Palmares-Event-Id", event.id.to_string().as_str());
            headers.insert("Nats-Msg-Id", event.id.to_string().as_str());
            headers.insert("Palmares-Tenant", format!("{other}.{}", "0".repeat(64)).as_str());
            let subject = format!("{}.{other}.user", cache.subject_root);
            context.publish_with_headers(subject, headers, body.to_string().into()).await.unwrap().await.unwrap();
        }
        node.reaches(last).await;
    }
    assert_eq!(rig.differences().await, NOTHING);

    // By its ids the stream is the log; by whose they are it is not.
    sqlx::query("SELECT pg_advisory_unlock(7081, 1)").execute(&mut *lead).await.unwrap();
    let recorded = log.read_after(last - 1, 1).await.unwrap().remove(0);
    eventually("the stream is made anew", async || {
        let message = context.get_stream(&rig.stream_name().await).await.ok()?.get_raw_message(last as u64).await.ok()?;
        let tenant = message.headers.get("Palmares-Tenant")?.as_str().starts_with(&format!("{}.", recorded.organization_id));
        let body: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        (tenant && body == serde_json::to_value(&recorded).unwrap()).then_some(())
    })
    .await;
    assert_eq!(rig.differences().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_the_same_name_with_another_log_in_it_is_replaced() {
    let mut rig = Rig::open().await;
    rig.append(20).await;
    let (cache, context) = (rig.cache().await, rig.jetstream().await);
    let config =
        stream::Config { name: rig.stream_name().await, subjects: vec![format!("{}.>", cache.subject_root)], ..Default::default() };
    context.create_stream(config).await.unwrap();
    for position in 1..=40 {
        let (headers, body) = forged(position);
        let subject = format!("{}.x.user", cache.subject_root);
        context.publish_with_headers(subject, headers, body.into()).await.unwrap().await.unwrap();
    }
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(20).await;
    node.reaches(last).await;
    rig.cached(last).await;
    let last = rig.append(20).await;
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}

/// A nats-server of the test's own, on a folder that may go.
struct Nats {
    store: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Nats {
    fn start() -> Self {
        let store = std::env::temp_dir().join(format!("palmares-nats-{}", Uuid::now_v7().simple()));
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().port();
        let mut nats = Self { store, port, child: None };
        nats.launch();
        nats
    }

    fn launch(&mut self) {
        let mut command = Command::new(programs::find_nats().unwrap());
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"]).arg(&self.store);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        contain(&mut command, None, Signal::Kill);
        self.child = Some(command.spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.store);
    }
}

// The kernel ends the server with the thread that started it: here that is the test's own.
#[tokio::test]
async fn a_server_that_lost_its_folder_while_it_was_down_is_filled_again() {
    let mut nats = Nats::start();
    let mut rig = Rig::with_nats(format!("nats://127.0.0.1:{}", nats.port)).await;
    let control = Arc::new(Control::default());
    let node = rig.node(1, vec![noted(1, &control)], Vec::new()).await;
    let last = rig.append(50).await;
    node.reaches(last).await;
    rig.cached(last).await;
    nats.kill();
    // Without it, events come from the log.
    let last = rig.append(50).await;
    node.reaches(last).await;
    fs::remove_dir_all(&nats.store).unwrap();
    nats.launch();
    rig.cached(last).await;
    let last = rig.append(50).await;
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}
