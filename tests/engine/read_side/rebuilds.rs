//! A rebuild fills the idle slot while the other one serves, and ends with the swap or with nothing changed.

use super::{
    model::{Control, NAME, noted},
    rig::Rig,
};
use crate::support::running::eventually;
use palmares_projections::engine::{Slot, requests};
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

const NOTHING: Vec<i64> = Vec::new();
/// More than fits into one batch of a rebuild.
const LONG: usize = 2_500;

/// covers: T-58
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raised_version_fills_the_idle_slot_while_the_old_one_serves_and_then_swaps() {
    let mut rig = Rig::open().await;
    let control = Arc::new(Control::default());
    let old = rig.node(1, vec![noted(1, &control)], Vec::new()).await;
    let last = rig.append(LONG).await;
    old.reaches(last).await;
    control.hold(Slot::B, last);
    let new = rig.node(2, vec![noted(2, &control)], Vec::new()).await;
    // While the old build runs it goes on, and the new one stands by.
    let last = rig.append(10).await;
    old.reaches(last).await;
    old.supervisor.shutdown().await;

    control.held().await;
    let status = new.status().await;
    assert_eq!((status.version, status.rebuild_position, status.parked), (1, Some(2_000), 0), "{status:?}");
    assert_eq!((rig.folds().await, rig.differences().await), (vec![1], NOTHING), "the old one serves, and serves it all");
    control.release();

    let status = new.status_when("the new version serves", |status| status.version == 2).await;
    assert_eq!((status.rebuild_error, rig.folds().await), (None, vec![2]));
    let last = rig.append(10).await;
    new.reaches(last).await;
    assert_eq!((rig.folds().await, rig.differences().await), (vec![2], NOTHING));
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM noted_events_a").fetch_one(&rig.superuser).await.unwrap();
    assert_eq!(left, 0, "the old slot is emptied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_whose_process_is_gone_leaves_what_serves_and_is_run_again_by_another() {
    let mut rig = Rig::open().await;
    let control = Arc::new(Control::default());
    let node = rig.node(1, vec![noted(1, &control)], Vec::new()).await;
    let last = rig.append(LONG).await;
    node.reaches(last).await;
    control.hold(Slot::B, last);
    let asking = rig.as_role("palmares_committer").await;
    assert!(requests::ask(&asking, NAME).await.unwrap());
    control.held().await;
    drop(node);

    let half: i64 = sqlx::query_scalar("SELECT count(*) FROM noted_events_b").fetch_one(&rig.superuser).await.unwrap();
    assert_eq!(half, 2_000, "it was in the middle");
    assert_eq!((rig.differences().await, rig.requests().await), (NOTHING, vec![None]));
    control.release();
    let other = rig.node(2, vec![noted(1, &control)], Vec::new()).await;
    eventually("the request is met", async || (rig.requests().await == [Some(None)]).then_some(())).await;
    let last = rig.append(10).await;
    other.reaches(last).await;
    assert_eq!(rig.differences().await, NOTHING);
    assert_eq!(control.fillings.load(Ordering::SeqCst), 3, "once at first, once in vain, once again");
}

/// Each is something that somebody could do to a read model. A rebuild tells of it, and mends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_tells_where_what_served_was_not_what_the_log_says() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(30).await;
    node.reaches(last).await;
    let asking = rig.as_role("palmares_committer").await;
    let attacks = [
        ("SELECT 1", (0, 0)),
        ("UPDATE SERVING SET amount = amount + 1 WHERE position = 7", (1, 1)),
        ("DELETE FROM SERVING WHERE position IN (8, 9)", (2, 0)),
        ("DELETE FROM SERVING", (30, 0)),
        (
            "INSERT INTO SERVING SELECT organization_id, position + 1000, event_id, amount, times, fold FROM noted_events WHERE position = 7",
            (0, 1),
        ),
        (
            "UPDATE SERVING SET event_id = (SELECT event_id FROM noted_events n WHERE n.position = 23 - SERVING.position) WHERE position IN (11, 12)",
            (2, 2),
        ),
        ("UPDATE SERVING SET organization_id = gen_random_uuid() WHERE position = 30", (1, 1)),
        // Readers see the other slot, which is empty.
        ("UPDATE projection_slots SET active = CASE active WHEN 'a' THEN 'b' ELSE 'a' END WHERE read_model = 'noted_events'", (30, 0)),
        // It applies five events once more.
        ("UPDATE checkpoints SET position = position - 5 WHERE name = 'noted' AND active", (5, 5)),
    ];
    for (attack, (missing, surplus)) in attacks {
        let slot: String = sqlx::query_scalar("SELECT active::text FROM projection_slots WHERE read_model = 'noted_events'")
            .fetch_one(&rig.superuser)
            .await
            .unwrap();
        sqlx::query(&attack.replace("SERVING", &format!("noted_events_{slot}"))).execute(&rig.superuser).await.unwrap();
        if attack.contains("checkpoints") {
            eventually("it applied them", async || (rig.differences().await != NOTHING).then_some(())).await;
            node.status_when("it is there again", |status| status.position == last).await;
        }
        let before = node.status().await.compared_at;
        assert!(requests::ask(&asking, NAME).await.unwrap());
        let status = node.status_when("it was compared", |status| status.compared_at != before).await;
        let found = status.comparison.expect("a comparison");
        assert_eq!(found.rows(), missing + surplus, "{attack}: {found:?}");
        if let Some(difference) = found.differences.first() {
            assert_eq!((difference.table.as_str(), difference.missing, difference.surplus), ("noted_events", missing, surplus), "{attack}");
            assert_eq!(difference.organizations.is_empty(), attack.contains("projection_slots"));
        }
        assert_eq!(rig.differences().await, NOTHING, "{attack}: the log serves");
    }
}

/// What is known to lack events, or is of another fold, is no finding.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_has_nothing_to_compare_with_says_nothing() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(30).await;
    node.reaches(last).await;
    let asking = rig.as_role("palmares_committer").await;
    let set_aside = "INSERT INTO parked_events (name, slot, position, organization_id, sequence_key, event_id, event_type, error)
        SELECT name, slot, 1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'x', 'x' FROM checkpoints WHERE name = 'noted' AND active";
    sqlx::query(set_aside).execute(&rig.superuser).await.unwrap();
    assert!(requests::ask(&asking, NAME).await.unwrap());
    eventually("the request is met", async || (rig.requests().await == [Some(None)]).then_some(())).await;
    assert_eq!(node.status().await.comparison, None);
}

/// Whoever looks during a swap, and `GET /ready` does, sees a projection at work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_is_running_all_through_a_rebuild() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(50).await;
    node.reaches(last).await;
    let asking = rig.as_role("palmares_committer").await;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        assert!(requests::ask(&asking, NAME).await.unwrap());
        let status = eventually("the rebuild is done and its slot followed", async || {
            let status = node.status().await;
            let followed: bool = sqlx::query_scalar("SELECT owner IS NOT NULL FROM checkpoints WHERE name = $1 AND active")
                .bind(NAME)
                .fetch_one(&rig.superuser)
                .await
                .unwrap();
            let done = status.rebuild_position.is_none() && followed;
            Some(status.status).filter(|status| status != "running" || done)
        })
        .await;
        seen.insert(status);
    }
    assert_eq!(seen, BTreeSet::from(["running".to_owned()]));
    assert_eq!(rig.requests().await, vec![Some(None); 3]);
    assert_eq!(rig.differences().await, NOTHING);
}
