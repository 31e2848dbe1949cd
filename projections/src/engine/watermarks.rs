//! How far each projection got, for readers that want to see their own writes.

use super::log::Log;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// How often the checkpoint of a projection that runs in another process is looked at.
const POLL: Duration = Duration::from_millis(50);

const CHECKPOINT: &str = "SELECT position FROM checkpoints WHERE name = $1 AND active";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.watermarks.checkpoint", CHECKPOINT)];

/// A projection that did not get there in time.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    #[error("{projection} is at {position}, before {min_position}")]
    Behind { projection: String, position: i64, min_position: i64 },
    #[error("the checkpoints cannot be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// The position of one projection, as far as this process knows it.
#[derive(Debug)]
pub struct Watermark {
    position: watch::Sender<i64>,
    /// Whether it runs here: only then is `position` right without asking the database.
    here: AtomicBool,
}

impl Watermark {
    fn new() -> Self {
        Self { position: watch::Sender::new(0), here: AtomicBool::new(false) }
    }

    /// It runs here from now on, and stands at `position`.
    pub(super) fn lead(&self, position: i64) {
        self.position.send_replace(position);
        self.here.store(true, Ordering::Release);
    }

    /// What it read up to `position` is visible.
    pub(super) fn reach(&self, position: i64) {
        self.position.send_replace(position);
    }

    /// It does not run here any more. Wakes those who wait, so that they ask the database.
    pub(super) fn follow(&self) {
        self.here.store(false, Ordering::Release);
        self.position.send_modify(|_| {});
    }

    fn runs_here(&self) -> bool {
        self.here.load(Ordering::Acquire)
    }

    /// Waits in memory; false when the projection moved to another process meanwhile.
    async fn reached(&self, min_position: i64) -> bool {
        let mut position = self.position.subscribe();
        let reached = position.wait_for(|position| *position >= min_position || !self.runs_here()).await;
        reached.is_ok_and(|position| *position >= min_position) && self.runs_here()
    }
}

/// The watermarks of every projection.
#[derive(Clone)]
pub struct Watermarks {
    log: Log,
    known: Arc<Mutex<HashMap<String, Arc<Watermark>>>>,
}

impl Watermarks {
    pub fn new(log: Log) -> Self {
        Self { log, known: Arc::default() }
    }

    /// The watermark of one projection.
    pub(super) fn of(&self, projection: &str) -> Arc<Watermark> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watermark) = known.get(projection) {
            return watermark.clone();
        }
        let watermark = Arc::new(Watermark::new());
        known.insert(projection.to_owned(), watermark.clone());
        watermark
    }

    /// The lowest position among `projections` once all of them reached `min_position`; an error
    /// when one does not within `timeout`. A query without projections reads the log, and the log
    /// is at its head.
    pub async fn wait_for(&self, projections: &[&str], min_position: i64, timeout: Duration) -> Result<i64, WaitError> {
        if projections.is_empty() {
            return Ok(self.log.head().await?.position);
        }
        let deadline = Instant::now() + timeout;
        let mut lowest = i64::MAX;
        for projection in projections {
            lowest = lowest.min(self.wait_for_one(projection, min_position, deadline).await?);
        }
        Ok(lowest)
    }

    async fn wait_for_one(&self, projection: &str, min_position: i64, deadline: Instant) -> Result<i64, WaitError> {
        let watermark = self.of(projection);
        loop {
            if watermark.runs_here() {
                // On either end of the wait the position is looked at below.
                let _ = tokio::time::timeout_at(deadline, watermark.reached(min_position)).await;
            }
            let position = if watermark.runs_here() { *watermark.position.borrow() } else { self.stored(projection).await? };
            if position >= min_position {
                return Ok(position);
            }
            if Instant::now() >= deadline {
                return Err(WaitError::Behind { projection: projection.to_owned(), position, min_position });
            }
            tokio::time::sleep_until(deadline.min(Instant::now() + POLL)).await;
        }
    }

    async fn stored(&self, projection: &str) -> Result<i64, sqlx::Error> {
        let stored: Option<i64> = sqlx::query_scalar(CHECKPOINT).bind(projection).fetch_optional(self.log.pool()).await?;
        Ok(stored.unwrap_or(0))
    }
}
