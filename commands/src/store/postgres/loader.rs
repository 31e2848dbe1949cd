//! Loads streams, many callers in one round trip: the read side of group commit.

use super::committer::Shared;
use super::statements;
use crate::store::{AppendError, LoadRequest, LoadedStream, Snapshot, StoredEvent, StreamHandle, StreamKey};
use palmares_domain::kernel::EventId;
use sqlx::{PgPool, Row};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Streams per round trip, and round trips at once.
const LOAD_MAX: usize = 256;
const LOADS_AT_ONCE: usize = 4;

type Waiter = (LoadRequest, oneshot::Sender<Result<LoadedStream, AppendError>>);

#[derive(Clone)]
pub(super) struct Loader {
    queue: mpsc::UnboundedSender<Waiter>,
}

impl Loader {
    pub fn start(pool: PgPool, shared: Arc<Shared>) -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel::<Waiter>();
        tokio::spawn(async move {
            let permits = Arc::new(Semaphore::new(LOADS_AT_ONCE));
            let mut batch = Vec::with_capacity(LOAD_MAX);
            while let Ok(permit) = permits.clone().acquire_owned().await {
                if waiting.recv_many(&mut batch, LOAD_MAX).await == 0 {
                    return;
                }
                let (pool, batch) = (pool.clone(), std::mem::take(&mut batch));
                // Read before the query: what is given up meanwhile must not look newer than it is.
                let term = shared.term.load(Ordering::Acquire);
                tokio::spawn(async move {
                    answer(&pool, batch, term).await;
                    drop(permit);
                });
            }
        });
        Self { queue }
    }

    pub async fn load(&self, request: LoadRequest) -> Result<LoadedStream, AppendError> {
        let stopped = || AppendError::Unavailable("the loader has stopped".into());
        let (waiter, answer) = oneshot::channel();
        self.queue.send((request, waiter)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn answer(pool: &PgPool, batch: Vec<Waiter>, term: u64) {
    let (requests, waiters): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    match load_many(pool, &requests, term).await {
        Ok(loaded) => {
            for (waiter, stream) in waiters.into_iter().zip(loaded) {
                // A waiter that left does not need the answer.
                let _ = waiter.send(Ok(stream));
            }
        }
        Err(error) => {
            for waiter in waiters {
                let _ = waiter.send(Err(super::unavailable(&error)));
            }
        }
    }
}

async fn load_many(pool: &PgPool, requests: &[LoadRequest], term: u64) -> Result<Vec<LoadedStream>, sqlx::Error> {
    let mut loaded: Vec<LoadedStream> = requests.iter().map(|_| LoadedStream::default()).collect();
    let mut connection = pool.acquire().await?;
    let snapshots = sqlx::query(statements::LOAD_SNAPSHOTS)
        .bind(requests.iter().map(|r| r.stream.organization.0).collect::<Vec<_>>())
        .bind(requests.iter().map(|r| r.stream.stream_type).collect::<Vec<_>>())
        .bind(requests.iter().map(|r| r.stream.id).collect::<Vec<_>>())
        .bind(requests.iter().map(|r| r.shape as i16).collect::<Vec<_>>())
        .fetch_all(&mut *connection)
        .await?;
    let mut wanted: HashMap<i64, Vec<usize>> = HashMap::new();
    for row in &snapshots {
        let index = row.try_get::<i64, _>(0)? as usize - 1;
        let key: i64 = row.try_get(1)?;
        loaded[index].handle = Some(StreamHandle { key: StreamKey(key), term });
        if let Some(version) = row.try_get::<Option<i64>, _>(2)? {
            loaded[index].snapshot = Some(Snapshot { version, shape: row.try_get::<i16, _>(3)? as u16, state: row.try_get(4)? });
        }
        wanted.entry(key).or_default().push(index);
    }
    if wanted.is_empty() {
        return Ok(loaded);
    }
    let after = |indexes: &[usize]| indexes.iter().map(|i| loaded[*i].snapshot.as_ref().map_or(0, |s| s.version)).min().unwrap_or(0);
    let (keys, versions): (Vec<i64>, Vec<i64>) = wanted.iter().map(|(key, indexes)| (*key, after(indexes))).unzip();
    let rows = sqlx::query(statements::LOAD_EVENTS).bind(keys).bind(versions).fetch_all(&mut *connection).await?;
    let mut sealed_positions: Vec<i64> = Vec::new();
    let mut places: HashMap<i64, Vec<(usize, usize)>> = HashMap::new();
    for row in &rows {
        let (key, position, version): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        for index in &wanted[&key] {
            if loaded[*index].snapshot.as_ref().is_some_and(|snapshot| snapshot.version >= version) {
                continue;
            }
            if requests[*index].with_sealed {
                sealed_positions.push(position);
                places.entry(position).or_default().push((*index, loaded[*index].events.len()));
            }
            loaded[*index].events.push(StoredEvent {
                id: EventId(row.try_get(3)?),
                position,
                version,
                event_type: row.try_get(4)?,
                schema_version: row.try_get::<i16, _>(5)? as u16,
                payload: row.try_get(6)?,
                sealed: Vec::new(),
            });
        }
    }
    if !sealed_positions.is_empty() {
        for row in sqlx::query(statements::LOAD_SEALED).bind(sealed_positions).fetch_all(&mut *connection).await? {
            for (index, event) in &places[&row.try_get::<i64, _>(0)?] {
                loaded[*index].events[*event].sealed.push((row.try_get(1)?, row.try_get(2)?));
            }
        }
    }
    Ok(loaded)
}
