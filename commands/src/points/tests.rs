use crate::challenges::RecordActivities;
use crate::engine::{Engine, EngineOptions, Operation, Receipt, Rejection};
use crate::identity::{CreateUser, SuspendUser};
use crate::points::{CreateCredit, DefineProgram, NeedsAccount, PlaceHold, PostHold, ResolveCredit, SettleEarnings, TransferPoints};
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use chrono::NaiveDate;
use palmares_domain::{
    challenges::Metric,
    identity::{Rights, Role},
    kernel::{Admission, Admitted, Code, OrganizationId, ProgramId, TransactionId, UserId},
    points::{Account, AccountKey, account::Balance},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));

struct World {
    engine: Arc<Engine>,
    program: ProgramId,
}

impl World {
    async fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let engine = Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default());
        let mut world = Self { engine, program: ProgramId(Uuid::nil()) };
        world.program = ProgramId(world.id::<DefineProgram>(json!({ "name": "wellness" }), "id").await);
        let rule = json!({
            "program_id": world.program, "kind": "earning", "metric": "steps", "per_units": 100, "points": 1, "daily_cap": 150,
            "effective_from": "2020-01-01",
        });
        world.ask::<super::AddRule>(rule).await.unwrap();
        world
    }

    async fn execute<O: Operation>(&self, operation: O) -> Result<Receipt, Rejection> {
        let request_id = Uuid::now_v7();
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin]),
            ..Admission::of(ORGANIZATION, UserId(Uuid::from_u128(1)), "test", request_id)
        };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn ask<O: Operation + DeserializeOwned>(&self, body: Value) -> Result<Receipt, Rejection> {
        self.execute(serde_json::from_value::<O>(body).unwrap()).await
    }

    async fn id<O: Operation + DeserializeOwned>(&self, body: Value, field: &str) -> Uuid {
        let answer = self.ask::<O>(body).await.unwrap().answer;
        answer.0[field].as_str().unwrap().parse().unwrap()
    }

    async fn user(&self, external_ref: &str) -> UserId {
        UserId(self.id::<CreateUser>(json!({ "external_ref": external_ref, "role": "member" }), "id").await)
    }

    fn account(&self, user_id: UserId) -> AccountKey {
        AccountKey { program_id: self.program, user_id, team_id: None }
    }

    async fn balance(&self, user: UserId) -> Balance {
        self.engine.state::<Account>(ORGANIZATION, self.account(user).id()).await.unwrap().balance()
    }

    async fn credited(&self, user: UserId, amount: i64) {
        let body = json!({ "program_id": self.program, "user_id": user, "amount": amount });
        let transaction_id = TransactionId(self.id::<CreateCredit>(body, "transaction_id").await);
        self.execute(ResolveCredit { account: self.account(user), transaction_id }).await.unwrap();
    }

    async fn settle(&self, user_id: UserId, day: NaiveDate) {
        let settle = SettleEarnings { user_id, program_id: self.program, days: vec![(Metric::Steps, day)] };
        self.execute(settle).await.unwrap();
    }
}

fn steps(user: UserId, id: &str, value: i64) -> Value {
    json!({
        "source": "watch", "source_record_id": id, "user_id": user, "metric": "steps", "value": value,
        "local_day": "2026-03-01", "time_zone": "Europe/Paris",
    })
}

