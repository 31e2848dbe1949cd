//! The process that erases, as the server wires it, beside an engine that appends.

use super::Erasures;
use crate::Plan;
use crate::load::closed_loop;
use crate::palmares_system::{Palmares, With};
use crate::results::{self, Row};
use crate::sealing::NoKeys;
use crate::server::Server;
use crate::world::World;
use anyhow::Context;
use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use palmares::{
    pipeline::{TokenKeys, keys::generate_pem},
    reactors::erasure::{DeletionTimer, Erase, Tools},
};
use palmares_commands::{
    compliance::{ApproveDeletion, SubmitDeletion, VerifyDeletion, shredding::CustodyShredder},
    engine::{Clock, Engine, EngineOptions, Operation, Receipt},
    identity::{ChangeProfile, CreateUser},
    privacy::{
        ClientContexts, Custody, KeyRing, PostgresSealedRows,
        client_context::PostgresClientContextTable,
        data_keys::{
            PostgresDataKeyTable,
            postgres_life::{PostgresKeyLife, eraser_pool},
        },
    },
    store::postgres::PostgresStore,
};
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    identity::{Rights, Role, credential::CredentialAction},
    kernel::{Admission, Admitted, DeletionRequestId, UserId, derive_uuid},
};
use palmares_projections::{
    compliance::due::DELETIONS,
    engine::{
        Delivered, Reactor, Readers,
        log::Log,
        timers::{Timer, TimerHandler},
        watermarks::Watermarks,
    },
};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

const EVENTS: u64 = 10_000;
/// Sealed values of others: what stands beside those of the subject has to be looked through.
const OTHERS: u64 = 2_000_000;
const CALLERS: usize = 64;
const AT_ONCE: usize = 64;
/// Grace, and the time in which a deletion can be undone.
const WAITS: [TimeDelta; 2] = [TimeDelta::days(30), TimeDelta::days(30)];
const STEP_DONE: &str = "compliance.erasure_step_done";
const CERTIFIED: &str = "compliance.subject_anonymised";

/// Values of people of whom nothing else is known: below every position of the log.
const FILL: &str = "
    INSERT INTO event_sealed (position, field, organization_id, subject_id, purpose, ciphertext)
    SELECT -n, 'reason', '{organization}', md5('other' || n % 50000)::uuid, 'profile', decode(repeat('ab', 62), 'hex')
    FROM generate_series(1, {others}) n";

struct Process {
    tools: Tools,
    clock: Clock,
    world: Arc<World>,
}

impl Process {
    async fn open(server: &Server, world: &Arc<World>) -> anyhow::Result<Self> {
        let store = PostgresStore::open(world.store_options(server).await?).await?;
        let pool = store.pool().clone();
        let ring = Arc::new(KeyRing::new(world.keys.clone(), Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        ring.follow(Some(pool.clone())).await?;
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool.clone())));
        let clock = Clock::default();
        let options = EngineOptions { clock: clock.clone(), ..EngineOptions::default() };
        let engine = Engine::new(Arc::new(store), ring.clone(), Arc::new(contexts), options);
        let eraser = eraser_pool(&pool);
        let life = Arc::new(PostgresKeyLife::new(eraser.clone()));
        let custody = Arc::new(Custody::new(ring, life, Arc::new(PostgresSealedRows::new(eraser))));
        let log = Log::new(server.pool(server.options_as("palmares_relay"), 2).await?);
        let tools = Tools {
            engine,
            readers: Readers::new(server.pool(server.options_as("palmares_reader"), 2).await?, Arc::new(NoKeys)),
            watermarks: Watermarks::new(log),
            shredder: Arc::new(CustodyShredder::new(custody, pool)),
            tokens: Arc::new(TokenKeys::from_pems("bench", "bench", [generate_pem()?.as_str()])?),
            forgetting: Vec::new(),
            counting: Vec::new(),
        };
        Ok(Self { tools, clock, world: world.clone() })
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark of what stands behind the gate admits its own commands")]
    async fn execute<O: Operation>(&self, actor: UserId, operation: O) -> anyhow::Result<Receipt> {
        let rights = Rights::built_in([Role::OrganizationAdmin]);
        let admission = Admission { rights, ..Admission::of(self.world.organization, actor, "bench", Uuid::now_v7()) };
        Ok(self.tools.engine.execute(Admitted::grant(admission, operation)).await?)
    }

    /// Somebody with a history, whose deletion is approved and due.
    async fn due(&self, number: u64) -> anyhow::Result<DeletionRequestId> {
        let (admin, officer) = (self.world.actor, UserId(derive_uuid("bench-officer", &[])));
        let create: CreateUser = serde_json::from_value(json!({ "external_ref": format!("erased-{number}"), "role": "member" }))?;
        let created = self.execute(admin, create).await?;
        let user = UserId(created.answer.0["id"].as_str().context("an id")?.parse()?);
        let change = |event: u64| async move {
            let change: ChangeProfile = serde_json::from_value(json!({ "user_id": user, "given_name": format!("Given {event}") }))?;
            self.execute(user, change).await.map(drop)
        };
        stream::iter((1..EVENTS).map(change)).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let (request_id, subject) = (DeletionRequestId::of(user), DeletionSubject::User(user));
        self.execute(
            admin,
            SubmitDeletion { user_id: Some(user), organization: false, reason: None, forced: None, other_officers: vec![] },
        )
        .await?;
        let proof = CredentialAction::BeginTotp { secret: "A".repeat(32) };
        self.execute(admin, VerifyDeletion { request_id, subject, home: self.world.organization, proof, other_officers: vec![] }).await?;
        let (checks, other_officers) = (Vec::new(), Vec::new());
        self.execute(officer, ApproveDeletion { request_id, footprint: None, checks, other_officers, subject: Some(subject) }).await?;
        self.clock.advance(WAITS[0]);
        self.fire(request_id).await?;
        self.react(self.head() - 1, None).await?;
        self.clock.advance(WAITS[1]);
        Ok(request_id)
    }

