//! The command engine on PostgreSQL: concurrency, idempotency, snapshots and sealed states.

mod audit_search;
mod audit_states;
pub mod erasure;
mod read_side;
mod sealing;
mod snapshots;

use crate::support::servers::{self, Database};
use futures::future::join_all;
use palmares_commands::challenges::RecordActivities;
use palmares_commands::engine::{Engine, EngineOptions, Operation, Receipt, Rejection, StreamRef};
use palmares_commands::identity::CreateUser;
use palmares_commands::points::{CreateCredit, CreateDebit, DefineProgram, PlaceHold, ResolveCredit, TransferPoints};
use palmares_commands::privacy::client_context::PostgresClientContextTable;
use palmares_commands::privacy::data_keys::PostgresDataKeyTable;
use palmares_commands::privacy::key_store::MemoryKeyStore;
use palmares_commands::privacy::{ClientContexts, KeyRing, KeyStore};
use palmares_commands::store::LoadRequest;
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use palmares_domain::challenges::activity_log::ActivityLog;
use palmares_domain::identity::{Rights, Role};
use palmares_domain::kernel::{Admission, Admitted, Code, CommandId, Idempotency, OrganizationId, ProgramId, TransactionId, UserId};
use palmares_domain::points::{Account, AccountKey};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// One organization, seen from one node.
struct Node {
    engine: Arc<Engine>,
    organization: OrganizationId,
}

impl Node {
    /// Nodes of one database share their key store, and nothing else.
    async fn open(database: &Database, keys: Arc<dyn KeyStore>, organization: OrganizationId) -> Self {
        let store = PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap();
        Self::of(store, keys, organization)
    }

    fn of(store: PostgresStore, keys: Arc<dyn KeyStore>, organization: OrganizationId) -> Self {
        let pool = store.pool().clone();
        let ring = Arc::new(KeyRing::new(keys, Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool)));
        Self { engine: Engine::new(Arc::new(store), ring, Arc::new(contexts), EngineOptions::default()), organization }
    }

    async fn execute<O: Operation>(&self, operation: O, key: Option<Idempotency>) -> Result<Receipt, Rejection> {
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin]),
            idempotency: key,
            ..Admission::of(self.organization, UserId(Uuid::from_u128(1)), "test", Uuid::now_v7())
        };
        #[expect(clippy::disallowed_methods, reason = "a test of the engine has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn ask<O: Operation + DeserializeOwned>(&self, body: Value) -> Result<Receipt, Rejection> {
        self.execute(serde_json::from_value::<O>(body).unwrap(), None).await
    }

    async fn made<O: Operation + DeserializeOwned>(&self, body: Value, field: &str) -> Uuid {
        id(&self.ask::<O>(body).await.unwrap(), field)
    }

    async fn user(&self, name: &str) -> UserId {
        UserId(self.made::<CreateUser>(json!({ "external_ref": name, "role": "member" }), "id").await)
    }

    async fn credited(&self, account: AccountKey, amount: i64) {
        let body = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": amount });
        let transaction_id = TransactionId(self.made::<CreateCredit>(body, "transaction_id").await);
        self.execute(ResolveCredit { account, transaction_id }, None).await.unwrap();
    }

    async fn account(&self, account: AccountKey) -> Account {
        self.engine.state(self.organization, account.id()).await.unwrap()
    }
}

fn id(receipt: &Receipt, field: &str) -> Uuid {
    receipt.answer.0[field].as_str().unwrap().parse().unwrap()
}

fn key() -> Idempotency {
    Idempotency { command_id: CommandId(Uuid::now_v7()), request_hash: [1; 32] }
}

/// Two nodes on one database, one program, and the account of one user.
async fn world() -> ([Node; 2], AccountKey) {
    let database = servers::database().await;
    let keys: Arc<dyn KeyStore> = Arc::new(MemoryKeyStore::default());
    let organization = OrganizationId(Uuid::now_v7());
    let nodes = [Node::open(&database, keys.clone(), organization).await, Node::open(&database, keys, organization).await];
    let program_id = ProgramId(nodes[0].made::<DefineProgram>(json!({ "name": "wellness" }), "id").await);
    let user_id = nodes[0].user("one").await;
    (nodes, AccountKey { program_id, user_id, team_id: None })
}

/// covers: T-33
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_spends_on_two_nodes_never_overdraw() {
    let (nodes, account) = world().await;
    nodes[0].credited(account, 100).await;
    let body = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 1 });
    let spends = (0..200).map(|n| nodes[n % 2].ask::<CreateDebit>(body.clone()));
    let outcomes = join_all(spends).await;
    let spent = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(outcome, Rejection::Refused(refused) if refused.code == Code::InsufficientPoints), "{outcome:?}");
    }
    assert_eq!(spent, 100);
    assert_eq!(nodes[0].account(account).await.balance().posted, 0);
}

// covers: E-85
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_memory_for_one_organization_is_nothing_to_another() {
    let ([node, _], account) = world().await;
    node.credited(account, 100).await;
    let other = Node { engine: node.engine.clone(), organization: OrganizationId(Uuid::now_v7()) };
    assert_eq!(other.account(account).await.balance().posted, 0);
    let body = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 1 });
    let refused = other.ask::<CreateDebit>(body.clone()).await;
    let Err(Rejection::Refused(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.errors[0].reason, "points.user_unknown");
    node.ask::<CreateDebit>(body).await.unwrap();
    assert_eq!(node.account(account).await.balance().posted, 99);
}

