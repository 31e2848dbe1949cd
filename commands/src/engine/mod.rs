//! The command engine: loads states, decides, seals, appends, and answers when it is durable.
//!
//! Commands for one stream run one after another on its state in memory and ride the same batch. A
//! state may be ahead of the log while its append is in flight, so every answer that was computed
//! on it, a refusal too, waits for that append. When an append fails, whatever was decided on top
//! of it fails its version check and is decided again.

mod answers;
mod capability;
mod clock;
mod execute;
#[cfg(test)]
mod forgetting_tests;
mod kind;
mod load;
mod metadata;
mod operation;
mod past;
mod size;
mod slots;
mod vouched;

pub use capability::{Capability, Throttle};
pub use clock::Clock;
pub use kind::{Kind, StreamRef};
pub use operation::{Answer, Operation, Refused, Unit};
pub use past::Past;

use crate::privacy::{ClientContexts, KeyRing, PrivacyError};
use crate::store::{AppendError, ClaimKey, EventStore};
use chrono::{DateTime, Utc};
use palmares_domain::identity::PermissionTree;
use palmares_domain::kernel::{Admission, Admitted, Aggregate, Code, OrganizationId};
use slots::Slots;
use std::sync::Arc;
use uuid::Uuid;

/// How many bytes of states stay in memory unless it is told otherwise, as an estimate. What was
/// used last makes up at least half of it: 100,000 accounts with a few open holds and their users.
pub const CACHE_BYTES_DEFAULT: usize = 1 << 30;
/// How often a command is decided again before its caller is told that the store is overloaded.
const ATTEMPTS_MAX: usize = 32;

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    pub answer: Answer,
    /// The position of its last event; of the log's head where it recorded none.
    pub position: i64,
    /// The version of its first stream.
    pub version: i64,
    /// The command had been recorded before: this is its first answer.
    pub replayed: bool,
}

/// Why a command was not executed. Nothing of it was recorded, except that after
/// [`Rejection::Unavailable`] this is not known.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the resource is at version {actual}")]
    PreconditionFailed { actual: i64 },
    #[error("the idempotency key was used with another request")]
    KeyReused,
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<PrivacyError> for Rejection {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::KeyRefused(_) => Refused::new(Code::Conflict, "privacy.subject_erased", error.to_string()).into(),
            PrivacyError::UnderLegalHold(_) => Refused::new(Code::LegalHold, "privacy.legal_hold", error.to_string()).into(),
            error => Rejection::Internal(error.into()),
        }
    }
}

impl From<AppendError> for Rejection {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Unavailable(reason) => Rejection::Unavailable(reason),
            other => Rejection::Internal(other.into()),
        }
    }
}

/// What an engine may be told.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// About how much memory states may take, in bytes.
    pub cache_bytes: usize,
    /// Every permission that a role may grant.
    pub permissions: PermissionTree,
    pub clock: Clock,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { cache_bytes: CACHE_BYTES_DEFAULT, permissions: PermissionTree::default(), clock: Clock::default() }
    }
}

/// Executes operations that the gate has admitted.
pub struct Engine {
    store: Arc<dyn EventStore>,
    ring: Arc<KeyRing>,
    contexts: Arc<ClientContexts>,
    slots: Arc<Slots>,
    permissions: PermissionTree,
    clock: Clock,
}

impl Engine {
    /// An engine over a store. It forgets what other nodes change for as long as it lives.
    pub fn new(store: Arc<dyn EventStore>, ring: Arc<KeyRing>, contexts: Arc<ClientContexts>, options: EngineOptions) -> Arc<Self> {
        let slots = Arc::new(Slots::new(options.cache_bytes));
        slots.clone().follow(store.foreign_changes());
        slots.clone().forget(ring.forgotten());
        Arc::new(Self { store, ring, contexts, slots, permissions: options.permissions, clock: options.clock })
    }

    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// The time by which it decides.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What the states in memory weigh, by the estimate that bounds them.
    pub fn cached_bytes(&self) -> usize {
        self.slots.bytes()
    }

    /// Decides an operation and records what it decided.
    pub async fn execute<O: Operation>(&self, admitted: Admitted<O>) -> Result<Receipt, Rejection> {
        let (admission, operation) = admitted.into_parts();
        self.execute_any(&admission, &operation).await
    }

    /// The same for every operation: the code of an execution is there once, not once for each of them.
    async fn execute_any(&self, admission: &Admission, operation: &dyn Operation) -> Result<Receipt, Rejection> {
        for _ in 0..ATTEMPTS_MAX {
            if let Some(receipt) = self.attempt(admission, operation).await? {
                return Ok(receipt);
            }
            metrics::counter!("palmares_engine_decided_again_total").increment(1);
        }
        Err(Rejection::Unavailable("the streams of this command change faster than it can be decided".into()))
    }

    /// Who holds the claim of a personal value in an organization, such as the user of an e-mail address.
    pub async fn holder(&self, organization: OrganizationId, kind: &str, value: &str) -> Result<Option<Uuid>, Rejection> {
        self.claim_of(organization, kind, value).await.map(|(_, holder)| holder)
    }

    /// The key under which a personal value is claimed, and who holds it.
    pub async fn claim_of(&self, organization: OrganizationId, kind: &str, value: &str) -> Result<(Uuid, Option<Uuid>), Rejection> {
        let key = self.lookup_key(organization, kind, value).await?;
        Ok((key, self.owner(ClaimKey { organization, key }).await?))
    }

    /// Who holds a claim.
    pub async fn owner(&self, claim: ClaimKey) -> Result<Option<Uuid>, Rejection> {
        Ok(self.store.claim(claim).await?.map(|claim| claim.owner))
    }

    /// The state of an aggregate as of now on this node; the default where there is no stream.
    pub async fn state<A: Aggregate>(&self, organization: OrganizationId, id: impl Into<Uuid>) -> Result<A, Rejection> {
        self.look::<A, A>(organization, id, A::clone).await
    }

    /// Shows the state of an aggregate to `look`, without a copy of it.
    pub async fn look<A: Aggregate, T>(
        &self,
        organization: OrganizationId,
        id: impl Into<Uuid>,
        look: impl FnOnce(&A) -> T,
    ) -> Result<T, Rejection> {
        let stream = StreamRef::of::<A>(organization, id);
        let slot = self.slots.get(&stream.name);
        if let Some(state) = slot.lock.read().await.loaded.as_ref().and_then(|loaded| loaded.state.as_any().downcast_ref::<A>()) {
            return Ok(look(state));
        }
        let mut entry = slot.lock.write().await;
        let loaded = self.loaded(&mut entry, &slot, stream).await?;
        match loaded.state.as_any().downcast_ref::<A>() {
            Some(state) => Ok(look(state)),
            None => Err(Rejection::Internal(anyhow::anyhow!("a state of type {} is not of its type", A::TYPE))),
        }
    }
}
