//! The tenant that is measured: one program, and users with an account of points each.

use crate::server::Server;
use palmares_commands::privacy::key_store::MemoryKeyStore;
use palmares_commands::store::{
    Append, EventStore, NewEvent, StreamName, StreamWrite,
    postgres::{PostgresStore, PostgresStoreOptions, VoucherKey},
};
use palmares_domain::{
    identity::{
        Role,
        user::{User, UserCreated, UserEvent},
    },
    kernel::{Aggregate, Digest, Event, EventId, Facts, OrganizationId, Personal, ProgramId, TransactionId, UserId, derive_uuid},
    points::{
        Account, AccountKey, Program,
        account::{AccountAction, AccountCommand, AccountEvent, Credit, ResolveCredit},
        program::{ProgramDefined, ProgramEvent},
    },
};
use std::sync::Arc;
use uuid::Uuid;

/// More than any run can hold.
pub const POINTS: i64 = 500_000_000;
/// Appends under way while the world is made.
const SEED_AT_ONCE: usize = 4_000;

pub struct World {
    pub organization: OrganizationId,
    pub program: ProgramId,
    /// Who asks: a service of the tenant.
    pub actor: UserId,
    pub accounts: Vec<AccountKey>,
    /// Every engine of the run opens what the others sealed.
    pub keys: Arc<MemoryKeyStore>,
}

impl World {
    /// The store as a server opens it: it vouches for what it records.
    pub async fn store_options(&self, server: &Server) -> anyhow::Result<PostgresStoreOptions> {
        Ok(PostgresStoreOptions::new(server.options()).vouched_by(VoucherKey::of(self.keys.as_ref()).await?))
    }

    /// Makes the accounts' histories through the store, as their own decisions.
    pub async fn seed(server: &Server, accounts: usize) -> anyhow::Result<Arc<Self>> {
        let world = Self::of(accounts);
        let store = PostgresStore::open(world.store_options(server).await?).await?;
        let defined = ProgramDefined { program_id: world.program, name: "bench".into(), floor: 0 };
        let program = world.write::<Program>(world.program.0, &[ProgramEvent::from(defined)])?;
        store.submit(world.append(vec![program])).await??;
        for chunk in world.accounts.chunks(SEED_AT_ONCE) {
            let outcomes =
                chunk.iter().map(|account| Ok(store.submit(world.append(world.writes(account)?)))).collect::<anyhow::Result<Vec<_>>>()?;
            for outcome in outcomes {
                outcome.await??;
            }
        }
        server.run("VACUUM ANALYZE").await?;
        println!("{accounts} accounts are made");
        Ok(Arc::new(world))
    }

    fn of(accounts: usize) -> Self {
        let program = ProgramId(derive_uuid("bench-program", &[]));
        let user = |number: usize| UserId(derive_uuid("bench-user", &[&number.to_be_bytes()]));
        Self {
            organization: OrganizationId(derive_uuid("bench-organization", &[])),
            program,
            actor: UserId(derive_uuid("bench-actor", &[])),
            accounts: (0..accounts).map(|number| AccountKey { program_id: program, user_id: user(number), team_id: None }).collect(),
            keys: Arc::default(),
        }
    }

    /// What an account has been through: a credit, resolved.
    pub fn history(&self, account: &AccountKey) -> anyhow::Result<Vec<AccountEvent>> {
        let facts = Facts { now: chrono::Utc::now(), actor: self.actor };
        let transaction_id = TransactionId(derive_uuid("bench-credit", &[account.user_id.0.as_bytes()]));
        let credit =
            Credit { transaction_id, amount: POINTS, rule: None, earned_on: None, source_id: None, expires_at: None, reason: None };
        let (mut state, mut history) = (Account::default(), Vec::new());
        for action in [AccountAction::Credit(credit), AccountAction::ResolveCredit(ResolveCredit { transaction_id })] {
            for event in state.decide(&AccountCommand { account: *account, floor: 0, action }, &facts)? {
                state.evolve(&event);
                history.push(event);
            }
        }
        Ok(history)
    }

    fn writes(&self, account: &AccountKey) -> anyhow::Result<Vec<StreamWrite>> {
        // Nothing here looks at the person: the sealed reference needs no ciphertext.
        let external_ref = Personal::Sealed(Digest([0; 32]));
        let created = UserCreated { user_id: account.user_id, external_ref, display_name: None, role: Role::Member };
        Ok(vec![
            self.write::<User>(account.user_id.0, &[UserEvent::from(created)])?,
            self.write::<Account>(account.id().0, &self.history(account)?)?,
        ])
    }

    fn write<A: Aggregate>(&self, id: Uuid, events: &[A::Event]) -> anyhow::Result<StreamWrite> {
        let event = |event: &A::Event| {
            anyhow::Ok(NewEvent {
                id: EventId(Uuid::now_v7()),
                event_type: event.event_type(),
                schema_version: event.schema_version(),
                effective_at: None,
                payload: event.to_payload()?,
                sealed: Vec::new(),
            })
        };
        Ok(StreamWrite {
            stream: StreamName { organization: self.organization, stream_type: A::TYPE, id },
            expected_version: 0,
            handle: None,
            events: events.iter().map(event).collect::<Result<_, _>>()?,
        })
    }

    fn append(&self, writes: Vec<StreamWrite>) -> Append {
        let metadata = Arc::from(serde_json::json!({ "actor_id": self.actor }).to_string().into_bytes());
        Append { organization: self.organization, actor: self.actor, metadata, writes, claims: vec![], releases: vec![], command: None }
    }
}
