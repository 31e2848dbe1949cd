//! What only the store on PostgreSQL promises: several nodes, followers, and an append-only log.

use crate::support::servers::{self, Database};
use crate::support::streams::{append, assert_contiguous, follow, stream};
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions, statements};
use palmares_commands::store::{self, AppendError, EventStore, LoadRequest};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::sync::Arc;

async fn node(database: &Database) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap())
}

async fn superuser(database: &Database) -> PgConnection {
    PgConnection::connect(&database.superuser_url).await.unwrap()
}

#[tokio::test]
async fn every_statement_of_the_store_is_prepared_as_the_committer() {
    let database = servers::database().await;
    let node = node(&database).await;
    for (name, sql) in statements::ALL {
        node.pool().prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_append_to_one_log_and_to_one_stream_without_a_gap() {
    let database = servers::database().await;
    let nodes = [node(&database).await, node(&database).await];
    let shared = stream();
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let node = nodes[n % 2].clone();
            tokio::spawn(async move {
                let own = stream();
                for version in 0..25 {
                    store::append(node.as_ref(), append(own, version, 1)).await.unwrap();
                    loop {
                        let request = LoadRequest { stream: shared, shape: 0, with_sealed: false };
                        let seen = node.load(request).await.unwrap().events.len() as i64;
                        match store::append(node.as_ref(), append(shared, seen, 1)).await {
                            Ok(_) => break,
                            Err(AppendError::WrongVersion { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let log = follow(nodes[0].as_ref()).await;
    assert_eq!(log.len(), 400);
    assert_contiguous(&log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_never_skips_a_late_committer() {
    let database = servers::database().await;
    let (fast, follower) = (node(&database).await, node(&database).await);
    // A slow writer: it takes positions and holds on to its transaction while others want theirs.
    let mut slow = superuser(&database).await;
    slow.execute("INSERT INTO streams VALUES (9000, gen_random_uuid(), 'user', gen_random_uuid())").await.unwrap();
    let following = tokio::spawn(async move {
        let mut seen: Vec<i64> = Vec::new();
        while seen.len() < 220 {
            let last = seen.last().copied().unwrap_or(0);
            seen.extend(follower.read_after(last, 50).await.unwrap().iter().map(|event| event.position));
        }
        seen
    });
    let writing = tokio::spawn(async move {
        for _ in 0..200 {
            store::append(fast.as_ref(), append(stream(), 0, 1)).await.unwrap();
        }
    });
    for version in 1..=20_i64 {
        let mut transaction = slow.begin().await.unwrap();
        let taken = "UPDATE log_head SET position = position + 1, recorded_at = clock_timestamp() RETURNING position";
        let position: i64 = transaction.fetch_one(taken).await.unwrap().get(0);
        sqlx::query(
            "INSERT INTO events SELECT $1, s.organization_id, s.key, $2, gen_random_uuid(), gen_random_uuid(), now(), NULL, 1,
                    'test.happened', '{}', '{}' FROM streams s WHERE key = 9000",
        )
        .bind(position)
        .bind(version)
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.execute("SELECT pg_sleep(0.01)").await.unwrap();
        transaction.commit().await.unwrap();
    }
    writing.await.unwrap();
    let seen = following.await.unwrap();
    assert_eq!(seen, (1..=220).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_rolled_back_append_gives_its_positions_back() {
    let database = servers::database().await;
    let node = node(&database).await;
    let mut other = superuser(&database).await;
    let mut transaction = other.begin().await.unwrap();
    transaction.execute("UPDATE log_head SET position = position + 100").await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(store::append(node.as_ref(), append(stream(), 0, 1)).await.unwrap().position, 1);
}

#[tokio::test]
async fn what_another_node_appends_is_announced() {
    let database = servers::database().await;
    let (here, there) = (node(&database).await, node(&database).await);
    let mut changes = here.foreign_changes();
    let name = stream();
    store::append(there.as_ref(), append(name, 0, 1)).await.unwrap();
    let changed = tokio::time::timeout(std::time::Duration::from_secs(30), changes.recv()).await.expect("in time").unwrap();
    assert_eq!(*changed, [name]);
    assert_eq!(*here.committed().borrow(), 1);
}

#[tokio::test]
async fn the_log_is_append_only_by_grant_and_by_trigger() {
    let database = servers::database().await;
    let node = node(&database).await;
    store::append(node.as_ref(), append(stream(), 0, 1)).await.unwrap();
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let mut superuser = superuser(&database).await;
    for change in
        ["UPDATE events SET version = 2", "DELETE FROM events", "TRUNCATE events", "UPDATE streams SET type = 'x'", "DELETE FROM streams"]
    {
        for role in ["palmares_committer", "palmares_reader", "palmares_projector", "palmares_relay"] {
            owner.execute(format!("SET ROLE {role}").as_str()).await.unwrap();
            let refused = owner.execute(change).await.unwrap_err().to_string();
            assert!(refused.contains("permission denied"), "{role}: {change}: {refused}");
        }
        owner.execute("RESET ROLE").await.unwrap();
        for (who, connection) in [("owner", &mut owner), ("superuser", &mut superuser)] {
            let refused = connection.execute(change).await.unwrap_err().to_string();
            assert!(refused.contains("is append-only"), "{who}: {change}: {refused}");
        }
    }
    assert_eq!(follow(node.as_ref()).await.len(), 1);
}
