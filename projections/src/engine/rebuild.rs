//! Fills the idle slot from the log while the other one serves, and swaps them.

use super::{
    batch::{BatchError, Workshop, wants},
    checkpoint::{self, Claim, Kind},
    comparison::{self, Comparison, Difference},
    projector::{ApplyContext, ApplyError, Projector, Slot},
    requests,
    slots::{self, Serving},
    stop::{Backoff, Stop},
    transient::is_transient,
};
use palmares_domain::kernel::RecordedEvent;
use sqlx::{Acquire, PgConnection, Postgres, Transaction};
use std::{collections::VecDeque, sync::Arc};

/// Events in one transaction.
const BATCH: i64 = 2_000;

/// Why a rebuild did not finish. The serving slot is as it was; it can be started again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("a rebuild of `{0}` is running already")]
    Running(&'static str),
    #[error("the rebuild was stopped")]
    Stopped,
    #[error("another process took the rebuild over")]
    Lost,
    /// A rebuild parks nothing: a read model with known holes must not replace the one that serves.
    #[error("the event at {position} cannot be applied: {error}")]
    Apply { position: i64, error: ApplyError },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl RebuildError {
    /// Whether another attempt would end the same way.
    fn is_final(&self) -> bool {
        match self {
            RebuildError::Running(_) | RebuildError::Stopped | RebuildError::Lost => false,
            RebuildError::Apply { error, .. } => !error.is_transient(),
            RebuildError::Database(error) => !is_transient(error),
        }
    }
}

/// A rebuild that owns the idle slot.
pub struct Rebuild {
    workshop: Workshop,
    projector: Arc<dyn Projector>,
    claim: Claim,
    stop: Stop,
}

impl Rebuild {
    /// Takes the idle slot; an error when another process has it, or met the request for it meanwhile.
    pub async fn begin(workshop: Workshop, projector: Arc<dyn Projector>, asked: bool, stop: Stop) -> Result<Self, RebuildError> {
        let (name, version) = (projector.name(), projector.version());
        checkpoint::create(&workshop.pool, name, Kind::Projector, version).await?;
        let claim = checkpoint::claim_idle(&workshop.pool, name, workshop.owner, version, asked).await?;
        let claim = claim.ok_or(RebuildError::Running(name))?;
        if let Err(error) = requests::start(&workshop.pool, name).await {
            claim.release(&workshop.pool).await?;
            return Err(error.into());
        }
        Ok(Self { workshop, projector, claim, stop })
    }

    /// Rebuilds from the first event; answers the position at which the slots swapped.
    pub async fn finish(mut self) -> Result<i64, RebuildError> {
        let (name, pool) = (self.claim.name, self.workshop.pool.clone());
        match self.run().await {
            Ok(position) => {
                tracing::info!(projection = name, position, "the rebuilt slot serves");
                // What the old slot holds is of no use; failing to empty it costs space until the
                // next rebuild, which empties it first.
                if let Err(error) = slots::empty(&pool, self.projector.as_ref(), self.claim.slot.other()).await {
                    tracing::warn!(projection = name, %error, "the old slot was not emptied");
                }
                Ok(position)
            }
            Err(error) => {
                tracing::error!(projection = name, %error, "the rebuild did not finish");
                if let Err(error) = self.record(&error).await {
                    tracing::warn!(projection = name, %error, "the failure was not recorded");
                }
                // Should this fail too, the lease runs out.
                let _ = self.claim.release(&pool).await;
                Err(error)
            }
        }
    }

    /// A request for it ends only with what no further attempt can change, and after its error is shown.
    async fn record(&self, error: &RebuildError) -> Result<(), sqlx::Error> {
        let reason = error.to_string();
        self.claim.fail(&self.workshop.pool, &reason).await?;
        if error.is_final() {
            requests::fail(&self.workshop.pool, &self.claim, &reason).await?;
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<i64, RebuildError> {
        slots::empty(&self.workshop.pool, self.projector.as_ref(), self.claim.slot).await?;
        loop {
            self.catch_up().await?;
            if let Some(position) = self.swap().await? {
                return Ok(position);
            }
        }
    }

    /// Applies the log up to its end, reading the next batch while one is written.
    async fn catch_up(&mut self) -> Result<(), RebuildError> {
        let log = self.workshop.log.clone();
        let mut events = log.read_after(self.claim.position, BATCH).await?;
        while let Some(reached) = events.last().map(|event| event.position) {
            if self.stop.is_stopped() {
                return Err(RebuildError::Stopped);
            }
            let batch = std::mem::take(&mut events).into_iter().map(Arc::new).collect();
            let (next, applied) = futures::join!(log.read_after(reached, BATCH), self.apply(batch, reached));
            applied?;
            events = next?;
        }
        Ok(())
    }

    /// Commits a batch; one that fails is halved, so that the error names the event.
    async fn apply(&mut self, mut events: Vec<Arc<RecordedEvent>>, reached: i64) -> Result<(), RebuildError> {
        events.retain(|event| wants(self.projector.interests(), event));
        let mut parts = VecDeque::from([(events, reached)]);
        let mut backoff = Backoff::new();
        while let Some((mut events, reached)) = parts.pop_front() {
            match self.workshop.commit(self.projector.as_ref(), &mut self.claim, &events, &[], reached).await {
                Ok(()) => {}
                Err(BatchError::Lost) => return Err(RebuildError::Lost),
                Err(BatchError::Apply(error)) if error.is_transient() => {
                    tracing::warn!(projection = self.claim.name, %error, "the batch will be tried again");
                    if !self.stop.pause(backoff.pause()).await {
                        return Err(RebuildError::Stopped);
                    }
                    // A commit whose answer was lost may have arrived.
                    match self.claim.stored_position(&self.workshop.pool).await {
                        Ok(Some(stored)) if stored == reached => self.claim.position = reached,
                        Ok(None) => return Err(RebuildError::Lost),
                        _ => parts.push_front((events, reached)),
                    }
                }
                Err(BatchError::Apply(error)) => {
                    let back = events.split_off(events.len() / 2);
                    let (Some(first), Some(end)) = (back.first(), events.last()) else {
                        let position = back.first().map_or(reached, |event| event.position);
                        return Err(RebuildError::Apply { position, error });
                    };
                    tracing::debug!(projection = self.claim.name, position = first.position, "halving a batch that failed");
                    let end = end.position;
                    parts.push_front((back, reached));
                    parts.push_front((events, end));
                }
            }
        }
        Ok(())
    }

    /// Makes the filled slot serve, unless the other one is too far ahead. The lock on both
    /// checkpoints holds the running projector back for as long as the last events take, and a look
    /// at where the two differ.
    async fn swap(&mut self) -> Result<Option<i64>, RebuildError> {
        let mut tx = self.workshop.pool.begin().await?;
        let serving = slots::lock(&mut tx, self.claim.name).await?;
        if serving.position - self.claim.position > BATCH {
            return Ok(None);
        }
        let position = serving.position.max(self.claim.position);
        let brought = self.bring(&mut tx, self.claim.slot, self.claim.position, position).await;
        brought.map_err(|error| RebuildError::Apply { position, error })?;
        let compared = self.compare(&mut tx, &serving, position).await?;
        if !slots::swap(&mut tx, self.projector.as_ref(), &self.claim, position).await? {
            return Err(RebuildError::Lost);
        }
        requests::fulfil(&mut tx, self.claim.name, compared.as_ref()).await?;
        tx.commit().await?;
        self.tell(compared.unwrap_or_default());
        Ok(Some(position))
    }

    /// Applies the events behind `after` up to `until`, which are few, to a slot.
    async fn bring(&self, tx: &mut PgConnection, slot: Slot, after: i64, until: i64) -> Result<(), ApplyError> {
        if after >= until {
            return Ok(());
        }
        let mut events: Vec<_> = self.workshop.log.read_after(after, until - after).await?.into_iter().map(Arc::new).collect();
        events.retain(|event| wants(self.projector.interests(), event));
        let batch = self.workshop.open(self.projector.opens_personal(), &events).await?;
        if batch.is_empty() {
            return Ok(());
        }
        let mut context = ApplyContext { tx, slot, keys: self.workshop.keys.as_ref() };
        self.projector.apply(&mut context, &batch).await
    }

    /// Where what served is not what was made; `None` where that says nothing: a slot of another fold says it
    /// differently, and one that lacks events, or is far behind, was known to.
    async fn compare(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        serving: &Serving,
        position: i64,
    ) -> Result<Option<Comparison>, sqlx::Error> {
        let comparable = serving.version == self.claim.version && !serving.has_parked && position - serving.position <= BATCH;
        if !comparable || self.projector.tables().is_empty() {
            return Ok(None);
        }
        // What it lacks is applied to see what it would say, and taken back.
        let mut aside = tx.begin().await?;
        let compared = match self.bring(&mut aside, serving.slot, serving.position, position).await {
            Ok(()) => comparison::compare(&mut aside, self.projector.as_ref(), serving.slot, self.claim.slot).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        aside.rollback().await?;
        Ok(compared
            .inspect_err(|error| tracing::error!(projection = self.claim.name, %error, "what served cannot be compared with the log"))
            .ok())
    }

    fn tell(&self, compared: Comparison) {
        for Difference { table, missing, surplus, organizations } in compared.differences {
            tracing::error!(
                projection = self.claim.name,
                table,
                missing,
                surplus,
                ?organizations,
                "what served was not what the log says: somebody changed it; the rebuilt rows serve from now on"
            );
        }
    }
}
