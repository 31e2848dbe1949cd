//! What an event that cannot be applied does to the rest: stop, park or skip (and a rebuild never parks).

use super::{
    model::{Control, NAME, Noted, Tasting},
    rig::{Node, Rig},
};
use crate::support::{running::eventually, streams};
use palmares_commands::store::StreamName;
use palmares_projections::engine::{
    OnFailure, requests,
    retries::{self, Asked},
};
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};

const NOTHING: Vec<i64> = Vec::new();

fn harmless(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({ "amount": n })).collect()
}

/// Ten events, a poisonous one in the eleventh place, five more of its stream, and twenty of another.
struct Poisoned {
    rig: Rig,
    control: Arc<Control>,
    node: Node,
    stream: StreamName,
    last: i64,
}

const POISON: i64 = 11;

async fn poisoned(on_failure: OnFailure) -> Poisoned {
    let mut rig = Rig::open().await;
    let control = Arc::new(Control::default());
    let projector = Noted { version: 1, on_failure, control: control.clone() };
    let node = rig.node(1, vec![Arc::new(projector)], Vec::new()).await;
    let stream = streams::stream();
    let mut bodies = harmless(10);
    bodies.push(json!({ "amount": 13, "poisonous": true }));
    bodies.extend(harmless(5));
    rig.append_to(stream, bodies).await;
    let last = rig.append(20).await;
    Poisoned { rig, control, node, stream, last }
}

