//! The erasure of a person, with a crash after every effect and before it is recorded: on PostgreSQL,
//! each time by a process that knows nothing of the one before it.

use super::id;
use crate::support::servers::{self, Database};
use async_trait::async_trait;
use chrono::TimeDelta;
use palmares::{
    pipeline::{TokenKeys, keys::generate_pem},
    reactors::erasure::{Certificate, DeletionTimer, Erase, PURPOSE, Tools},
};
use palmares_commands::{
    compliance::{
        ApproveDeletion, CheckDeletionHold, PlaceLegalHold, ReleaseLegalHold, SubmitDeletion, VerifyDeletion,
        shredding::{CustodyShredder, Ordered, Shredder},
    },
    engine::{Clock, Engine, EngineOptions, Operation, Receipt},
    identity::CreateUser,
    privacy::{
        ClientContexts, Custody, KeyRing, KeyStore, PostgresSealedRows,
        client_context::PostgresClientContextTable,
        data_keys::{
            PostgresDataKeyTable,
            postgres_life::{PostgresKeyLife, eraser_pool},
        },
        key_store::MemoryKeyStore,
    },
    store::{
        ClaimKey,
        postgres::{PostgresStore, PostgresStoreOptions},
    },
};
use palmares_domain::kernel::Place;
use palmares_domain::{
    compliance::deletion_request::{DeletionRequest, DeletionStatus, DeletionSubject, Dossier},
    identity::{Rights, Role, credential::CredentialAction},
    kernel::{Admission, Admitted, DeletionRequestId, LegalHoldId, OrganizationId, Purpose, UserId},
};
use palmares_projections::{
    compliance::due::DELETIONS,
    engine::{
        Delivered, KeyError, PersonalKeys, ReactError, Reactor, Readers,
        log::Log,
        timers::{Timer, TimerHandler},
        watermarks::Watermarks,
    },
};
use serde_json::json;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));

/// What destroys, and crashes after the effect whose number has come.
struct Crashing {
    shredder: CustodyShredder,
    effects: AtomicUsize,
    crash_at: usize,
}

impl Crashing {
    fn done<T>(&self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        let effect = self.effects.fetch_add(1, Ordering::SeqCst);
        anyhow::ensure!(effect != self.crash_at, "crashed after effect {effect}");
        outcome
    }
}

