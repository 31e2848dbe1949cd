//! Tells other nodes that the log grew, and hears it from them. Outside every append: a NOTIFY in
//! a transaction takes a lock that would serialise all commits.

use super::committer::Shared;
use super::statements;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::Arc;
use std::time::Duration;

/// The channel on which the newest position is told.
pub const CHANNEL: &str = "palmares_log";

/// However fast the log grows, others hear of it at most this often.
const COALESCE: Duration = Duration::from_millis(20);
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn start(pool: PgPool, shared: Arc<Shared>) {
    tokio::spawn(tell(pool.clone(), Arc::downgrade(&shared), shared.committed.subscribe()));
    tokio::spawn(hear(pool, Arc::downgrade(&shared)));
}

async fn tell(pool: PgPool, shared: std::sync::Weak<Shared>, mut committed: tokio::sync::watch::Receiver<i64>) {
    let mut pace = tokio::time::interval(COALESCE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while committed.changed().await.is_ok() && shared.strong_count() > 0 {
        let position = *committed.borrow_and_update();
        if let Err(error) = sqlx::query(statements::NOTIFY).bind(position.to_string()).execute(&pool).await {
            tracing::debug!(%error, "other nodes were not told; their poll finds out");
        }
        pace.tick().await;
    }
}

async fn hear(pool: PgPool, shared: std::sync::Weak<Shared>) {
    loop {
        if let Err(error) = listen(&pool, &shared).await {
            tracing::debug!(%error, "the listener's connection is lost");
        }
        if shared.strong_count() == 0 || pool.is_closed() {
            return;
        }
        // After a lost connection something may have been missed; a fence miss would find it too.
        if let Some(shared) = shared.upgrade() {
            shared.foreign_append.notify_one();
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn listen(pool: &PgPool, shared: &std::sync::Weak<Shared>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let told = listener.recv().await?;
        let Some(shared) = shared.upgrade() else { return Ok(()) };
        if told.payload().parse::<i64>().is_ok_and(|position| position > *shared.committed.borrow()) {
            shared.foreign_append.notify_one();
        }
    }
}
