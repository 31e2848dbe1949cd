//! The yardstick: the same account, hosted by vanilla cqrs-es on vanilla postgres-es.
//!
//! It decides the same command with the same rules on the same history, and stores the same event
//! and metadata. It does not look at the program and the user, which Palmares does.

use crate::load::mix;
use crate::server::Server;
use crate::world::World;
use anyhow::bail;
use cqrs_es::{AggregateError, DomainEvent, event_sink::EventSink};
use palmares_domain::{
    kernel::{Aggregate, Event, Facts, TransactionId},
    points::{
        Account, AccountKey,
        account::{AccountAction, AccountCommand, AccountError, AccountEvent, CreditAccepted, CreditResolved, HoldPlaced, PlaceHold},
    },
};
use postgres_es::PostgresCqrs;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The library's own `db/init.sql`, in a schema of its own.
const SCHEMA: &str = "
CREATE SCHEMA vanilla;
CREATE TABLE vanilla.events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";

const SEED: &str = "
INSERT INTO vanilla.events
SELECT $1, u.id, u.sequence, u.event_type, '1', u.payload::json, $2::json
FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[]) u(id, sequence, event_type, payload)";

/// What `postgres_es::default_postgress_pool` opens.
const POOL: u32 = 10;
const SEED_AT_ONCE: usize = 1_000;

/// Any decider as an aggregate of cqrs-es.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Hosted(Account);

/// The events of this history, as one would derive them for cqrs-es.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Happened {
    CreditAccepted(CreditAccepted),
    CreditResolved(CreditResolved),
    HoldPlaced(HoldPlaced),
}

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        AccountEvent::from(self.clone()).event_type().to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl From<Happened> for AccountEvent {
    fn from(happened: Happened) -> Self {
        match happened {
            Happened::CreditAccepted(event) => event.into(),
            Happened::CreditResolved(event) => event.into(),
            Happened::HoldPlaced(event) => event.into(),
        }
    }
}

impl From<AccountEvent> for Happened {
    fn from(event: AccountEvent) -> Self {
        match event {
            AccountEvent::CreditAccepted(event) => Self::CreditAccepted(event),
            AccountEvent::CreditResolved(event) => Self::CreditResolved(event),
            AccountEvent::HoldPlaced(event) => Self::HoldPlaced(event),
            other => unreachable!("the benchmark does not cause {}", other.event_type()),
        }
    }
}

impl cqrs_es::Aggregate for Hosted {
    const TYPE: &'static str = Account::TYPE;
    type Command = (AccountCommand, Facts);
    type Event = Happened;
    type Error = AccountError;
    type Services = ();

    async fn handle(&mut self, (command, facts): Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), AccountError> {
        for event in self.0.decide(&command, &facts)? {
            sink.write(event.into(), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Happened) {
        self.0.evolve(&event.into());
    }
}

pub struct Vanilla {
    cqrs: PostgresCqrs<Hosted>,
    world: Arc<World>,
}

impl Vanilla {
    /// Makes the same accounts as [`World::seed`] in its own table.
    pub async fn open(server: &Server, world: &Arc<World>) -> anyhow::Result<Arc<Self>> {
        server.run(SCHEMA).await?;
        let pool = server.pool(server.options().options([("search_path", "vanilla")]), POOL).await?;
        let metadata = serde_json::to_string(&metadata(world))?;
        for chunk in world.accounts.chunks(SEED_AT_ONCE) {
            let (mut ids, mut sequences, mut types, mut payloads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for account in chunk {
                for (event, sequence) in world.history(account)?.into_iter().zip(1_i64..) {
                    ids.push(account.id().to_string());
                    sequences.push(sequence);
                    types.push(event.event_type());
                    payloads.push(serde_json::to_string(&Happened::from(event))?);
                }
            }
            let seed = sqlx::query(SEED).bind(Hosted::TYPE_NAME).bind(&metadata).bind(ids).bind(sequences).bind(types).bind(payloads);
            seed.execute(&pool).await?;
        }
        server.run("VACUUM ANALYZE vanilla.events").await?;
        Ok(Arc::new(Self { cqrs: postgres_es::postgres_cqrs(pool, Vec::new(), ()), world: world.clone() }))
    }

    /// Places a hold of one point on the account that `number` falls on; again where another got there first.
    pub async fn place_hold(&self, number: u64) -> anyhow::Result<()> {
        self.hold(self.world.accounts[(mix(number) % self.world.accounts.len() as u64) as usize]).await
    }

    async fn hold(&self, account: AccountKey) -> anyhow::Result<()> {
        let id = account.id().to_string();
        let hold_id = TransactionId(Uuid::now_v7());
        let action = AccountAction::PlaceHold(PlaceHold { hold_id, amount: 1, source_id: None, expires_at: None, reason: None });
        let command = AccountCommand { account, floor: 0, action };
        loop {
            let facts = Facts { now: chrono::Utc::now(), actor: self.world.actor };
            match self.cqrs.execute_with_metadata(&id, (command.clone(), facts), metadata(&self.world)).await {
                Ok(()) => return Ok(()),
                Err(AggregateError::AggregateConflict) => {}
                Err(error) => bail!("{error}"),
            }
        }
    }
}

impl Hosted {
    const TYPE_NAME: &'static str = <Self as cqrs_es::Aggregate>::TYPE;
}

/// The metadata of Palmares, with the same keys and values.
fn metadata(world: &World) -> HashMap<String, String> {
    let request_id = Uuid::now_v7().to_string();
    [
        ("actor_id", world.actor.to_string()),
        ("roles", "organization_admin".to_owned()),
        ("permission", "points.hold.place".to_owned()),
        ("policies", "role.organization_admin".to_owned()),
        ("request_id", request_id.clone()),
        ("correlation_id", request_id.clone()),
        ("client_context_id", request_id),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
