//! The write side of a process: the store, the keys and the engine.

use crate::{cli::ServerSettings, routes};
use anyhow::Context;
use palmares_commands::{
    engine::{Engine, EngineOptions},
    privacy::{
        ClientContexts, Custody, KeyRing, KeyStore, MasterKey, PostgresSealedRows, VaultKeyStore,
        client_context::PostgresClientContextTable,
        data_keys::{
            PostgresDataKeyTable,
            postgres_life::{PostgresKeyLife, eraser_pool},
        },
        key_store::SealedFileKeyStore,
    },
    store::postgres::{PostgresStore, PostgresStoreOptions, Tail},
};
use sqlx::{PgPool, postgres::PgConnectOptions};
use std::sync::Arc;

pub(super) struct WriteSide {
    pub engine: Arc<Engine>,
    pub ring: Arc<KeyRing>,
    /// What may be done to keys beyond sealing and opening.
    pub custody: Arc<Custody>,
    /// What this node committed last.
    pub tail: Arc<Tail>,
    /// Connections of role `palmares_committer`.
    pub pool: PgPool,
}

impl WriteSide {
    pub async fn open(settings: &ServerSettings) -> anyhow::Result<Self> {
        let store = PostgresStore::open(PostgresStoreOptions::new(connect_options(settings)?)).await.context("opening the event store")?;
        let (pool, tail) = (store.pool().clone(), store.tail());
        let ring = Arc::new(KeyRing::new(key_store(settings)?, Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        ring.verify_key_store().await?;
        ring.follow(Some(pool.clone())).await.context("following what becomes of keys")?;
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool.clone())));
        let options =
            EngineOptions { cache_bytes: settings.cache_bytes, permissions: routes::permissions().clone(), clock: settings.clock.clone() };
        let engine = Engine::new(Arc::new(store), ring.clone(), Arc::new(contexts), options);
        let eraser = eraser_pool(&pool);
        let life = Arc::new(PostgresKeyLife::new(eraser.clone()));
        let custody = Arc::new(Custody::new(ring.clone(), life, Arc::new(PostgresSealedRows::new(eraser))));
        Ok(Self { engine, ring, custody, tail, pool })
    }
}

/// Where epoch keys are: in Vault where it is given, else in sealed files.
fn key_store(settings: &ServerSettings) -> anyhow::Result<Arc<dyn KeyStore>> {
    if let Some(vault) = &settings.vault {
        return Ok(Arc::new(VaultKeyStore::new(vault.clone())?));
    }
    let master = MasterKey::read(&settings.master_key_file)?;
    Ok(Arc::new(SealedFileKeyStore::open(&settings.key_dir, &master)?))
}

/// The login that may take every role of Palmares.
pub(super) fn connect_options(settings: &ServerSettings) -> anyhow::Result<PgConnectOptions> {
    // The address holds a password, so what it is does not enter the error.
    settings.database_url.parse().map_err(|_| anyhow::anyhow!("DATABASE_URL is no address of a PostgreSQL database"))
}
