//! Writes snapshots behind the commits; what is lost in a crash is made again.

use super::statements;
use crate::store::{Snapshot, StreamName};
use sqlx::PgPool;
use std::collections::HashMap;
use tokio::sync::mpsc;

const QUEUE_MAX: usize = 4_096;
const WRITE_MAX: usize = 512;

pub(super) type Kept = (StreamName, Snapshot);

/// A queue that drops when it is full: a snapshot is an optimisation.
pub(super) fn start(pool: PgPool) -> mpsc::Sender<Kept> {
    let (queue, mut waiting) = mpsc::channel::<Kept>(QUEUE_MAX);
    tokio::spawn(async move {
        let mut arrived = Vec::with_capacity(WRITE_MAX);
        while waiting.recv_many(&mut arrived, WRITE_MAX).await > 0 {
            let mut newest: HashMap<StreamName, Snapshot> = HashMap::new();
            for (stream, snapshot) in arrived.drain(..) {
                if newest.get(&stream).is_none_or(|kept| kept.version < snapshot.version) {
                    newest.insert(stream, snapshot);
                }
            }
            if let Err(error) = write(&pool, newest).await {
                tracing::warn!(%error, "snapshots were not kept");
            }
        }
    });
    queue
}

async fn write(pool: &PgPool, newest: HashMap<StreamName, Snapshot>) -> Result<(), sqlx::Error> {
    let rows: Vec<_> = newest.into_iter().collect();
    sqlx::query(statements::KEEP_SNAPSHOTS)
        .bind(rows.iter().map(|(stream, _)| stream.organization.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(stream, _)| stream.stream_type).collect::<Vec<_>>())
        .bind(rows.iter().map(|(stream, _)| stream.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, snapshot)| snapshot.version).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, snapshot)| snapshot.shape as i16).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, snapshot)| snapshot.state.as_slice()).collect::<Vec<_>>())
        .execute(pool)
        .await?;
    Ok(())
}
