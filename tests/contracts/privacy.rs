//! The tables of keys and client contexts keep their contracts on PostgreSQL.

use crate::support::servers;
use palmares_commands::privacy::client_context::PostgresClientContextTable;
use palmares_commands::privacy::contract;
use palmares_commands::privacy::data_keys::PostgresDataKeyTable;
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};

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
