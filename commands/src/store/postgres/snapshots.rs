//! Writes snapshots behind the commits; what is lost in a crash is made again.

use super::statements;
use crate::store::{Snapshot, StreamKey};
use palmares_domain::kernel::OrganizationId;
use sqlx::PgPool;
use std::collections::HashMap;
use tokio::sync::mpsc;

const QUEUE_MAX: usize = 4_096;
const WRITE_MAX: usize = 512;

pub(super) type Kept = (StreamKey, OrganizationId, Snapshot);

/// A queue that drops when it is full: a snapshot is an optimisation.
pub(super) fn start(pool: PgPool) -> mpsc::Sender<Kept> {
    let (queue, mut waiting) = mpsc::channel::<Kept>(QUEUE_MAX);
    tokio::spawn(async move {
        let mut arrived = Vec::with_capacity(WRITE_MAX);
        while waiting.recv_many(&mut arrived, WRITE_MAX).await > 0 {
            let mut newest: HashMap<StreamKey, (OrganizationId, Snapshot)> = HashMap::new();
            for (key, organization, snapshot) in arrived.drain(..) {
                let kept = newest.entry(key).or_insert_with(|| (organization, snapshot.clone()));
                if kept.1.version < snapshot.version {
                    kept.1 = snapshot;
                }
            }
            if let Err(error) = write(&pool, newest).await {
                tracing::warn!(%error, "snapshots were not kept");
            }
        }
    });
    queue
}

async fn write(pool: &PgPool, newest: HashMap<StreamKey, (OrganizationId, Snapshot)>) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = newest.into_iter().collect();
    rows.sort_unstable_by_key(|(key, _)| *key);
    sqlx::query(statements::KEEP_SNAPSHOTS)
        .bind(rows.iter().map(|(key, _)| key.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, (organization, _))| organization.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, (_, snapshot))| snapshot.version).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, (_, snapshot))| snapshot.shape as i16).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, (_, snapshot))| snapshot.state.as_slice()).collect::<Vec<_>>())
        .execute(pool)
        .await?;
    Ok(())
}