#[async_trait]
impl Shredder for Crashing {
    async fn hide(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()> {
        self.done(self.shredder.hide(organization, subject).await)
    }
    async fn unhide(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()> {
        self.done(self.shredder.unhide(organization, subject).await)
    }
    async fn quarantine(&self, organization: OrganizationId, subject: DeletionSubject, hold: LegalHoldId) -> anyhow::Result<bool> {
        self.done(self.shredder.quarantine(organization, subject, hold).await)
    }
    async fn let_go(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()> {
        self.done(self.shredder.let_go(organization, subject).await)
    }
    async fn release(&self, organization: OrganizationId, hold: LegalHoldId) -> anyhow::Result<()> {
        self.done(self.shredder.release(organization, hold).await)
    }
    async fn claims(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<Vec<ClaimKey>> {
        self.done(self.shredder.claims(organization, subject).await)
    }
    async fn destroy_keys(&self, order: &Ordered) -> anyhow::Result<Option<i64>> {
        self.done(self.shredder.destroy_keys(order).await)
    }
    async fn rotate_epoch(&self, order: &Ordered) -> anyhow::Result<i64> {
        self.done(self.shredder.rotate_epoch(order).await)
    }
    async fn delete_rows(&self, order: &Ordered) -> anyhow::Result<i64> {
        self.done(self.shredder.delete_rows(order).await)
    }
    async fn leftovers(&self, order: &Ordered) -> anyhow::Result<i64> {
        self.done(self.shredder.leftovers(order).await)
    }
}

/// Reads no personal data.
pub struct Blind;

#[async_trait]
impl PersonalKeys for Blind {
    async fn seal(&self, _: &Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Destroyed)
    }
    async fn open(&self, _: &Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(None)
    }
    async fn lookup_hash(&self, _: OrganizationId, _: &str, _: &str) -> Result<[u8; 32], KeyError> {
        Err(KeyError::Destroyed)
    }
}

/// What outlives every process.
struct Machine {
    database: Database,
    keys: Arc<dyn KeyStore>,
    pem: String,
    clock: Clock,
}

/// One process, from its start to its crash.
struct Process {
    tools: Tools,
    pool: PgPool,
}

impl Machine {
    async fn new() -> Self {
        let database = servers::database().await;
        Self { database, keys: Arc::new(MemoryKeyStore::default()), pem: generate_pem().unwrap(), clock: Clock::default() }
    }

    async fn start(&self, crash_at: usize) -> Process {
        let store = PostgresStore::open(PostgresStoreOptions::new(self.database.url.parse().unwrap())).await.unwrap();
        let pool = store.pool().clone();
        let ring = Arc::new(KeyRing::new(self.keys.clone(), Arc::new(PostgresDataKeyTable::new(pool.clone()))));
        ring.follow(Some(pool.clone())).await.unwrap();
        let contexts = ClientContexts::new(ring.clone(), Arc::new(PostgresClientContextTable::new(pool.clone())));
        let options = EngineOptions { clock: self.clock.clone(), ..EngineOptions::default() };
        let engine = Engine::new(Arc::new(store), ring.clone(), Arc::new(contexts), options);
        let eraser = eraser_pool(&pool);
        let life = Arc::new(PostgresKeyLife::new(eraser.clone()));
        let custody = Arc::new(Custody::new(ring, life, Arc::new(PostgresSealedRows::new(eraser))));
        let log = Log::new(self.as_role("palmares_relay").await);
        let shredder = CustodyShredder::new(custody, pool.clone());
        let tools = Tools {
            engine,
            readers: Readers::new(self.as_role("palmares_reader").await, Arc::new(Blind)),
            watermarks: Watermarks::new(log),
            shredder: Arc::new(Crashing { shredder, effects: AtomicUsize::new(0), crash_at }),
            tokens: Arc::new(TokenKeys::from_pems("test", "test", [self.pem.as_str()]).unwrap()),
            forgetting: Vec::new(),
            counting: Vec::new(),
        };
        Process { tools, pool }
    }

    async fn as_role(&self, role: &str) -> PgPool {
        let options: sqlx::postgres::PgConnectOptions = self.database.url.parse().unwrap();
        PgPoolOptions::new().max_connections(2).connect_with(options.options([("role", role)])).await.unwrap()
    }
}

impl Process {
    async fn execute<O: Operation>(&self, actor: UserId, operation: O) -> Receipt {
        let request_id = Uuid::now_v7();
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin, Role::ComplianceOfficer]),
            ..Admission::of(ORGANIZATION, actor, "test", request_id)
        };
        #[expect(clippy::disallowed_methods, reason = "a test of a process has no gate")]
        self.tools.engine.execute(Admitted::grant(admission, operation)).await.unwrap()
    }

    /// Hands the log over from its beginning, as after a crash that lost the checkpoint; false where it crashed.
    async fn react(&self) -> bool {
        let reacted = self.try_react().await;
        assert!(reacted.as_ref().err().is_none_or(|error| error.to_string().contains("crashed")), "{reacted:?}");
        reacted.is_ok()
    }

    async fn try_react(&self) -> Result<(), ReactError> {
        let erase = Erase(self.tools.clone());
        let mut position = 0;
        loop {
            let events = self.tools.engine.store().read_after(position, 100).await.unwrap();
            let Some(last) = events.last() else { return Ok(()) };
            position = last.position;
            for event in events {
                if erase.interests().contains(&event.event_type.as_str()) {
                    erase.react(&Delivered { event: Arc::new(event), opened: Default::default() }).await?;
                }
            }
        }
    }

    async fn fire(&self, request: DeletionRequestId) {
        let payload = serde_json::to_value(request).unwrap();
        let (id, due_at) = (Uuid::now_v7(), chrono::Utc::now());
        let timer = Timer { organization_id: ORGANIZATION, id, kind: DELETIONS.kind.to_owned(), stream_id: request.0, due_at, payload };
        DeletionTimer(self.tools.clone()).fire(&timer).await.unwrap();
    }

