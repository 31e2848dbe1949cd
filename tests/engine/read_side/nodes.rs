//! Several processes on one log: one works, the others stand by, and no event is missed or met twice.

use super::{
    model::{Control, NAME, noted, owner},
    rig::Rig,
};
use crate::support::{
    running::eventually,
    streams::{self, appends, event},
};
use palmares_commands::store::{self, NewEvent, StreamWrite};
use std::sync::Arc;
use uuid::Uuid;

const NOTHING: Vec<i64> = Vec::new();

async fn serving(rig: &Rig) -> Option<Uuid> {
    sqlx::query_scalar("SELECT owner FROM checkpoints WHERE name = $1 AND active").bind(NAME).fetch_one(&rig.superuser).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_stands_by_and_takes_over_when_the_first_dies() {
    let mut rig = Rig::open().await;
    let control = Arc::new(Control::default());
    let first = rig.node(1, vec![noted(1, &control)], Vec::new()).await;
    let last = rig.append(50).await;
    first.reaches(last).await;
    let second = rig.node(2, vec![noted(1, &control)], Vec::new()).await;
    let last = rig.append(50).await;
    second.reaches(last).await;
    assert_eq!(serving(&rig).await, Some(owner(1)), "who reads elsewhere waits for the one that works");

    // It dies in the middle of a batch, which nothing remains of.
    control.hold(palmares_projections::engine::Slot::A, last + 1);
    rig.append(50).await;
    control.held().await;
    drop(first);
    control.release();
    let last = rig.append(50).await;
    second.reaches(last).await;
    assert_eq!((serving(&rig).await, rig.differences().await), (Some(owner(2)), NOTHING));
    rig.cached(last).await;

    // Who is asked to stop hands over without waiting for a lease.
    let third = rig.node(3, vec![noted(1, &control)], Vec::new()).await;
    second.supervisor.shutdown().await;
    let last = rig.append(50).await;
    third.reaches(last).await;
    rig.cached(last).await;
    assert_eq!((serving(&rig).await, rig.differences().await), (Some(owner(3)), NOTHING));
}

/// A node that lost its lease without noticing, such as one that was suspended, writes nothing any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_both_believe_to_own_the_checkpoint_one_writes() {
    let mut rig = Rig::open().await;
    let (stalled, lively) = (Arc::new(Control::default()), Arc::new(Control::default()));
    let first = rig.node(1, vec![noted(1, &stalled)], Vec::new()).await;
    let last = rig.append(50).await;
    first.reaches(last).await;
    sqlx::query("UPDATE checkpoints SET lease_until = '-infinity', owner = $1 WHERE active")
        .bind(owner(9))
        .execute(&rig.superuser)
        .await
        .unwrap();
    let second = rig.node(2, vec![noted(1, &lively)], Vec::new()).await;
    eventually("the second took over", async || (serving(&rig).await == Some(owner(2))).then_some(())).await;
    let last = rig.append(200).await;
    second.reaches(last).await;
    assert_eq!((serving(&rig).await, rig.differences().await), (Some(owner(2)), NOTHING));
    drop(first);
}

/// Positions come from one row under its lock, so that what commits late also stands late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_committer_among_many_writers_is_not_skipped() {
    let mut rig = Rig::open().await;
    let node = rig.node(1, vec![noted(1, &Arc::default())], Vec::new()).await;
    let before = rig.append(10).await;
    node.reaches(before).await;

    let mut late = rig.superuser.begin().await.unwrap();
    let (position, key): (i64, i64) =
        sqlx::query_as("UPDATE log_head SET position = position + 1, stream_key = stream_key + 1 RETURNING position, stream_key")
            .fetch_one(&mut *late)
            .await
            .unwrap();
    let stream = streams::stream();
    sqlx::query("INSERT INTO streams (key, organization_id, type, id) VALUES ($1, $2, 'user', $3)")
        .bind(key)
        .bind(Uuid::now_v7())
        .bind(stream.id)
        .execute(&mut *late)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO events (position, organization_id, stream_key, version, event_id, actor_id, recorded_at, schema_version,
             event_type, payload, metadata)
         SELECT $1, s.organization_id, s.key, 1, gen_random_uuid(), s.id, clock_timestamp(), 1, 'test.happened',
             convert_to('{\"amount\": 99}', 'UTF8'), convert_to('{}', 'UTF8')
         FROM streams s WHERE s.key = $2",
    )
    .bind(position)
    .bind(key)
    .execute(&mut *late)
    .await
    .unwrap();

    let mut writers = Vec::new();
    for _ in 0..4 {
        let store = Arc::new(rig.writer().await);
        for _ in 0..5 {
            let store = store.clone();
            writers.push(tokio::spawn(async move {
                let events = (0..3).map(|n| NewEvent { payload: format!("{{\"amount\": {n}}}").into_bytes(), ..event("") }).collect();
                let write = StreamWrite { stream: streams::stream(), expected_version: 0, handle: None, events };
                store::append(store.as_ref(), appends(vec![write])).await.unwrap().position
            }));
        }
    }
    eventually("every writer's process waits for the late one", async || {
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                .fetch_one(&rig.superuser)
                .await
                .unwrap();
        (waiting >= 4).then_some(())
    })
    .await;
    assert_eq!(node.status().await.position, before, "nothing is behind what is not there yet");
    late.commit().await.unwrap();
    let mut last = position;
    for writer in writers {
        last = last.max(writer.await.unwrap());
    }
    assert_eq!(last, position + 60);
    node.reaches(last).await;
    rig.cached(last).await;
    assert_eq!(rig.differences().await, NOTHING);
}
