//! The write side of a process: the store, the keys and the engine.

use crate::{cli::ServerSettings, routes};
use anyhow::Context;
use palmares_commands::{
    engine::{Engine, EngineOptions},
    privacy::{
        ClientContexts, Custody, KeyRing, PostgresSealedRows,
        client_context::PostgresClientContextTable,
        data_keys::{
            PostgresDataKeyTable,
            postgres_life::{PostgresKeyLife, eraser_pool},
        },
    },
    store::postgres::{PostgresStore, PostgresStoreOptions, Tail, VoucherKey},
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
    /// Knows what a node of this system committed.
    pub voucher_key: VoucherKey,
    /// Connections of role `palmares_committer`.
    pub pool: PgPool,
}

impl WriteSide {
    pub async fn open(settings: &ServerSettings) -> anyhow::Result<Self> {
        let keys = settings.keys.open()?;
        let voucher_key = VoucherKey::of(keys.as_ref()).await.context("reading the key that vouches for events")?;
        let options = PostgresStoreOptions::new(connect_options(settings)?).vouched_by(voucher_key.clone());
        let store = PostgresStore::open(options).await.context("opening the event store")?;
        let (pool, tail) = (store.pool().clone(), store.tail());
        let ring = Arc::new(KeyRing::new(keys, Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        ring.verify_key_store().await?;
        ring.follow(Some(pool.clone())).await.context("following what becomes of keys")?;
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool.clone())));
        let options =
            EngineOptions { cache_bytes: settings.cache_bytes, permissions: routes::permissions().clone(), clock: settings.clock.clone() };
        let engine = Engine::new(Arc::new(store), ring.clone(), Arc::new(contexts), options);
        let eraser = eraser_pool(&pool);
        let life = Arc::new(PostgresKeyLife::new(eraser.clone()));
        let custody = Arc::new(Custody::new(ring.clone(), life, Arc::new(PostgresSealedRows::new(eraser))));
        Ok(Self { engine, ring, custody, tail, voucher_key, pool })
    }
}

/// The login that may take every role of Palmares.
pub(super) fn connect_options(settings: &ServerSettings) -> anyhow::Result<PgConnectOptions> {
    // The address holds a password, so what it is does not enter the error.
    settings.database_url.parse().map_err(|_| anyhow::anyhow!("DATABASE_URL is no address of a PostgreSQL database"))
}