fn refusal(outcome: Result<Receipt, Rejection>) -> (Code, String, Option<String>) {
    match outcome {
        Err(Rejection::Refused(refused)) => {
            (refused.code, refused.reason.into_owned(), refused.errors.first().map(|error| error.field.clone()))
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_day_earns_what_it_is_worth_however_often_it_is_settled() {
    let world = World::new().await;
    let (ada, day) = (world.user("ada").await, NaiveDate::from_ymd_opt(2026, 3, 1).unwrap());
    let nobody = UserId(Uuid::from_u128(99));
    let mut flawed = steps(ada, "c", 10);
    flawed["metric"] = "heartbeats".into();
    let batch = json!({ "items": [steps(ada, "a", 4_000), steps(ada, "a", 4_000), steps(nobody, "b", 1), flawed] });
    let answer = world.ask::<RecordActivities>(batch).await.unwrap().answer.0;
    let statuses: Vec<_> = answer["items"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(statuses, ["accepted", "duplicate", "refused", "refused"]);
    assert_eq!(answer["items"][2]["reason"], "challenges.user_unknown");
    assert_eq!(answer["items"][3]["field"], "metric");
    for _ in 0..2 {
        world.settle(ada, day).await;
        assert_eq!(world.balance(ada).await.pending, 40);
    }
    world.ask::<RecordActivities>(json!({ "items": [steps(ada, "a", 90_000)] })).await.unwrap();
    world.settle(ada, day).await;
    assert_eq!(world.balance(ada).await.pending, 150);
    world
        .ask::<RecordActivities>(json!({ "items": [{ "source": "watch", "source_record_id": "a", "user_id": ada, "retract": true }] }))
        .await
        .unwrap();
    world.settle(ada, day).await;
    assert_eq!(world.balance(ada).await.pending, 0);
}

#[test]
fn a_batch_of_a_wrong_size_is_malformed() {
    let user = UserId(Uuid::from_u128(1));
    for count in [0, 1_001] {
        let items = vec![steps(user, "a", 1); count];
        let error = serde_json::from_value::<RecordActivities>(json!({ "items": items })).err().unwrap();
        assert_eq!(error.to_string(), "challenges.batch_size");
    }
}

#[tokio::test]
async fn points_are_held_posted_and_transferred() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    world.credited(ada, 100).await;
    let hold = json!({ "program_id": world.program, "user_id": ada, "amount": 60 });
    let hold_id = TransactionId(world.id::<PlaceHold>(hold, "transaction_id").await);
    let mut post = PostHold { hold_id, amount: Some(50), account: None };
    let unresolved = PostHold { hold_id, amount: None, account: None };
    assert_eq!(refusal(world.execute(unresolved).await).0, Code::ResourceNotFound);
    post.resolve(world.account(ada));
    world.execute(post).await.unwrap();
    let transfer = |from, to, amount: i64| json!({ "program_id": world.program, "from_user_id": from, "to_user_id": to, "amount": amount });
    world.ask::<TransferPoints>(transfer(ada, bob, 20)).await.unwrap();
    assert_eq!((world.balance(ada).await.available, world.balance(bob).await.available), (30, 20));
    assert_eq!(refusal(world.ask::<TransferPoints>(transfer(ada, bob, 31)).await).0, Code::InsufficientPoints);
    assert_eq!(refusal(world.ask::<TransferPoints>(transfer(ada, ada, 1)).await).1, "points.transfer_to_self");
    assert_eq!(world.balance(ada).await.posted + world.balance(bob).await.posted, 50);
}

#[tokio::test]
async fn a_source_rewards_once_and_a_stranger_never() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let credit =
        |program: ProgramId, user: UserId| json!({ "program_id": program, "user_id": user, "amount": 5, "source_id": "article-1" });
    let first = world.id::<CreateCredit>(credit(world.program, ada), "transaction_id").await;
    assert_eq!(world.id::<CreateCredit>(credit(world.program, ada), "transaction_id").await, first);
    assert_eq!(world.balance(ada).await.pending, 5);
    let stranger = UserId(Uuid::from_u128(99));
    assert_eq!(refusal(world.ask::<CreateCredit>(credit(world.program, stranger)).await).2.as_deref(), Some("user_id"));
    let nowhere = ProgramId(Uuid::from_u128(99));
    assert_eq!(refusal(world.ask::<CreateCredit>(credit(nowhere, ada)).await).2.as_deref(), Some("program_id"));
    world.ask::<SuspendUser>(json!({ "user_id": ada })).await.unwrap();
    let later = json!({ "program_id": world.program, "user_id": ada, "amount": 5 });
    assert_eq!(refusal(world.ask::<CreateCredit>(later).await).1, "validation_failed");
}

#[tokio::test]
async fn an_external_reference_is_unique() {
    let world = World::new().await;
    world.user("ada").await;
    let again = world.ask::<CreateUser>(json!({ "external_ref": "ada", "role": "member" })).await;
    assert_eq!(refusal(again), (Code::Conflict, "identity.external_ref_taken".to_owned(), Some("external_ref".to_owned())));
}