/// Asks for a rebuild and waits for its end, which is the answer.
async fn rebuild(rig: &Rig) -> Option<String> {
    let before = rig.requests().await.len();
    assert!(requests::ask(&rig.as_role("palmares_committer").await, NAME).await.unwrap());
    eventually("the rebuild has ended", async || rig.requests().await.into_iter().nth(before)?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn park_sets_aside_the_stream_of_the_event_and_everything_else_goes_on() {
    let Poisoned { mut rig, control, node, stream, last } = poisoned(OnFailure::Park).await;
    node.reaches(last).await;
    let dependent: Vec<i64> = (POISON..=POISON + 5).collect();
    assert_eq!(rig.differences().await, dependent, "the event, and what comes behind it in its stream");
    let parked: Vec<(i64, String)> = sqlx::query_as("SELECT position, error FROM parked_events WHERE name = $1 ORDER BY 1")
        .bind(NAME)
        .fetch_all(&rig.superuser)
        .await
        .unwrap();
    assert_eq!(parked.iter().map(|(position, _)| *position).collect::<Vec<_>>(), dependent);
    assert_eq!((parked[0].1.as_str(), parked[1].1.as_str()), ("poison", "depends on a parked event"));

    // Also what comes later, and what another process finds when it takes over.
    node.supervisor.shutdown().await;
    let projector = Noted { version: 1, on_failure: OnFailure::Park, control: control.clone() };
    let node = rig.node(2, vec![Arc::new(projector)], Vec::new()).await;
    let later = rig.append_to(stream, harmless(1)).await;
    let last = rig.append(5).await;
    node.reaches(last).await;
    let status = node.status().await;
    assert_eq!((status.parked, status.status.as_str()), (7, "running"));

    let error = rebuild(&rig).await.expect("a rebuild parks nothing, so it cannot be done");
    assert!(error.contains("event at 11") && error.contains("poison"), "{error}");
    let status = node.status().await;
    assert_eq!((status.parked, status.status.as_str(), status.rebuild_error), (7, "running", Some(error)));
    assert_eq!(rig.differences().await, dependent.into_iter().chain([later]).collect::<Vec<_>>(), "what served goes on serving");

    control.cured.store(true, Ordering::SeqCst);
    assert_eq!(rebuild(&rig).await, None);
    let last = rig.append_to(stream, harmless(1)).await;
    node.reaches(last).await;
    assert_eq!((node.status().await.parked, rig.differences().await), (0, NOTHING));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_stops_before_the_event_until_a_rebuild() {
    let Poisoned { mut rig, control, node, last, .. } = poisoned(OnFailure::Stop).await;
    let status = node.status_when("it stopped", |status| status.status == "stopped").await;
    assert_eq!((status.position, status.parked, status.error.as_deref()), (POISON - 1, 0, Some("poison")));
    assert_eq!(rig.differences().await, (POISON..=last).collect::<Vec<_>>());
    assert!(rebuild(&rig).await.is_some());
    assert_eq!(node.status().await.status, "stopped", "a rebuild that failed changes nothing");

    control.cured.store(true, Ordering::SeqCst);
    assert_eq!(rebuild(&rig).await, None);
    let last = rig.append(5).await;
    node.reaches(last).await;
    let status = node.status_when("it runs again", |status| status.status == "running").await;
    assert_eq!((status.error, rig.differences().await), (None, NOTHING));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skip_leaves_out_the_event_and_nothing_else() {
    let Poisoned { rig, node, last, .. } = poisoned(OnFailure::Skip).await;
    node.reaches(last).await;
    let status = node.status().await;
    assert_eq!((rig.differences().await, status.parked, status.status.as_str()), (vec![POISON], 0, "running"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reactor_refuses_for_good_is_parked_and_what_is_away_is_waited_for() {
    let mut rig = Rig::open().await;
    let tasting = Arc::new(Tasting::default());
    tasting.outage.store(true, Ordering::SeqCst);
    let node = rig.node(1, Vec::new(), vec![tasting.clone()]).await;
    let mut bodies = harmless(2);
    bodies.push(json!({ "amount": 13, "poisonous": true }));
    bodies.extend(harmless(2));
    let last = rig.append_to(streams::stream(), bodies).await;
    eventually("an event is tried again", async || (tasting.attempts.load(Ordering::SeqCst) > 2).then_some(())).await;
    let status = node.status_of("tasting").await;
    assert_eq!((status.position, status.parked), (0, 0), "an outage parks nothing");

    tasting.outage.store(false, Ordering::SeqCst);
    eventually("it is through", async || (node.status_of("tasting").await.position == last).then_some(())).await;
    let status = node.status_of("tasting").await;
    assert_eq!((status.parked, status.status.as_str()), (1, "running"));
    assert_eq!(*tasting.handled.lock().unwrap(), [1, 2, 4, 5], "in order, each once");
    let parked: (i64, String) =
        sqlx::query_as("SELECT position, error FROM parked_events WHERE name = 'tasting'").fetch_one(&rig.superuser).await.unwrap();
    assert_eq!(parked, (3, "poison".to_owned()));
}

#[tokio::test]
async fn what_a_reactor_parked_it_takes_again_when_asked_and_forgets_once_it_is_done() {
    let mut rig = Rig::open().await;
    let tasting = Arc::new(Tasting::default());
    let node = rig.node(1, Vec::new(), vec![tasting.clone()]).await;
    let mut bodies = harmless(1);
    bodies.push(json!({ "amount": 13, "poisonous": true }));
    bodies.extend(harmless(1));
    rig.append_to(streams::stream(), bodies).await;
    eventually("one is parked", async || (node.status_of("tasting").await.parked == 1).then_some(())).await;

    let attempts = || tasting.attempts.load(Ordering::SeqCst);
    let before = attempts();
    let committer = rig.as_role("palmares_committer").await;
    assert_eq!(retries::ask(&committer, "tasting").await.unwrap(), Asked::Of(1));
    eventually("it is tried again", async || (attempts() > before).then_some(())).await;
    assert_eq!(node.status_of("tasting").await.parked, 1, "what fails again stays parked");

    tasting.immune.store(true, Ordering::SeqCst);
    assert_eq!(retries::ask(&committer, "tasting").await.unwrap(), Asked::Of(1));
    eventually("it is parked no more", async || (node.status_of("tasting").await.parked == 0).then_some(())).await;
    assert_eq!(*tasting.handled.lock().unwrap(), [1, 3, 2], "what came meanwhile is not handled again");
    assert_eq!(retries::ask(&committer, "tasting").await.unwrap(), Asked::Of(0));
    assert_eq!(retries::ask(&committer, "nobody").await.unwrap(), Asked::Unknown);
}
