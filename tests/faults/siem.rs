//! The forwarder, killed while it sends.

use super::world::{Caller, Victim, World};
use crate::support::{
    running::eventually,
    sink::{Received, Sink},
};
use reqwest::Method;
use serde_json::{Value, json};

const MEMBERS: usize = 40;

// covers: P-10
#[test]
fn a_forwarder_that_is_killed_loses_nothing_and_repeats_its_last_batch_at_most() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(mut world: World) {
    let caller = Caller::new(&world.base_url, &world.descriptor().tokens.organization_admin);
    let sink = Sink::start().await;
    let body = json!({ "url": sink.url(), "format": "json_lines", "from_beginning": true });
    let opened = caller.request(Method::POST, "/siem-streams").json(&body).send().await.expect("an answer");
    assert_eq!(opened.status(), 201);
    let (mut last, mut kills) = (None, 0);
    for member in 0..MEMBERS {
        let body = json!({ "external_ref": format!("siem-{member}"), "role": "member" });
        // The server may be down just now; the key makes trying again safe.
        last = eventually("a member is made", || async {
            let request = caller.request(Method::POST, "/users").header("Idempotency-Key", format!("siem-{member}")).json(&body);
            let response = request.send().await.ok().filter(|response| response.status() == 201)?;
            Some(response.headers().get("palmares-position")?.to_str().ok()?.parse::<i64>().ok())
        })
        .await;
        // Sooner than the sink has all of it.
        if member % 10 == 9 {
            eventually("the sink has some of it", || async { (!sink.lines().is_empty()).then_some(()) }).await;
            world.kill(Victim::Server);
            kills += 1;
        }
    }
    eventually("the sink has it all", || async { sink.lines().iter().any(|line| line["position"].as_i64() >= last).then_some(()) }).await;

    let repeated = repeated_batches(&sink);
    assert!(repeated <= kills, "{repeated} batches were repeated after {kills} kills");
    let (mut next, lines) = (1, sink.lines());
    let mut kept: Vec<&Value> = Vec::new();
    for line in &lines {
        let record = line["record"].as_i64().expect("a number");
        if record < next {
            let first = kept[usize::try_from(record - 1).expect("a number from 1")];
            assert_eq!(first["event_id"], line["event_id"], "a record that is repeated is the same");
        } else {
            assert_eq!(record, next, "a record is missing: {}", world.log());
            kept.push(line);
            next += 1;
        }
    }
    assert!(kept.is_sorted_by(|one, other| one["position"].as_i64() < other["position"].as_i64()), "out of order");
    let created = kept.iter().filter(|line| line["event_type"] == "identity.user_created" && line["position"].as_i64() <= last).count();
    assert!(created >= MEMBERS, "{created} members of {MEMBERS}");
}

/// How many batches came again. Each goes on where the one before it ended, or begins where that began: a
/// forwarder that forgets its place would begin elsewhere.
fn repeated_batches(sink: &Sink) -> usize {
    let bounds = |request: &Received| -> (i64, i64) {
        let (first, last) = request.headers["palmares-records"].split_once('-').expect("two numbers");
        (first.parse().expect("a number"), last.parse().expect("a number"))
    };
    let taken: Vec<_> = sink.received().iter().filter(|request| request.taken).map(bounds).collect();
    let mut repeated = 0;
    let mut before = (1, 0);
    for (first, last) in taken {
        if first != before.1 + 1 {
            assert_eq!(first, before.0, "neither the next batch nor the last one again");
            repeated += 1;
        }
        before = (first, last);
    }
    repeated
}
