//! Provisioning on an engine in memory, with a key store that is away for a while.

use super::*;
use palmares_commands::{
    engine::EngineOptions,
    organizations::{CreateOrganization, RetryProvisioning},
    privacy::{
        ClientContexts, Epoch, EpochKey, IndexKey, KeyStore, KeyStoreError, client_context::MemoryClientContextTable,
        data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
    },
    store::memory::MemoryStore,
};
use palmares_domain::{
    identity::policy_store::PolicyStore,
    kernel::{EventId, ProgramId, RecordedEvent, StreamVersion},
    organizations::{
        Locale,
        provisioning::{ATTEMPTS_MAX, ProvisioningStatus},
    },
    points::Program,
};
use serde_json::{json, value::to_raw_value};
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// Is away for so many calls.
struct Flaky(MemoryKeyStore, AtomicU32);

impl Flaky {
    fn away(&self) -> Result<(), KeyStoreError> {
        let left = self.1.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_or(Ok(()), |_| Err(KeyStoreError::Interrupted))
    }
}

#[async_trait]
impl KeyStore for Flaky {
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<Arc<dyn EpochKey>, KeyStoreError> {
        self.away()?;
        self.0.epoch_key(organization, epoch).await
    }

    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        self.away()?;
        self.0.current_epoch(organization).await
    }

    async fn begin_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        self.away()?;
        self.0.begin_epoch(organization).await
    }

    async fn destroy_epochs_before(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), KeyStoreError> {
        self.away()?;
        self.0.destroy_epochs_before(organization, epoch).await
    }

    async fn index_key(&self, organization: OrganizationId) -> Result<IndexKey, KeyStoreError> {
        self.away()?;
        self.0.index_key(organization).await
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// An organization in its set-up, and what provisions it.
struct World {
    provision: Provision,
    organization: OrganizationId,
    store: Arc<Flaky>,
}

impl World {
    async fn with_a_key_store_away_for(calls: u32) -> Self {
        let store = Arc::new(Flaky(MemoryKeyStore::default(), AtomicU32::new(calls)));
        let ring = Arc::new(KeyRing::new(store.clone(), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let engine = Engine::new(Arc::new(MemoryStore::default()), ring.clone(), contexts, EngineOptions::default());
        let create = CreateOrganization { name: "Acme".to_owned(), slug: "acme".to_owned(), default_locale: Locale::En, setup: true };
        let made = super::execute(&engine, SYSTEM.admission(OrganizationId::PLATFORM), create).await.unwrap();
        let organization = OrganizationId(made.answer.0["id"].as_str().unwrap().parse().unwrap());
        Self { provision: Provision { engine, ring }, organization, store }
    }

    async fn delivered(&self, event_type: &str) {
        let event = RecordedEvent {
            position: 1,
            id: EventId(Uuid::from_u128(13)),
            event_type: event_type.to_owned(),
            schema_version: 1,
            stream: StreamVersion { stream_type: "organization".to_owned(), id: self.organization.0, version: 2 },
            organization_id: self.organization,
            actor_id: Uuid::nil(),
            recorded_at: chrono::Utc::now(),
            effective_at: None,
            metadata: to_raw_value(&json!({})).unwrap(),
            payload: to_raw_value(&json!({ "organization_id": self.organization })).unwrap(),
        };
        self.provision.react(&Delivered { event: Arc::new(event), opened: [].into() }).await.unwrap();
    }

    async fn timer_fires(&self) {
        let (organization_id, kind) = (self.organization, PROVISIONING.kind.to_owned());
        let due_at = chrono::Utc::now();
        let timer = Timer { organization_id, id: Uuid::nil(), kind, stream_id: organization_id.0, due_at, payload: json!({}) };
        self.provision.fire(&timer).await.unwrap();
    }

    async fn status(&self) -> Option<ProvisioningStatus> {
        self.provision.engine.look(self.organization, self.organization, Provisioning::status).await.unwrap()
    }

    async fn next(&self) -> Option<(ProvisioningStep, u32)> {
        self.provision.engine.look(self.organization, self.organization, Provisioning::next).await.unwrap()
    }

    async fn retried(&self) -> Result<(), Rejection> {
        let retry = RetryProvisioning { organization_id: self.organization };
        super::execute(&self.provision.engine, SYSTEM.admission(self.organization), retry).await.map(drop)
    }

    /// Whether what the last two steps make is there.
    async fn is_prepared(&self) -> bool {
        let engine = &self.provision.engine;
        let version = engine.look(self.organization, self.organization, |store: &PolicyStore| store.holds().map(|(version, _)| version));
        let command = derive_uuid("provisioning", &[self.organization.0.as_bytes(), b"points_program"]);
        let program = ProgramId(derive_uuid("points-program", &[command.as_bytes()]));
        let program: Program = engine.state(self.organization, program).await.unwrap();
        version.await.unwrap() == Some(1) && program != Program::default()
    }
}

// covers: H-97
#[tokio::test]
async fn a_key_store_that_is_away_twice_is_asked_a_third_time_and_everything_is_prepared_once() {
    let world = World::with_a_key_store_away_for(2).await;
    world.delivered(SETUP_BEGUN).await;
    assert_eq!(world.next().await, Some((ProvisioningStep::Keys, 2)));
    world.timer_fires().await;
    assert_eq!((world.next().await, world.is_prepared().await), (Some((ProvisioningStep::Keys, 3)), false));
    world.timer_fires().await;
    assert_eq!((world.status().await, world.is_prepared().await), (Some(ProvisioningStatus::Complete), true));
    // Delivered again after a crash, and by a timer that comes late, it changes nothing.
    let last = world.provision.engine.store().head().await.unwrap();
    world.delivered(SETUP_BEGUN).await;
    world.timer_fires().await;
    assert_eq!(world.provision.engine.store().head().await.unwrap(), last);
}

// covers: H-97, E-126
#[tokio::test]
async fn what_was_given_up_goes_on_when_somebody_asks_for_another_round() {
    let world = World::with_a_key_store_away_for(u32::MAX).await;
    world.delivered(SETUP_BEGUN).await;
    assert!(world.retried().await.is_err(), "it was not given up");
    for _ in 1..ATTEMPTS_MAX {
        world.timer_fires().await;
    }
    assert_eq!((world.status().await, world.next().await), (Some(ProvisioningStatus::GivenUp), None));
    world.timer_fires().await;
    assert_eq!(world.status().await, Some(ProvisioningStatus::GivenUp));
    world.store.1.store(0, Ordering::SeqCst);
    world.retried().await.unwrap();
    world.delivered("organizations.provisioning_retried").await;
    assert_eq!((world.status().await, world.is_prepared().await), (Some(ProvisioningStatus::Complete), true));
}

/// What a crash between two steps leaves.
// covers: H-97
#[tokio::test]
async fn what_was_interrupted_goes_on_at_the_step_that_is_next() {
    for done in 0..ProvisioningStep::ALL.len() {
        let world = World::with_a_key_store_away_for(0).await;
        world.provision.record(world.organization, ProvisioningCommand::Begin(world.organization)).await.unwrap();
        for step in &ProvisioningStep::ALL[..done] {
            world.provision.take(world.organization, *step).await.unwrap();
            world.provision.record(world.organization, ProvisioningCommand::CompleteStep(*step)).await.unwrap();
        }
        // The next one was taken, and the process ended before it was recorded.
        world.provision.take(world.organization, ProvisioningStep::ALL[done]).await.unwrap();
        world.delivered(SETUP_BEGUN).await;
        assert_eq!((world.status().await, world.is_prepared().await), (Some(ProvisioningStatus::Complete), true), "after {done}");
    }
}
