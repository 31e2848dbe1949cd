use super::*;
use crate::engine::{Engine, EngineOptions, Receipt};
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use palmares_domain::{
    challenges::Metric,
    kernel::{Admitted, CommandId, Idempotency, OrganizationId},
};
use std::sync::Arc;
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));

struct World(Arc<Engine>);

impl World {
    fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        Self(Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default()))
    }

    /// Closes a day with a total, as a reactor does that is handed one event over and over.
    async fn close(&self, command: u128, total: i64) -> Receipt {
        let day: NaiveDate = "2026-01-05".parse().unwrap();
        let month_id = MonthId::of(ORGANIZATION, day);
        let close = CloseDays { month_id, days: vec![ClosedDay { day, metric: Metric::Steps, participants: 5, total }] };
        let idempotency = Some(Idempotency { command_id: CommandId(Uuid::from_u128(command)), request_hash: [0; 32] });
        let admission = Admission::of(ORGANIZATION, UserId(Uuid::from_u128(1)), "system.erase", Uuid::now_v7());
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.0.execute(Admitted::grant(Admission { idempotency, ..admission }, close)).await.unwrap()
    }

    async fn recorded(&self) -> Vec<String> {
        let events = self.0.store().read_after(0, 100).await.unwrap();
        events.into_iter().map(|event| event.payload.get().to_owned()).collect()
    }
}

// covers: E-164
#[tokio::test]
async fn a_day_is_closed_once_whatever_crashes_in_between() {
    let world = World::new();
    assert!(!world.close(1, 500).await.replayed);
    let recorded = world.recorded().await;
    assert!(recorded.len() == 1 && recorded[0].contains("500"), "{recorded:?}");
    // The same reaction again, and that to somebody else who goes, when the total has lost the first.
    assert!(world.close(1, 400).await.replayed);
    world.close(2, 400).await;
    assert_eq!(world.recorded().await, recorded);
}
