//! What the committer does when PostgreSQL does not answer: it connects again, finds out what was
//! recorded, and does not let anyone wait for ever.

use super::batch::{Batch, Submitted};
use super::committer::Committer;
use super::{slow_path, writer};
use crate::store::AppendError;
use sqlx::PgConnection;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long the committer tries to reach PostgreSQL again before it answers `Unavailable`.
const RECONNECT_SECONDS: u64 = 15;

impl Committer {
    /// After a lost connection: connects again, finds out whether the batch was recorded, and goes on.
    pub(super) async fn recover(&mut self, error: sqlx::Error, batch: Batch) -> Option<PgConnection> {
        let event_id = batch.first_event_id();
        let mut error = error;
        let deadline = Instant::now() + Duration::from_secs(RECONNECT_SECONDS);
        loop {
            let Some(mut connection) = self.reconnect_until(error, deadline).await else {
                return self.give_up(batch).await;
            };
            match slow_path::was_recorded(&mut connection, self.position, event_id).await {
                Ok(Some(recorded_at)) => {
                    self.committed(batch, recorded_at);
                    return Some(connection);
                }
                Ok(None) => {
                    let submitted = self.take_back(Some(batch));
                    let refreshed = self.refresh(&mut connection).await;
                    self.admit_all(submitted);
                    return match refreshed {
                        Ok(()) => Some(connection),
                        Err(error) => self.reconnect(error).await,
                    };
                }
                Err(again) => error = again,
            }
        }
    }

    /// The store stayed away: nobody waits for ever, and nothing of what was known is trusted.
    async fn give_up(&mut self, batch: Batch) -> Option<PgConnection> {
        let reason = AppendError::Unavailable("PostgreSQL does not answer".into());
        batch.refuse(&reason);
        self.refuse_everything(&reason);
        self.reconnect(sqlx::Error::WorkerCrashed).await
    }

    fn refuse_everything(&mut self, reason: &AppendError) {
        self.shared.term.fetch_add(1, Ordering::AcqRel);
        std::mem::take(&mut self.filling).refuse(reason);
        let mut waiting: Vec<Submitted> = std::mem::take(&mut self.carried).into();
        while let Ok(submitted) = self.inbox.try_recv() {
            waiting.push(submitted);
        }
        for submitted in waiting {
            // A waiter that left does not need the answer.
            let _ = submitted.waiter.send(Err(reason.clone()));
        }
        self.heads.clear();
    }

    /// Connects again, for as long as it takes; what arrives meanwhile is refused after a while.
    pub(super) async fn reconnect(&mut self, error: sqlx::Error) -> Option<PgConnection> {
        let mut error = error;
        loop {
            let deadline = Instant::now() + Duration::from_secs(RECONNECT_SECONDS);
            if let Some(mut connection) = self.reconnect_until(error, deadline).await {
                let submitted = self.take_back(None);
                let refreshed = self.refresh(&mut connection).await;
                self.admit_all(submitted);
                match refreshed {
                    Ok(()) => return Some(connection),
                    Err(again) => error = again,
                }
            } else {
                self.refuse_everything(&AppendError::Unavailable("PostgreSQL does not answer".into()));
                if self.inbox.is_closed() {
                    return None;
                }
                error = sqlx::Error::WorkerCrashed;
            }
        }
    }

    async fn reconnect_until(&self, error: sqlx::Error, deadline: Instant) -> Option<PgConnection> {
        tracing::warn!(%error, "the committer's connection is lost");
        let mut pause = Duration::from_millis(20);
        while Instant::now() < deadline {
            match writer::connect(&self.options).await {
                Ok(connection) => return Some(connection),
                Err(error) => tracing::debug!(%error, "PostgreSQL does not answer yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        None
    }
}