    fn head(&self) -> i64 {
        *self.tools.engine.store().committed().borrow()
    }

    async fn fire(&self, request: DeletionRequestId) -> anyhow::Result<()> {
        let (id, payload) = (Uuid::now_v7(), serde_json::to_value(request)?);
        let organization_id = self.world.organization;
        let timer =
            Timer { organization_id, id, kind: DELETIONS.kind.to_owned(), stream_id: request.0, due_at: chrono::Utc::now(), payload };
        DeletionTimer(self.tools.clone()).fire(&timer).await.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Hands what follows in the log over, until the certificate stands in it; answers when each step did.
    async fn react(&self, mut position: i64, until: Option<&str>) -> anyhow::Result<Vec<(String, Instant)>> {
        let (erase, mut steps) = (Erase(self.tools.clone()), Vec::new());
        let mut committed = self.tools.engine.store().committed();
        loop {
            let events = self.tools.engine.store().read_after(position, 1_000).await?;
            for event in events {
                position = event.position;
                let event_type = event.event_type.clone();
                if event_type == STEP_DONE {
                    let payload: serde_json::Value = serde_json::from_str(event.payload.get())?;
                    steps.push((payload["step"].as_str().context("a step")?.to_owned(), Instant::now()));
                }
                if event_type == CERTIFIED {
                    steps.push(("CERTIFIED".to_owned(), Instant::now()));
                }
                if until == Some(event_type.as_str()) {
                    return Ok(steps);
                }
                if erase.interests().contains(&event_type.as_str()) {
                    let delivered = Delivered { event: Arc::new(event), opened: Default::default() };
                    erase.react(&delivered).await.map_err(|error| anyhow::anyhow!("{error}"))?;
                }
            }
            if until.is_none() && position >= self.head() {
                return Ok(steps);
            }
            if position >= self.head() {
                committed.changed().await?;
            }
        }
    }

    /// From the order to the certificate: how long each step took.
    async fn erase(&self, request: DeletionRequestId) -> anyhow::Result<Vec<(String, f64)>> {
        let (mut before, position) = (Instant::now(), self.head());
        self.fire(request).await?;
        let mut steps = vec![("ORDERED".to_owned(), Instant::now())];
        steps.extend(self.react(position, Some(CERTIFIED)).await?);
        let took = |(step, at): (String, Instant)| {
            let took_ms = (at - before).as_secs_f64() * 1e3;
            before = at;
            (step.to_lowercase().replace('_', " "), took_ms)
        };
        Ok(steps.into_iter().map(took).collect())
    }
}

pub async fn measure(server: &Server, world: &Arc<World>, plan: &Plan) -> anyhow::Result<()> {
    let fill = FILL.replace("{organization}", &world.organization.0.to_string()).replace("{others}", &OTHERS.to_string());
    server.run(&fill).await?;
    let process = Arc::new(Process::open(server, world).await?);
    let mut due = Vec::new();
    for number in 0..plan.runs as u64 {
        due.push(process.due(number).await?);
    }
    server.run("VACUUM ANALYZE event_sealed, data_keys").await?;
    server.run("CHECKPOINT").await?;
    println!("{} people are to be erased", due.len());
    // Another node, which appends for others.
    let palmares = Palmares::open(server, world).await?;
    palmares.warm().await?;
    let (mut rows, mut taken) = (Vec::new(), Vec::new());
    for (round, request) in (0_u64..).zip(due) {
        let loop_palmares = palmares.clone();
        let command = move |number: u64| {
            let palmares = loop_palmares.clone();
            async move { palmares.place_hold(round << 56 | number, With::Nothing).await }
        };
        rows.push(Row::of("nobody is erased", CALLERS, closed_loop(CALLERS, plan.span, command.clone()).await?));
        let (during, erased) = tokio::join!(closed_loop(CALLERS, plan.span, command), process.erase(request));
        let steps = erased?;
        println!("{steps:?}");
        taken.push(steps);
        rows.push(Row::of("somebody is erased", CALLERS, during?));
    }
    let steps = medians(&taken).context("nobody was erased")?;
    results::write("erasure", &Erasures { events: EVENTS, others: OTHERS, steps, appends: results::medians(&rows) })
}

fn medians(taken: &[Vec<(String, f64)>]) -> Option<Vec<(String, f64)>> {
    let median = |step: usize| {
        let mut all: Vec<f64> = taken.iter().filter_map(|steps| Some(steps.get(step)?.1)).collect();
        all.sort_unstable_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Some(taken.first()?.iter().enumerate().map(|(step, (name, _))| (name.clone(), median(step))).collect())
}
