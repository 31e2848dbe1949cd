//! A server for tests of the gate: as it runs, with the ports behind the gate replaced.

use super::{
    AccessLog, Elevated, Gate, Limiter, Parts, Program, Progress, RateLimits, RefusedAccess, SensitiveRead, Services, Settings, Shown,
    Standing, Standings, TakenOut, TokenKeys, Upkeep, UpkeepRefused, bind, decision::OwnPolicies, keys::generate_pem,
};
use crate::dns::{DnsFault, DnsResolver};
use crate::sign_in::{Desk, federation::FederationSettings, password_policy::PasswordPolicy};
use async_trait::async_trait;
use palmares_commands::{
    engine::{Engine, EngineOptions},
    privacy::{
        ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
    },
    store::memory::MemoryStore,
};
use palmares_domain::{
    identity::user::UserStatus,
    kernel::{ApiKeyId, Digest, ElevationId, OrganizationId, Place, SessionId, TeamId, UserId},
};
use palmares_projections::engine::{KeyError, PersonalKeys, Readers, head::HeadSignal, log::Log, stop::Stopper, watermarks::Watermarks};
use sqlx::postgres::PgPoolOptions;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Who may act, as a test wants it.
#[derive(Clone, Copy)]
pub struct Rules {
    pub standing: fn(OrganizationId, UserId) -> Standing,
    pub signed_in: fn(SessionId) -> Option<Shown>,
    pub owes_consent: fn(UserId) -> bool,
    pub program: fn(ApiKeyId, Digest) -> Option<Program>,
    pub elevation: fn(ElevationId) -> Option<Elevated>,
    pub exists: fn(OrganizationId) -> bool,
}

/// A running server and what its ports were told.
pub struct House {
    pub address: SocketAddr,
    pub client: reqwest::Client,
    pub tokens: Arc<TokenKeys>,
    pub pem: String,
    pub issuer: &'static str,
    pub audience: &'static str,
    ports: Arc<Ports>,
    _stopper: Stopper,
}

impl House {
    pub fn refusals(&self) -> Vec<RefusedAccess> {
        self.ports.refusals.lock().unwrap().clone()
    }

    pub fn reads(&self) -> Vec<SensitiveRead> {
        self.ports.reads.lock().unwrap().clone()
    }
}

struct Ports {
    rules: Rules,
    refusals: Mutex<Vec<RefusedAccess>>,
    reads: Mutex<Vec<SensitiveRead>>,
}

/// Starts a server. Its database is a closed port: a request that gets past the gate fails.
pub fn house(limits: RateLimits, rules: Rules) -> House {
    let (issuer, audience) = ("https://palmares.test", "palmares");
    // Another test of this process may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let pem = generate_pem().unwrap();
    let tokens = Arc::new(TokenKeys::from_pems(issuer, audience, [pem.as_str()]).unwrap());
    let ports = Arc::new(Ports { rules, refusals: Mutex::default(), reads: Mutex::default() });
    let nowhere = PgPoolOptions::new().acquire_timeout(Duration::from_millis(100)).connect_lazy("postgres://127.0.0.1:1/nowhere").unwrap();
    let log = Log::new(nowhere.clone());
    let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
    let mut settings = Settings::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    settings.workers = Some(1);
    settings.limits = limits;
    let (stopper, stop) = Stopper::new();
    let services = Services::new(Parts {
        gate: Gate::new(Limiter::new(&settings.limits), tokens.clone(), ports.clone(), ports.clone()).unwrap(),
        engine: engine(ring.clone()),
        readers: Readers::new(nowhere, ports.clone()),
        progress: Progress::new(log.clone(), Watermarks::new(log)),
        upkeep: ports.clone(),
        dns: ports.clone(),
        desk: Desk::new(PasswordPolicy::default(), ring, FederationSettings::default()).unwrap(),
        head: Arc::new(HeadSignal::new()),
        metrics: metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle(),
        settings,
        stop,
        routes: crate::routes::all().collect(),
    });
    let bound = bind(&services.unwrap()).unwrap();
    tokio::spawn(bound.server);
    House { address: bound.address, client: reqwest::Client::new(), tokens, pem, issuer, audience, ports, _stopper: stopper }
}

/// An engine that forgets everything with the test.
fn engine(ring: Arc<KeyRing>) -> Arc<Engine> {
    let contexts = ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default()));
    Engine::new(
        Arc::new(MemoryStore::default()),
        ring,
        Arc::new(contexts),
        EngineOptions { permissions: crate::routes::permissions().clone(), ..EngineOptions::default() },
    )
}

#[async_trait]
impl DnsResolver for Ports {
    async fn txt(&self, _: &str) -> Result<Vec<String>, DnsFault> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Standings for Ports {
    async fn of(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Standing> {
        Ok((self.rules.standing)(organization, user))
    }
    async fn signed_in(&self, _: OrganizationId, _: UserId, session: SessionId, _: Option<Digest>) -> anyhow::Result<Option<Shown>> {
        Ok((self.rules.signed_in)(session))
    }
    async fn owes_consent(&self, _: OrganizationId, user: UserId) -> anyhow::Result<bool> {
        Ok((self.rules.owes_consent)(user))
    }
    async fn program(&self, _: OrganizationId, key: ApiKeyId, secret: Digest) -> anyhow::Result<Option<Program>> {
        Ok((self.rules.program)(key, secret))
    }
    async fn elevation(&self, _: OrganizationId, elevation: ElevationId, _: UserId) -> anyhow::Result<Option<Elevated>> {
        Ok((self.rules.elevation)(elevation))
    }
    async fn exists(&self, organization: OrganizationId) -> anyhow::Result<bool> {
        Ok((self.rules.exists)(organization))
    }
    async fn policies(&self, _: OrganizationId) -> anyhow::Result<Option<Arc<OwnPolicies>>> {
        Ok(None)
    }
    async fn status(&self, _: OrganizationId, _: UserId) -> anyhow::Result<Option<UserStatus>> {
        Ok(None)
    }
    async fn relations(&self, _: OrganizationId, _: UserId, _: UserId) -> anyhow::Result<Vec<&'static str>> {
        Ok(Vec::new())
    }
    async fn team_relation(&self, _: OrganizationId, _: UserId, _: TeamId) -> anyhow::Result<Option<&'static str>> {
        Ok(None)
    }
}

#[async_trait]
impl AccessLog for Ports {
    async fn refused(&self, refusal: RefusedAccess) -> anyhow::Result<()> {
        self.refusals.lock().unwrap().push(refusal);
        Ok(())
    }
    async fn sensitive_read(&self, read: SensitiveRead) -> anyhow::Result<i64> {
        self.reads.lock().unwrap().push(read);
        Ok(1)
    }
    async fn taken_out(&self, _: TakenOut) -> anyhow::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Upkeep for Ports {
    async fn rebuild(&self, _: &str) -> Result<(), UpkeepRefused> {
        Err(UpkeepRefused::Unknown)
    }

    async fn retry(&self, _: &str) -> Result<u64, UpkeepRefused> {
        Err(UpkeepRefused::Unknown)
    }
}

#[async_trait]
impl PersonalKeys for Ports {
    async fn seal(&self, _: &Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        panic!("nothing is sealed at the gate")
    }
    async fn open(&self, _: &Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        panic!("nothing is opened at the gate")
    }
    async fn lookup_hash(&self, _: OrganizationId, _: &str, _: &str) -> Result<[u8; 32], KeyError> {
        panic!("nothing is looked up at the gate")
    }
}
