//! How a node hears that keys were hidden, shown or destroyed elsewhere, and what it does while it
//! cannot hear.
//!
//! Every change is a row with a number. A node asks for those after the last it knows every second,
//! and at once when it is told; whoever has not been answered for longer than the lease uses no
//! prepared key, and fetches each from the table, where a destroyed one is not.

use super::{KeyRing, PrivacyError};
use crate::privacy::data_keys::postgres_life::CHANNEL;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long after a destruction no node opens anything with the key any more, whatever it heard.
pub const FORGOTTEN_EVERYWHERE_WITHIN: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(1);
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
const NOT_FOLLOWED: u64 = u64::MAX;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Until when prepared keys may be used, in milliseconds since [`START`].
pub(super) struct Lease(AtomicU64);

impl Default for Lease {
    /// A ring that follows nobody trusts itself.
    fn default() -> Self {
        Self(AtomicU64::new(NOT_FOLLOWED))
    }
}

impl Lease {
    pub fn holds(&self) -> bool {
        let until = self.0.load(Ordering::Acquire);
        until == NOT_FOLLOWED || now() < until
    }

    /// What was committed before `asked` is known here.
    fn renew(&self, asked: u64) {
        self.0.store(asked + FORGOTTEN_EVERYWHERE_WITHIN.as_millis() as u64, Ordering::Release);
    }

    #[cfg(test)]
    pub fn end(&self) {
        self.0.store(0, Ordering::Release);
    }
}

fn now() -> u64 {
    START.elapsed().as_millis() as u64
}

impl KeyRing {
    /// Follows the changes of all nodes for as long as the ring lives. `told` makes it hear at once.
    pub async fn follow(self: &Arc<Self>, told: Option<PgPool>) -> Result<(), PrivacyError> {
        let asked = now();
        let seq = self.table.last_change().await?;
        self.lease.renew(asked);
        let wake = Arc::new(Notify::new());
        if let Some(pool) = told {
            // A connection of its own: the pool's are for those who wait.
            let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(pool.connect_options().as_ref().clone());
            tokio::spawn(listen(pool, Arc::downgrade(self), wake.clone()));
        }
        tokio::spawn(ask(Arc::downgrade(self), seq, wake));
        Ok(())
    }

    /// Forgets what changed after `seq`, and answers how far it knows now.
    async fn catch_up(&self, seq: i64) -> Result<i64, PrivacyError> {
        let asked = now();
        let changes = self.table.changes_after(seq).await?;
        if !self.lease.holds() {
            // What was gone for long may have been told and tidied away meanwhile.
            self.evict_all();
        }
        for change in &changes {
            self.evict(change.subject.organization, change.subject.id);
        }
        self.data_keys.tidy();
        self.lease.renew(asked);
        Ok(changes.last().map_or(seq, |change| change.seq))
    }

    fn evict_all(&self) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        self.data_keys.forget_all();
        self.epoch_keys.invalidate_all();
    }
}

async fn ask(ring: Weak<KeyRing>, mut seq: i64, wake: Arc<Notify>) {
    loop {
        let _ = tokio::time::timeout(ASK_EVERY, wake.notified()).await;
        let Some(ring) = ring.upgrade() else { return };
        // An answer that takes longer than the lease is none.
        match tokio::time::timeout(FORGOTTEN_EVERYWHERE_WITHIN, ring.catch_up(seq)).await {
            Ok(Ok(known)) => seq = known,
            Ok(Err(error)) => tracing::debug!(%error, "changes of keys cannot be read"),
            Err(_) => tracing::debug!("changes of keys were not answered in time"),
        }
    }
}

async fn listen(pool: PgPool, ring: Weak<KeyRing>, wake: Arc<Notify>) {
    while ring.strong_count() > 0 {
        if let Err(error) = hear(&pool, &ring, &wake).await {
            tracing::debug!(%error, "the listener for keys lost its connection");
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn hear(pool: &PgPool, ring: &Weak<KeyRing>, wake: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    while ring.strong_count() > 0 {
        // Looked at now and then, so that the connection ends with the ring.
        if let Ok(told) = tokio::time::timeout(ASK_EVERY * 5, listener.recv()).await {
            told?;
            wake.notify_one();
        }
    }
    Ok(())
}
