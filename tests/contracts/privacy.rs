//! The tables of keys and client contexts keep their contracts on PostgreSQL.

use crate::support::servers;
use palmares_commands::privacy::client_context::PostgresClientContextTable;
use palmares_commands::privacy::data_keys::PostgresDataKeyTable;
use palmares_commands::privacy::data_keys::postgres_life::{PostgresKeyLife, eraser_pool};
use palmares_commands::privacy::{PostgresSealedRows, contract};
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use sqlx::{Connection, Executor, PgConnection};

async fn committer_pool() -> sqlx::PgPool {
    let database = servers::database().await;
    let store = PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap();
    store.pool().clone()
}

#[tokio::test]
async fn the_data_key_table_on_postgresql_keeps_its_contract() {
    contract::data_key_table(&PostgresDataKeyTable::new(committer_pool().await)).await.unwrap();
}

#[tokio::test]
async fn the_client_context_table_on_postgresql_keeps_its_contract() {
    contract::client_context_table(&PostgresClientContextTable::new(committer_pool().await)).await.unwrap();
}

// covers: P-53
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_life_of_keys_on_postgresql_keeps_its_contract() {
    let pool = committer_pool().await;
    let life = PostgresKeyLife::new(eraser_pool(&pool));
    contract::key_life(&PostgresDataKeyTable::new(pool), &life).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redaction_of_sealed_rows_on_postgresql_keeps_its_contract() {
    let database = servers::database().await;
    let store = PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap();
    let (pool, eraser) = (store.pool().clone(), eraser_pool(store.pool()));
    let (life, rows) = (PostgresKeyLife::new(eraser.clone()), PostgresSealedRows::new(eraser));
    let contexts = PostgresClientContextTable::new(pool.clone());
    contract::sealed_rows(&store, &contexts, &PostgresDataKeyTable::new(pool), &life, &rows).await.unwrap();
}

/// Not even the owner of the tables brings a key back.
#[tokio::test]
async fn a_tombstone_is_neither_changed_nor_deleted_by_anybody() {
    let database = servers::database().await;
    let mut superuser = PgConnection::connect(&database.superuser_url).await.unwrap();
    let tombstone = "INSERT INTO data_keys (organization_id, subject_id, purpose, erasure_id, destroyed_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'health', gen_random_uuid(), now())";
    superuser.execute(tombstone).await.unwrap();
    for change in ["UPDATE data_keys SET epoch = 1, wrapped = 'x', erasure_id = NULL, destroyed_at = NULL", "DELETE FROM data_keys"] {
        let refused = superuser.execute(change).await.unwrap_err().to_string();
        assert!(refused.contains("a tombstone stays"), "{change}: {refused}");
    }
}
