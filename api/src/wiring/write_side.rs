//! The write side of a process: the store, the keys and the engine.

use crate::{cli::ServerSettings, routes};
use anyhow::Context;
use palmares_commands::{
    engine::{Engine, EngineOptions},
    privacy::{
        ClientContexts, KeyRing, MasterKey, client_context::PostgresClientContextTable, data_keys::PostgresDataKeyTable,
        key_store::SealedFileKeyStore,
    },
    store::postgres::{PostgresStore, PostgresStoreOptions},
};
use sqlx::{PgPool, postgres::PgConnectOptions};
use std::sync::Arc;

pub(super) struct WriteSide {
    pub engine: Arc<Engine>,
    pub ring: Arc<KeyRing>,
    /// Connections of role `palmares_committer`.
    pub pool: PgPool,
}

impl WriteSide {
    pub async fn open(settings: &ServerSettings) -> anyhow::Result<Self> {
        let store = PostgresStore::open(PostgresStoreOptions::new(connect_options(settings)?)).await.context("opening the event store")?;
        let pool = store.pool().clone();
        let master = MasterKey::read(&settings.master_key_file)?;
        let key_store = SealedFileKeyStore::open(&settings.key_dir, &master)?;
        let ring = Arc::new(KeyRing::new(Arc::new(key_store), Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        ring.verify_key_store().await?;
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool.clone())));
        let options = EngineOptions { cache_bytes: settings.cache_bytes, permissions: routes::permissions().clone() };
        let engine = Engine::new(Arc::new(store), ring.clone(), Arc::new(contexts), options);
        Ok(Self { engine, ring, pool })
    }
}

/// The login that may take every role of Palmares.
pub(super) fn connect_options(settings: &ServerSettings) -> anyhow::Result<PgConnectOptions> {
    // The address holds a password, so what it is does not enter the error.
    settings.database_url.parse().map_err(|_| anyhow::anyhow!("DATABASE_URL is no address of a PostgreSQL database"))
}
