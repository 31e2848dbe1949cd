//! One batch, one transaction: the checkpoint, the read-model rows and what had to be parked.

use super::{
    checkpoint::{AdvanceError, Claim},
    keys::PersonalKeys,
    log::Log,
    projector::{ApplyContext, ApplyError, Delivered, Projector},
};
use futures::FutureExt;
use palmares_domain::kernel::{Place, RecordedEvent};
use sqlx::{PgConnection, PgPool};
use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};
use uuid::Uuid;

/// What it takes to apply events: connections of role `palmares_projector`, the log, the keys.
#[derive(Clone)]
pub struct Workshop {
    pub pool: PgPool,
    pub log: Log,
    pub keys: Arc<dyn PersonalKeys>,
    /// This process, as the owner of checkpoints.
    pub owner: Uuid,
}

/// An event that is set aside, and why.
#[derive(Debug)]
pub struct Parked {
    pub event: Arc<RecordedEvent>,
    pub sequence_key: Uuid,
    pub error: String,
}

/// Why a batch was not committed.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("another process owns the checkpoint")]
    Lost,
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<AdvanceError> for BatchError {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Lost => BatchError::Lost,
            AdvanceError::Database(error) => BatchError::Apply(error.into()),
        }
    }
}

impl From<sqlx::Error> for BatchError {
    fn from(error: sqlx::Error) -> Self {
        BatchError::Apply(error.into())
    }
}

const PARK: &str = "
    INSERT INTO parked_events (name, slot, position, organization_id, sequence_key, event_id, event_type, error)
    SELECT $1, $2, * FROM unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[])
    ON CONFLICT DO NOTHING";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.batch.park", PARK)];

impl Workshop {
    /// Applies `events`, parks `parked` and moves the checkpoint to `position`: all or nothing.
    pub async fn commit(
        &self,
        projector: &dyn Projector,
        claim: &mut Claim,
        events: &[Arc<RecordedEvent>],
        parked: &[Parked],
        position: i64,
    ) -> Result<(), BatchError> {
        let batch = self.open(projector.opens_personal(), events).await?;
        let mut tx = self.pool.begin().await?;
        claim.advance(&mut tx, position).await?;
        park(&mut tx, claim, parked).await?;
        if !batch.is_empty() {
            let mut context = ApplyContext { tx: &mut tx, slot: claim.slot, keys: self.keys.as_ref() };
            // A fold that panics on an event must not take the others down with it.
            let applied = AssertUnwindSafe(projector.apply(&mut context, &batch)).catch_unwind().await;
            applied.unwrap_or_else(|panic| Err(ApplyError::Invalid(format!("the fold panicked: {}", message(&*panic)))))?;
        }
        tx.commit().await?;
        claim.position = position;
        Ok(())
    }

    /// Opens the sealed fields of `events`, where that is asked for.
    pub async fn open(&self, personal: bool, events: &[Arc<RecordedEvent>]) -> Result<Vec<Delivered>, ApplyError> {
        let mut sealed = if personal && !events.is_empty() {
            self.log.sealed(&events.iter().map(|event| event.position).collect::<Vec<_>>()).await?
        } else {
            Default::default()
        };
        let mut batch = Vec::with_capacity(events.len());
        for event in events {
            let mut opened = BTreeMap::new();
            for field in sealed.remove(&event.position).unwrap_or_default() {
                let stream = (event.stream.stream_type.as_str(), event.stream.id);
                let place = Place::in_event(event.organization_id, stream, event.id, &field.field, field.subject, field.purpose);
                if let Some(clear) = self.keys.open(&place, &field.ciphertext).await? {
                    opened.insert(field.field, clear);
                }
            }
            batch.push(Delivered { event: event.clone(), opened });
        }
        Ok(batch)
    }
}

/// Sets events aside in the caller's transaction.
pub async fn park(tx: &mut PgConnection, claim: &Claim, parked: &[Parked]) -> Result<(), sqlx::Error> {
    if parked.is_empty() {
        return Ok(());
    }
    let events = || parked.iter().map(|parked| &parked.event);
    sqlx::query(PARK)
        .bind(claim.name)
        .bind(claim.slot.name())
        .bind(events().map(|event| event.position).collect::<Vec<_>>())
        .bind(events().map(|event| event.organization_id.0).collect::<Vec<_>>())
        .bind(parked.iter().map(|parked| parked.sequence_key).collect::<Vec<_>>())
        .bind(events().map(|event| event.id.0).collect::<Vec<_>>())
        .bind(events().map(|event| event.event_type.clone()).collect::<Vec<_>>())
        .bind(parked.iter().map(|parked| parked.error.clone()).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether a projector or reactor with these interests wants the event.
pub fn wants(interests: &[&str], event: &RecordedEvent) -> bool {
    interests.is_empty() || interests.contains(&event.event_type.as_str())
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
