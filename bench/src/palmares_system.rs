//! Palmares as measured: the command engine over the store, as the server wires it.

use crate::load::mix;
use crate::server::Server;
use crate::world::World;
use futures::{StreamExt, TryStreamExt, stream};
use palmares_commands::{
    engine::{Capability, Engine, EngineOptions, Operation, Receipt},
    points::{CreateCredit, PlaceHold, PostHold, VoidHold},
    privacy::{ClientContexts, KeyRing, client_context::PostgresClientContextTable, data_keys::PostgresDataKeyTable},
    store::postgres::{PostgresStore, Tail},
};
use palmares_domain::{
    identity::{Rights, Role, user::User},
    kernel::{Admission, Admitted, ClientContext, CommandId, Idempotency, TransactionId, derive_uuid},
    points::{Account, AccountKey, SourceId},
};
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

const WARMED_AT_ONCE: usize = 256;
const REASON: &str = "a-meal-for-two-in-the-canteen";
/// Every account of a run fits, with all that is held on it.
const CACHE_BYTES: usize = 8 << 30;

/// What a command carries beyond the plain one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum With {
    Nothing,
    IdempotencyKey,
    SealedReason,
    /// The same characters in a field that is not personal: they stand in the event as they are.
    ClearReason,
}

pub struct Palmares {
    engine: Arc<Engine>,
    world: Arc<World>,
    tail: Arc<Tail>,
}

impl Palmares {
    /// Palmares with all accounts in memory once they have been asked for.
    pub async fn open(server: &Server, world: &Arc<World>) -> anyhow::Result<Arc<Self>> {
        Self::open_with(server, world, CACHE_BYTES).await
    }

    pub async fn open_with(server: &Server, world: &Arc<World>, cache_bytes: usize) -> anyhow::Result<Arc<Self>> {
        let store = PostgresStore::open(world.store_options(server).await?).await?;
        let (pool, tail) = (store.pool().clone(), store.tail());
        let ring = Arc::new(KeyRing::new(world.keys.clone(), Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool)));
        let options = EngineOptions { cache_bytes, ..EngineOptions::default() };
        let engine = Engine::new(Arc::new(store), ring, Arc::new(contexts), options);
        Ok(Arc::new(Self { engine, world: world.clone(), tail }))
    }

    /// Loads every account and its user once, so that what is measured is the steady state.
    pub async fn warm(&self) -> anyhow::Result<()> {
        stream::iter(self.world.accounts.iter().map(|account| async move {
            self.engine.look::<User, _>(self.world.organization, account.user_id, |_| ()).await?;
            self.engine.look::<Account, _>(self.world.organization, account.id(), |_| ()).await?;
            anyhow::Ok(())
        }))
        .buffer_unordered(WARMED_AT_ONCE)
        .try_collect::<()>()
        .await
    }

    /// The newest committed position.
    pub fn position(&self) -> i64 {
        *self.engine.store().committed().borrow()
    }

    /// Tells the newest committed position.
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.engine.store().committed()
    }

    /// What was committed last.
    pub fn tail(&self) -> Arc<Tail> {
        self.tail.clone()
    }

    /// What the states in memory weigh, by the engine's estimate.
    pub fn cached_bytes(&self) -> usize {
        self.engine.cached_bytes()
    }

    /// Makes the data keys of what [`Self::place_hold`] finds for the numbers below `count`.
    pub async fn make_keys(&self, count: usize) -> anyhow::Result<()> {
        stream::iter((0..count as u64).map(|number| self.place_hold(number, With::SealedReason)))
            .buffer_unordered(WARMED_AT_ONCE)
            .try_collect::<()>()
            .await
    }

    /// Places a hold of one point on the account that `number` falls on.
    pub async fn place_hold(&self, number: u64, with: With) -> anyhow::Result<()> {
        self.hold(self.account(number), with).await.map(drop)
    }

    /// Places a hold of one point on the accounts in turn, and posts it or voids it.
    pub async fn place_and_close_hold(&self, number: u64) -> anyhow::Result<()> {
        let account = self.world.accounts[(number % self.world.accounts.len() as u64) as usize];
        let held = self.hold(account, With::Nothing).await?;
        let hold_id: TransactionId = serde_json::from_value(held.answer.0["transaction_id"].clone())?;
        let account = Some(account);
        match number % 2 {
            0 => self.execute(PostHold { hold_id, amount: None, account }, false).await.map(drop),
            _ => self.execute(VoidHold { hold_id, reason: None, account }, false).await.map(drop),
        }
    }

    /// The same, always on one account.
    pub async fn place_hold_on_first(&self) -> anyhow::Result<()> {
        self.hold(self.world.accounts[0], With::Nothing).await.map(drop)
    }

    async fn hold(&self, account: AccountKey, with: With) -> anyhow::Result<Receipt> {
        let hold = PlaceHold {
            program_id: account.program_id,
            user_id: account.user_id,
            team_id: None,
            amount: 1,
            source_id: (with == With::ClearReason).then(|| SourceId::new(REASON)).transpose()?,
            reason: (with == With::SealedReason).then(|| REASON.to_owned()),
            expires_at: None,
        };
        self.execute(hold, with == With::IdempotencyKey).await
    }

    /// Awards a point for a source of its own, which is a claim.
    pub async fn credit_with_claim(&self, number: u64) -> anyhow::Result<()> {
        let account = self.account(number);
        let credit = CreateCredit {
            program_id: account.program_id,
            user_id: account.user_id,
            team_id: None,
            amount: 1,
            source_id: Some(SourceId::new(Uuid::now_v7().to_string())?),
            reason: None,
            expires_at: None,
        };
        self.execute(credit, false).await.map(drop)
    }

    fn account(&self, number: u64) -> AccountKey {
        self.world.accounts[(mix(number) % self.world.accounts.len() as u64) as usize]
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark of what stands behind the gate admits its own commands")]
    async fn execute<O: Operation + Capability>(&self, operation: O, keyed: bool) -> anyhow::Result<Receipt> {
        let request_id = Uuid::now_v7();
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin]),
            policies: vec!["role.organization_admin".to_owned()],
            client: Some(ClientContext { ip: "192.0.2.1".to_owned(), user_agent: Some("palmares-bench/1".to_owned()) }),
            idempotency: keyed.then(|| Idempotency {
                command_id: CommandId(derive_uuid("bench-command", &[request_id.as_bytes()])),
                request_hash: [7; 32],
            }),
            ..Admission::of(self.world.organization, self.world.actor, O::PERMISSION, request_id)
        };
        Ok(self.engine.execute(Admitted::grant(admission, operation)).await?)
    }
}