    async fn dossier(&self, request: DeletionRequestId) -> Dossier {
        self.tools.engine.look(ORGANIZATION, request, |found: &DeletionRequest| found.dossier().cloned()).await.unwrap().unwrap()
    }

    async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).bind(ORGANIZATION.0).fetch_one(&self.pool).await.unwrap()
    }
}

/// Asked for, proven and approved; answers who it is.
async fn in_grace(process: &Process) -> UserId {
    let (admin, officer) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    let create: CreateUser =
        serde_json::from_value(json!({ "external_ref": "canary", "role": "member", "email": "canary@acme.example" })).unwrap();
    let user = UserId(id(&process.execute(admin, create).await, "id"));
    let subject = DeletionSubject::User(user);
    process
        .execute(
            admin,
            SubmitDeletion {
                user_id: Some(user),
                organization: false,
                reason: Some("canary".into()),
                forced: None,
                other_officers: vec![],
            },
        )
        .await;
    let (request_id, proof) = (DeletionRequestId::of(user), CredentialAction::BeginTotp { secret: "A".repeat(32) });
    process.execute(admin, VerifyDeletion { request_id, subject, home: ORGANIZATION, proof, other_officers: vec![] }).await;
    let (checks, other_officers) = (Vec::new(), Vec::new());
    process.execute(officer, ApproveDeletion { request_id, footprint: None, checks, other_officers, subject: Some(subject) }).await;
    user
}

// covers: E-292, E-163, E-165
#[tokio::test]
async fn an_erasure_that_crashes_after_any_effect_ends_as_one_that_does_not() {
    const NEVER: usize = usize::MAX;
    let mut crashes = 0;
    for crash_at in (0..6).chain([NEVER]) {
        let machine = Machine::new().await;
        let process = machine.start(NEVER).await;
        let user = in_grace(&process).await;
        let request = DeletionRequestId::of(user);
        machine.clock.advance(TimeDelta::days(30));
        process.fire(request).await;
        assert_eq!(process.dossier(request).await.status, DeletionStatus::SoftDeleted);
        machine.clock.advance(TimeDelta::days(30));
        process.fire(request).await;
        assert!(process.dossier(request).await.erasure.is_some());
        drop(process);

        if !machine.start(crash_at).await.react().await {
            crashes += 1;
        }
        let process = machine.start(NEVER).await;
        assert!(process.react().await);
        let dossier = process.dossier(request).await;
        assert_eq!((dossier.status, dossier.rounds), (DeletionStatus::RetentionCountdown, 1), "crashed after effect {crash_at}");
        let kept: Vec<_> = dossier.retained.iter().map(|kept| kept.purpose).collect();
        assert_eq!(kept, [Purpose::Reward, Purpose::Hr]);

        // Each step stands in the log once, the keys are tombstones, and nothing opens or is claimed any more.
        let steps =
            process.count("SELECT count(*) FROM events WHERE organization_id = $1 AND event_type = 'compliance.erasure_step_done'").await;
        let told =
            process.count("SELECT count(*) FROM events WHERE organization_id = $1 AND event_type = 'compliance.subject_erased'").await;
        assert_eq!((steps, told), (5, 1), "crashed after effect {crash_at}");
        let of_user = format!("organization_id = $1 AND subject_id = '{user}'");
        assert_eq!(process.count(&format!("SELECT count(*) FROM event_sealed WHERE {of_user}")).await, 0);
        assert_eq!(process.count(&format!("SELECT count(*) FROM data_keys WHERE {of_user} AND wrapped IS NOT NULL")).await, 0);
        assert_eq!(process.count("SELECT count(*) FROM claims WHERE organization_id = $1").await, 0);
    }
    assert_eq!(crashes, 6, "every effect was crashed after");
}

/// Somebody whose erasure is ordered, and nothing of it done.
async fn ordered(machine: &Machine, process: &Process) -> (DeletionRequestId, DeletionSubject) {
    let user = in_grace(process).await;
    let request = DeletionRequestId::of(user);
    for days in [30, 30] {
        machine.clock.advance(TimeDelta::days(days));
        process.fire(request).await;
    }
    assert!(process.dossier(request).await.erasure.is_some_and(|erasure| erasure.done.is_none()));
    (request, DeletionSubject::User(user))
}