/// A state in memory may be older than the log when another node has just appended: nothing may be
/// refused for what is not true any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_refused_on_a_state_that_another_node_has_changed() {
    let (nodes, account) = world().await;
    let spend = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 1 });
    for round in 0..25 {
        let (payer, spender) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        // The spender's node knows the account, and that it is empty.
        let refused = spender.ask::<CreateDebit>(spend.clone()).await;
        assert!(matches!(&refused, Err(Rejection::Refused(refused)) if refused.code == Code::InsufficientPoints), "{refused:?}");
        payer.credited(account, 1).await;
        spender.ask::<CreateDebit>(spend.clone()).await.expect("the points are there");
    }
}

/// covers: W-35
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_repeated_at_once_on_two_nodes_is_executed_once_and_answers_the_same() {
    let (nodes, account) = world().await;
    let body = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 7 });
    let key = key();
    let repeats = (0..40).map(|n| nodes[n % 2].execute(serde_json::from_value::<CreateCredit>(body.clone()).unwrap(), Some(key)));
    let receipts: Vec<Receipt> = join_all(repeats).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert!(receipts.iter().all(|receipt| receipt.answer == receipts[0].answer && receipt.position == receipts[0].position));
    assert_eq!(nodes[0].account(account).await.balance().pending, 7);
    let other = Idempotency { request_hash: [2; 32], ..key };
    let reused = nodes[0].execute(serde_json::from_value::<CreateCredit>(body).unwrap(), Some(other)).await;
    assert!(matches!(reused, Err(Rejection::KeyReused)), "{reused:?}");
}

/// covers: W-30
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_source_rewards_one_user_once_however_often_and_wherever_it_is_asked() {
    let (nodes, account) = world().await;
    let body = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 7, "source_id": "challenge:1" });
    let asked = (0..40).map(|n| nodes[n % 2].ask::<CreateCredit>(body.clone()));
    let transactions: Vec<Uuid> = join_all(asked).await.into_iter().map(|receipt| id(&receipt.unwrap(), "transaction_id")).collect();
    assert!(transactions.iter().all(|transaction| *transaction == transactions[0]));
    assert_eq!(nodes[1].account(account).await.balance().pending, 7);
}

/// covers: W-70
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_in_both_directions_neither_deadlock_nor_lose_a_point() {
    let (nodes, one) = world().await;
    let other = AccountKey { user_id: nodes[0].user("other").await, ..one };
    nodes[0].credited(one, 500).await;
    nodes[0].credited(other, 500).await;
    let transfers = (0..100).map(|n| {
        let (from, to) = if n % 2 == 0 { (one, other) } else { (other, one) };
        let body = json!({ "program_id": one.program_id, "from_user_id": from.user_id, "to_user_id": to.user_id, "amount": n + 1 });
        nodes[n % 2].ask::<TransferPoints>(body)
    });
    let outcomes = join_all(transfers).await;
    assert!(outcomes.iter().any(Result::is_ok));
    let posted = nodes[0].account(one).await.balance().posted + nodes[0].account(other).await.balance().posted;
    assert_eq!(posted, 1_000);
}

/// A snapshot and the events behind it give the state that a full replay gives, sealed states too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_node_folds_the_same_states_from_snapshots_as_the_node_that_decided() {
    let (nodes, account) = world().await;
    nodes[0].credited(account, 1_000).await;
    let debit = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 1, "reason": "lunch" });
    for n in 0..230 {
        nodes[0].ask::<CreateDebit>(debit.clone()).await.unwrap();
        let item = json!({ "source": "watch", "source_record_id": format!("r{n}"), "user_id": account.user_id, "metric": "steps",
            "value": n, "local_day": format!("2026-01-{:02}", n % 28 + 1), "time_zone": "Europe/Paris" });
        nodes[0].ask::<RecordActivities>(json!({ "items": [item] })).await.unwrap();
    }
    let decided: ActivityLog = nodes[0].engine.state(nodes[0].organization, account.user_id).await.unwrap();
    let folded: ActivityLog = nodes[1].engine.state(nodes[1].organization, account.user_id).await.unwrap();
    assert!(!folded.is_closed());
    assert_eq!(serde_json::to_value(&folded).unwrap(), serde_json::to_value(&decided).unwrap());
    assert_eq!(nodes[1].account(account).await, nodes[0].account(account).await);
    assert_eq!(folded.records().count(), 230);
}

/// Its key is not known to the node that began it, and need not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_began_on_this_node_has_snapshots_while_it_is_hot() {
    let (nodes, account) = world().await;
    nodes[0].credited(account, 1_000).await;
    let hold = json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 1 });
    let held = join_all((0..150).map(|_| nodes[0].ask::<PlaceHold>(hold.clone()))).await;
    assert!(held.iter().all(Result::is_ok));
    let kept = StreamRef::of::<Account>(nodes[0].organization, account.id());
    let name = kept.name;
    let request = LoadRequest { stream: name, shape: kept.shape(), with_sealed: false };
    // Snapshots are written behind the answers.
    let until_kept = async {
        loop {
            let loaded = nodes[1].engine.store().load(request).await.unwrap();
            if loaded.snapshot.is_some() {
                return loaded;
            }
            tokio::task::yield_now().await;
        }
    };
    let loaded = tokio::time::timeout(Duration::from_secs(30), until_kept).await.expect("a snapshot is kept in time");
    assert!(loaded.events.len() <= 52, "{} events behind the snapshot", loaded.events.len());
    assert_eq!(nodes[1].account(account).await, nodes[0].account(account).await);
}
