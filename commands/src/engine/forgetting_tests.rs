//! What the engine has in memory of a person goes with the person's keys.

use super::*;
use crate::challenges::RecordActivities;
use crate::identity::{CreateUser, SetUserEmail};
use crate::privacy::client_context::MemoryClientContextTable;
use crate::privacy::data_keys::MemoryDataKeyTable;
use crate::privacy::key_store::MemoryKeyStore;
use crate::privacy::{Custody, FORGOTTEN_EVERYWHERE_WITHIN, MemorySealedRows, PURPOSES, Subject};
use crate::store::memory::MemoryStore;
use palmares_domain::challenges::activity_log::ActivityLog;
use palmares_domain::identity::{Rights, Role};
use palmares_domain::kernel::{Admission, Purpose, UserId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));

struct World {
    engine: Arc<Engine>,
    custody: Custody,
}

impl World {
    fn new() -> Self {
        let (keys, rows) = (Arc::new(MemoryDataKeyTable::default()), Arc::new(MemoryClientContextTable::default()));
        let store = Arc::new(MemoryStore::default());
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), keys.clone()));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), rows.clone()));
        let sealed = MemorySealedRows { store: store.clone(), contexts: rows, keys: keys.clone() };
        let custody = Custody::new(ring.clone(), keys, Arc::new(sealed));
        Self { engine: Engine::new(store, ring, contexts, EngineOptions::default()), custody }
    }

    async fn ask<O: Operation + DeserializeOwned>(&self, body: Value) -> Result<Receipt, Rejection> {
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin]),
            ..Admission::of(ORGANIZATION, UserId(Uuid::from_u128(1)), "test", Uuid::now_v7())
        };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, serde_json::from_value::<O>(body).unwrap())).await
    }

    /// A member who has walked, with the log in memory.
    async fn walker(&self, name: &str) -> UserId {
        let made = self.ask::<CreateUser>(json!({ "external_ref": name, "role": "member" })).await.unwrap();
        let user: UserId = made.answer.0["id"].as_str().unwrap().parse().unwrap();
        self.walk(user, "1").await;
        assert!(!self.is_closed(user).await);
        user
    }

    async fn walk(&self, user: UserId, record: &str) -> Value {
        let item = json!({ "source": "watch", "source_record_id": record, "user_id": user, "metric": "steps", "value": 7,
            "local_day": "2026-01-05", "time_zone": "Europe/Paris" });
        let receipt = self.ask::<RecordActivities>(json!({ "items": [item] })).await.unwrap();
        Value::Object(receipt.answer.0)
    }

    async fn is_closed(&self, user: UserId) -> bool {
        self.engine.state::<ActivityLog>(ORGANIZATION, user).await.unwrap().is_closed()
    }

    async fn until_closed(&self, user: UserId, closed: bool) {
        let changed = async {
            while self.is_closed(user).await != closed {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(FORGOTTEN_EVERYWHERE_WITHIN, changed).await.expect("the engine hears");
    }
}

fn subject(user: UserId) -> Subject {
    Subject { organization: ORGANIZATION, id: user.0 }
}

#[tokio::test]
async fn a_log_in_memory_is_closed_while_its_person_is_hidden_and_goes_on_afterwards() {
    let world = World::new();
    let (hidden, other) = (world.walker("one").await, world.walker("other").await);
    world.custody.hide(subject(hidden)).await.unwrap();
    world.until_closed(hidden, true).await;
    assert!(!world.is_closed(other).await);
    world.custody.unhide(subject(hidden)).await.unwrap();
    world.until_closed(hidden, false).await;
    world.walk(hidden, "2").await;
    let log: ActivityLog = world.engine.state(ORGANIZATION, hidden).await.unwrap();
    assert_eq!(log.records().count(), 2, "nothing was lost");
}

#[tokio::test]
async fn nothing_is_recorded_of_who_was_erased() {
    let world = World::new();
    let user = world.walker("one").await;
    world.custody.destroy_keys(subject(user), &PURPOSES, Uuid::now_v7()).await.unwrap();
    world.until_closed(user, true).await;
    let refused = world.ask::<SetUserEmail>(json!({ "user_id": user, "email": "again@example.test" })).await;
    assert!(matches!(&refused, Err(Rejection::Refused(refused)) if refused.reason == "privacy.subject_erased"), "{refused:?}");
}

/// Who waits for what is hidden goes on when it is erased.
#[tokio::test]
async fn what_is_hidden_may_be_shown_again_and_what_is_erased_may_not() {
    let world = World::new();
    let user = world.walker("one").await;
    let hidden = async || world.engine.is_hidden(ORGANIZATION, user, Purpose::Profile).await.unwrap();
    assert!(!hidden().await);
    world.custody.hide(subject(user)).await.unwrap();
    assert!(hidden().await);
    world.custody.unhide(subject(user)).await.unwrap();
    assert!(!hidden().await);
    world.custody.hide(subject(user)).await.unwrap();
    world.custody.destroy_keys(subject(user), &PURPOSES, Uuid::now_v7()).await.unwrap();
    assert!(!hidden().await);
}
