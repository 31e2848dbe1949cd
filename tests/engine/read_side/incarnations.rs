//! A log that was restored gives positions out again: nobody takes an old event for a new one.

use super::{model::noted, rig::Rig};
use crate::support::running::eventually;
use std::sync::Arc;

const NOTHING: Vec<i64> = Vec::new();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_incarnation_under_a_running_node_makes_a_new_stream() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(50).await;
    node.reaches(last).await;
    rig.cached(last).await;
    let old = rig.stream_name().await;
    sqlx::query("UPDATE log_head SET incarnation = gen_random_uuid()").execute(&rig.superuser).await.unwrap();
    assert_ne!(rig.stream_name().await, old);
    rig.cached(last).await;
    assert!(rig.jetstream().await.get_stream(&old).await.is_err(), "the old one is gone");
    let last = rig.append(50).await;
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}

/// What a restore of a copy from position 60 leaves: the log, the read models and the checkpoints of then.
const RESTORE: &str = "
    BEGIN;
    SET LOCAL session_replication_role = replica;
    DELETE FROM events WHERE position > 60;
    UPDATE log_head SET position = 60, incarnation = gen_random_uuid();
    DELETE FROM noted_events_a WHERE position > 60;
    UPDATE checkpoints SET position = 60 WHERE active;
    COMMIT;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_log_is_folded_as_it_is_now_and_not_as_it_was() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    rig.append(60).await;
    let last = rig.append(40).await;
    node.reaches(last).await;
    rig.cached(last).await;
    sqlx::raw_sql(RESTORE).execute(&rig.superuser).await.unwrap();
    // The writers of before are gone; the new one goes on where the copy ended.
    rig.store = rig.writer().await;
    let last = rig.append(20).await;
    assert_eq!(last, 80);
    node.reaches(last).await;
    rig.cached(last).await;
    // Past where the old log ended.
    let last = rig.append(50).await;
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}

/// The same for what a node was just about to commit, with the checkpoint exactly where it left it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_the_old_log_is_not_committed_to_the_new_one() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let last = rig.append(60).await;
    node.reaches(last).await;
    // Has read what comes behind 60, and waits for the lock on its checkpoint.
    let mut lock = rig.superuser.begin().await.unwrap();
    sqlx::query("SELECT FROM checkpoints WHERE active FOR UPDATE").execute(&mut *lock).await.unwrap();
    rig.append(40).await;
    eventually("the batch waits", async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
             AND query LIKE '%UPDATE checkpoints SET position%'",
        )
        .fetch_one(&rig.superuser)
        .await
        .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    let restore = RESTORE.replace("BEGIN;", "").replace("COMMIT;", "");
    sqlx::raw_sql(&restore).execute(&mut *lock).await.unwrap();
    lock.commit().await.unwrap();
    rig.store = rig.writer().await;
    let last = rig.append(20).await;
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}
