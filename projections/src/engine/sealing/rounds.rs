//! Reads the whole log again from time to time, and tells what was changed: nobody has to remember to ask.

use super::{
    Beside, Outside, SealError,
    audit::{Audit, audit},
    statements::{ROUND, ROUND_DONE, TRY_ROUND},
};
use crate::engine::{log::Log, stop::Stop, timetable::Timetables};
use futures::future::BoxFuture;
use sqlx::{Connection, PgConnection};
use std::{sync::Arc, time::Duration};

/// How often it is looked whether a round is due.
const LOOK: Duration = Duration::from_secs(60);
/// Findings that are told one by one; all are counted.
const TOLD: usize = 20;

/// Looks for keys that do not open, as whoever has the key store can.
pub type AlteredKeys = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<Vec<Beside>>> + Send + Sync>;

/// The rounds of one process. Of several that make them, one does at a time.
pub struct Rounds {
    log: Log,
    outside: Outside,
    every: Duration,
    timetables: Timetables,
    keys: Option<AlteredKeys>,
}

impl Rounds {
    pub fn new(log: Log, outside: Outside, every: Duration) -> Self {
        Self { log, outside, every, timetables: Timetables::default(), keys: None }
    }

    /// The same, with a look at timers and at keys.
    #[must_use]
    pub fn with(self, timetables: Timetables, keys: AlteredKeys) -> Self {
        Self { timetables, keys: Some(keys), ..self }
    }

    /// Makes rounds until stopped.
    pub async fn run(self, mut stop: Stop) {
        while stop.pause(LOOK).await {
            let mut until = stop.clone();
            let made = tokio::select! {
                () = until.stopped() => return,
                made = self.make() => made,
            };
            if let Err(error) = made {
                tracing::warn!(%error, "the log could not be read again; trying later");
            }
        }
    }

    /// Reads the log again, if the last time is long enough ago; answers how much was wrong.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn make(&self) -> Result<Option<i64>, SealError> {
        let mut lock = self.log.pool().acquire().await?.detach();
        let made = self.alone(&mut lock).await;
        lock.close().await?;
        made
    }

    async fn alone(&self, lock: &mut PgConnection) -> Result<Option<i64>, SealError> {
        if !sqlx::query_scalar::<_, bool>(TRY_ROUND).fetch_one(&mut *lock).await? {
            return Ok(None);
        }
        let (due, findings): (bool, i64) = sqlx::query_as(ROUND).bind(self.every.as_secs_f64()).fetch_one(&mut *lock).await?;
        metrics::gauge!("palmares_log_findings").set(findings as f64);
        if !due {
            return Ok(None);
        }
        let findings = match audit(&self.log, &self.outside, &self.timetables).await {
            Ok(mut audit) => {
                audit.beside.extend(self.altered_keys().await);
                tell(&audit)
            }
            Err(SealError::Refused(why)) => {
                tracing::error!(why, "the log is not the one that was signed");
                1
            }
            Err(error) => return Err(error),
        };
        sqlx::query(ROUND_DONE).bind(findings).execute(lock).await?;
        metrics::gauge!("palmares_log_findings").set(findings as f64);
        Ok(Some(findings))
    }

    /// A key store that does not answer says nothing of the log.
    async fn altered_keys(&self) -> Vec<Beside> {
        let Some(look) = &self.keys else { return Vec::new() };
        look().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether the keys of people open could not be seen");
            Vec::new()
        })
    }
}

fn tell(audit: &Audit) -> i64 {
    for finding in audit.findings.iter().take(TOLD) {
        tracing::error!(?finding, "the log is not the one that was signed");
    }
    for beside in audit.beside.iter().take(TOLD) {
        tracing::error!(?beside, "what stands beside the log does not fit it");
    }
    i64::try_from(audit.findings.len() + audit.beside.len()).unwrap_or(i64::MAX)
}
