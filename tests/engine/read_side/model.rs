//! A projection that notes every event it is given, and how often; it fails and waits on command.

use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use palmares_projections::engine::{
    ApplyContext, ApplyError, Delivered, KeyError, OnFailure, PersonalKeys, Projector, ReactError, Reactor, Slot,
};
use serde::Deserialize;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::watch;
use uuid::Uuid;

pub const NAME: &str = "noted";

pub const TABLE: &str = "
    CREATE TABLE noted_events_a (
        organization_id uuid NOT NULL,
        position bigint NOT NULL,
        event_id uuid NOT NULL,
        amount bigint NOT NULL,
        times integer NOT NULL,
        fold integer NOT NULL,
        PRIMARY KEY (organization_id, position)
    );
    SELECT create_read_model('noted_events');";

/// The second time that an event is applied shows, whoever applies it.
const NOTE: &str = "
    INSERT INTO {noted_events} AS noted (organization_id, position, event_id, amount, times, fold)
    SELECT o, p, e, a, 1, $5 FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[]) AS n (o, p, e, a)
    ON CONFLICT (organization_id, position) DO UPDATE SET times = noted.times + 1";

/// The body of the events that the rig appends.
#[derive(Deserialize)]
pub struct Body {
    pub amount: i64,
    #[serde(default)]
    pub poisonous: bool,
}

impl Body {
    pub fn of(event: &Delivered) -> Self {
        serde_json::from_str(event.event.payload.get()).expect("the rig's own body")
    }
}

/// What a test asks of every projector that shares it.
#[derive(Default)]
pub struct Control {
    /// Whether poisonous events can be applied.
    pub cured: AtomicBool,
    /// Rebuilds that began to fill a slot.
    pub fillings: AtomicUsize,
    /// The slot, and the first position in it, at which a fold waits.
    hold: Mutex<Option<(Slot, i64)>>,
    held: watch::Sender<bool>,
    released: watch::Sender<usize>,
}

impl Control {
    /// Has the fold wait before it applies a batch of `slot` that reaches `position`.
    pub fn hold(&self, slot: Slot, position: i64) {
        *self.hold.lock().unwrap() = Some((slot, position));
    }

    /// Resolves when a fold waits.
    pub async fn held(&self) {
        self.held.subscribe().wait_for(|held| *held).await.expect("the control is there");
    }

    pub fn release(&self) {
        *self.hold.lock().unwrap() = None;
        self.held.send_replace(false);
        self.released.send_modify(|times| *times += 1);
    }

    async fn pass(&self, slot: Slot, reached: i64) {
        let mut released = self.released.subscribe();
        let waits = |hold: &Option<(Slot, i64)>| hold.is_some_and(|(held, from)| held == slot && reached >= from);
        if waits(&self.hold.lock().unwrap()) {
            self.held.send_replace(true);
            released.changed().await.expect("the control is there");
        }
    }
}

pub struct Noted {
    pub version: i32,
    pub on_failure: OnFailure,
    pub control: Arc<Control>,
}

#[async_trait]
impl Projector for Noted {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        self.version
    }

    fn tables(&self) -> &'static [&'static str] {
        &["noted_events"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[]
    }

    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let (mut organizations, mut positions, mut ids, mut amounts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for noted in batch {
            let body = Body::of(noted);
            if body.poisonous && !self.control.cured.load(Ordering::SeqCst) {
                return Err(ApplyError::Invalid("poison".to_owned()));
            }
            organizations.push(noted.event.organization_id.0);
            positions.push(noted.event.position);
            ids.push(noted.event.id.0);
            amounts.push(body.amount);
        }
        if positions.first() == Some(&1) {
            self.control.fillings.fetch_add(1, Ordering::SeqCst);
        }
        self.control.pass(context.slot, positions.last().copied().unwrap_or_default()).await;
        let sql = context.slot.sql(NOTE);
        sqlx::query(&sql).bind(organizations).bind(positions).bind(ids).bind(amounts).bind(self.version).execute(&mut *context.tx).await?;
        Ok(())
    }
}

/// Handles everything but poison, which it refuses for good, and what it is told to find out of order.
#[derive(Default)]
pub struct Tasting {
    pub handled: Mutex<Vec<i64>>,
    /// Whether what it depends on is away at the moment.
    pub outage: AtomicBool,
    /// Whether poison does it no harm.
    pub immune: AtomicBool,
    pub attempts: AtomicUsize,
}

#[async_trait]
impl Reactor for Tasting {
    fn name(&self) -> &'static str {
        "tasting"
    }

    fn interests(&self) -> &'static [&'static str] {
        &[]
    }

    async fn react(&self, event: &Delivered) -> Result<(), ReactError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        if self.outage.load(Ordering::SeqCst) {
            return Err(ReactError::Transient(anyhow::anyhow!("away")));
        }
        if Body::of(event).poisonous && !self.immune.load(Ordering::SeqCst) {
            return Err(ReactError::Permanent(anyhow::anyhow!("poison")));
        }
        self.handled.lock().unwrap().push(event.event.position);
        Ok(())
    }
}

/// Nothing is personal here.
pub struct NoKeys;

#[async_trait]
impl PersonalKeys for NoKeys {
    async fn seal(&self, _: &palmares_domain::kernel::Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Destroyed)
    }

    async fn open(&self, _: &palmares_domain::kernel::Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(None)
    }

    async fn lookup_hash(&self, _: OrganizationId, _: &str, _: &str) -> Result<[u8; 32], KeyError> {
        Err(KeyError::Destroyed)
    }
}

/// A projector of this version that parks, under a control.
pub fn noted(version: i32, control: &Arc<Control>) -> Arc<dyn Projector> {
    Arc::new(Noted { version, on_failure: OnFailure::Park, control: control.clone() })
}

pub fn owner(number: u128) -> Uuid {
    Uuid::from_u128(number)
}