const STANDING: &str = "SELECT count(*) FROM data_keys WHERE organization_id = $1 AND wrapped IS NOT NULL AND purpose = 'profile'";

// covers: E-162
#[tokio::test]
async fn a_hold_that_comes_after_the_order_keeps_the_keys_and_its_release_lets_the_same_round_go_on() {
    let machine = Machine::new().await;
    let process = machine.start(usize::MAX).await;
    let (request_id, subject) = ordered(&machine, &process).await;
    let officer = UserId(Uuid::from_u128(2));
    // On everybody, so that no key is kept by name.
    let place: PlaceLegalHold = serde_json::from_value(json!({ "matter": "case 7" })).unwrap();
    let hold_id = LegalHoldId(id(&process.execute(officer, place).await, "id"));
    let standing = process.count(STANDING).await;
    for _ in 0..2 {
        assert!(process.react().await, "nobody else waits for it");
        let dossier = process.dossier(request_id).await;
        assert_eq!((dossier.status, dossier.before_hold), (DeletionStatus::Held, Some(DeletionStatus::SoftDeleted)));
        assert_eq!(process.count(STANDING).await, standing, "nothing is destroyed");
    }
    process.execute(officer, ReleaseLegalHold { hold_id }).await;
    process.execute(officer, CheckDeletionHold { request_id, subject, footprint: None }).await;
    assert!(process.react().await);
    let dossier = process.dossier(request_id).await;
    assert_eq!((dossier.status, dossier.rounds, dossier.before_hold), (DeletionStatus::RetentionCountdown, 1, None));
    assert!(process.count(STANDING).await < standing);
}

// covers: E-162
#[tokio::test]
async fn keys_that_were_kept_at_the_last_moment_hold_the_deletion_and_what_no_hold_keeps_is_let_go() {
    let machine = Machine::new().await;
    let process = machine.start(usize::MAX).await;
    let (request, subject) = ordered(&machine, &process).await;
    // As a superuser may put it there, or a hold that was released while nobody looked: the log has none.
    let unknown = LegalHoldId(Uuid::from_u128(99));
    assert!(process.tools.shredder.quarantine(ORGANIZATION, subject, unknown).await.unwrap(), "there are keys to keep");
    let refused = process.try_react().await.expect_err("the keys are kept");
    assert!(refused.to_string().contains("a hold that the log does not have"), "{refused}");
    assert!(process.react().await);
    assert_eq!(process.dossier(request).await.status, DeletionStatus::RetentionCountdown);
    assert!(!process.tools.shredder.quarantine(ORGANIZATION, subject, unknown).await.unwrap() || process.count(STANDING).await == 0);
}

// covers: E-163
#[tokio::test]
async fn the_certificate_says_what_was_destroyed_and_names_nobody() {
    let machine = Machine::new().await;
    let process = machine.start(usize::MAX).await;
    let user = in_grace(&process).await;
    let request = DeletionRequestId::of(user);
    for days in [30, 30] {
        machine.clock.advance(TimeDelta::days(days));
        process.fire(request).await;
    }
    assert!(process.react().await);
    let certificate: String = sqlx::query_scalar(
        "SELECT convert_from(payload, 'UTF8')::json ->> 'certificate' FROM events WHERE event_type = 'compliance.subject_anonymised'",
    )
    .fetch_one(&process.pool)
    .await
    .unwrap();
    let said: Certificate = process.tools.tokens.unseal(PURPOSE, &certificate).unwrap();
    assert_eq!((said.request_id, said.subject, said.round), (request, DeletionSubject::User(user), 1));
    assert_eq!(said.destroyed, [Purpose::Profile, Purpose::Health, Purpose::Security]);
    assert!(said.steps.iter().any(|(_, count)| *count > 0) && said.steps.len() == 5, "{said:?}");
    assert!(!serde_json::to_string(&said).unwrap().contains("canary"));
    let stranger = TokenKeys::from_pems("test", "test", [generate_pem().unwrap().as_str()]).unwrap();
    assert!(stranger.unseal::<Certificate>(PURPOSE, &certificate).is_err());
}
