//! A rebuild is asked for on any node, and run once by one of those that can.

use super::{
    model::{Control, NAME, noted},
    rig::Rig,
};
use crate::support::running::eventually;
use palmares_projections::engine::{Slot, requests};
use std::sync::{Arc, atomic::Ordering};

const NOTHING: Vec<i64> = Vec::new();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_workers_one_runs_a_request_once_and_a_second_request_waits_for_its_end() {
    let mut rig = Rig::open().await;
    let control = Arc::new(Control::default());
    let mut nodes = Vec::new();
    for number in 1..=3 {
        nodes.push(rig.node(number, vec![noted(1, &control)], Vec::new()).await);
    }
    let last = rig.append(100).await;
    nodes[0].reaches(last).await;
    let asking = rig.as_role("palmares_committer").await;
    control.hold(Slot::B, last);
    let asked = futures::future::join_all((0..8).map(|_| requests::ask(&asking, NAME))).await;
    assert_eq!(asked.into_iter().filter(|asked| *asked.as_ref().unwrap()).count(), 1, "one of those at once");
    assert_eq!(nodes[2].status().await.rebuild_position, Some(0), "shown from the request on");
    control.held().await;
    assert!(!requests::ask(&asking, NAME).await.unwrap(), "one is running");
    let fillings = control.fillings.load(Ordering::SeqCst);
    control.release();
    eventually("the request is met", async || (rig.requests().await == [Some(None)]).then_some(())).await;
    let last = rig.append(10).await;
    nodes[1].reaches(last).await;
    assert_eq!((rig.differences().await, nodes[1].status().await.rebuild_position), (NOTHING, None));
    assert_eq!(control.fillings.load(Ordering::SeqCst), fillings, "nobody else ran it");
    assert!(requests::ask(&asking, NAME).await.unwrap(), "one may be asked for again");
    eventually("that is met too", async || (rig.requests().await == [Some(None), Some(None)]).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_for_a_worker_and_an_older_build_leaves_it_alone() {
    let mut rig = Rig::open().await;
    let control = Arc::new(Control::default());
    let asking = rig.as_role("palmares_committer").await;
    assert!(requests::ask(&asking, NAME).await.unwrap(), "before any worker ran");
    let last = rig.append(20).await;
    let new = rig.node(1, vec![noted(2, &control)], Vec::new()).await;
    eventually("the request is met", async || (rig.requests().await == [Some(None)]).then_some(())).await;
    new.reaches(last).await;
    new.supervisor.shutdown().await;

    let old = rig.node(2, vec![noted(1, &control)], Vec::new()).await;
    assert!(requests::ask(&asking, NAME).await.unwrap());
    let new = rig.node(1, vec![noted(2, &control)], Vec::new()).await;
    eventually("the newer build met it", async || (rig.requests().await == [Some(None), Some(None)]).then_some(())).await;
    old.supervisor.shutdown().await;
    let last = rig.append(20).await;
    new.reaches(last).await;
    assert_eq!((rig.folds().await, rig.differences().await), (vec![2], NOTHING));
}

#[tokio::test]
async fn who_may_ask_may_do_nothing_else() {
    let rig = Rig::open().await;
    let asking = rig.as_role("palmares_committer").await;
    assert!(requests::ask(&asking, NAME).await.unwrap());
    for statement in [
        "SELECT name FROM rebuild_requests",
        "UPDATE rebuild_requests SET ended_at = now()",
        "DELETE FROM rebuild_requests",
        "INSERT INTO rebuild_requests (name, ended_at) VALUES ('x', now())",
        "SELECT owner FROM checkpoints",
        "UPDATE checkpoints SET position = 0",
    ] {
        let refused = sqlx::query(statement).execute(&asking).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{statement}: {refused}");
    }
    let reading = rig.as_role("palmares_reader").await;
    assert!(requests::ask(&reading, NAME).await.is_err(), "readers write nothing");
}
