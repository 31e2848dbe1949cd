//! The sealer on a real log: what it signs, what it refuses to sign, and what somebody cannot change unseen.

mod beside;
mod commands;
mod recent;
mod refusals;
mod tampering;
mod vouched;
mod witnesses;

use crate::support::{
    running::eventually,
    servers::{self, Database},
    streams,
};
use ed25519_dalek::SigningKey;
use palmares_commands::privacy::key_store::MemoryKeyStore;
use palmares_commands::store::{
    self, NewEvent, StreamName, StreamWrite,
    postgres::{PostgresStore, PostgresStoreOptions, VoucherKey},
};
use palmares_domain::kernel::OrganizationId;
use palmares_projections::engine::{
    head::HeadSignal,
    log::Log,
    sealing::{
        Outside, SealError, Sealer, Signers, SigningKeys, Unfit, Vouches,
        audit::{Audit, audit},
        log_name,
    },
    stop::Stopper,
    timetable::Timetables,
};
use palmares_proofs::{Checkpoint, Entry, LogKey, NodeHash, TrustedKeys, compact::Compact, keys};
use sqlx::{
    PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// Keys that a test changes.
struct Keys(Mutex<Signers>);

impl Keys {
    fn new(current: u8, next: Option<u8>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Self::signers(current, next))))
    }

    fn signers(current: u8, next: Option<u8>) -> Signers {
        Signers { current: Arc::new(key(current)), next: next.map(|next| Arc::new(key(next)) as _) }
    }

    fn set(&self, current: u8, next: Option<u8>) {
        *self.0.lock().unwrap() = Self::signers(current, next);
    }
}

impl SigningKeys for Keys {
    fn signers(&self) -> anyhow::Result<Signers> {
        Ok(self.0.lock().unwrap().clone())
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A log, its sealer, and a superuser.
struct Site {
    database: Database,
    store: PostgresStore,
    superuser: PgPool,
    log: Log,
    keys: Arc<Keys>,
    voucher_key: VoucherKey,
    outside: PathBuf,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.outside);
    }
}

async fn pool(url: &str, role: Option<&str>) -> PgPool {
    let options: PgConnectOptions = url.parse().unwrap();
    let options = role.map_or(options.clone(), |role| options.options([("role", role)]));
    PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap()
}

async fn open(database: &Database, voucher_key: &VoucherKey) -> PostgresStore {
    PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap()).vouched_by(voucher_key.clone())).await.unwrap()
}

impl Site {
    async fn open() -> Self {
        Self::of(VoucherKey::of(&MemoryKeyStore::default()).await.unwrap()).await
    }

    async fn of(voucher_key: VoucherKey) -> Self {
        let database = servers::database().await;
        let store = open(&database, &voucher_key).await;
        let superuser = pool(&database.superuser_url, None).await;
        let log = Log::new(pool(&database.url, Some("palmares_relay")).await);
        let outside = std::env::temp_dir().join(format!("palmares-checkpoint-{}", Uuid::now_v7().simple()));
        Self { database, store, superuser, log, keys: Keys::new(1, None), voucher_key, outside }
    }

    fn outside(&self) -> Outside {
        Outside::new(&self.outside)
    }

    fn sealer(&self) -> Sealer {
        Sealer::new(self.log.clone(), Arc::new(HeadSignal::new()), self.keys.clone(), self.outside()).asking(self.vouches())
    }

    fn vouches(&self) -> Vouches {
        let key = self.voucher_key.clone();
        Arc::new(move |events, voucher| key.vouches_for(events, voucher))
    }

    /// The store of another node of the same system.
    async fn another_node(&self) -> PostgresStore {
        open(&self.database, &self.voucher_key).await
    }

    async fn seal(&self) -> Result<i64, SealError> {
        self.sealer().seal_all().await
    }

    /// Appends events to a new stream of an organization; answers the last position.
    async fn append(&self, organization: OrganizationId, count: usize) -> i64 {
        let stream = StreamName { organization, ..streams::stream() };
        let events = (0..count).map(|n| NewEvent { ..streams::event(&format!("{n}")) }).collect();
        let write = StreamWrite { stream, expected_version: 0, handle: None, events };
        store::append(&self.store, streams::appends(vec![write])).await.unwrap().position
    }

    async fn name(&self) -> String {
        log_name(sqlx::query_scalar("SELECT id FROM proof_log").fetch_one(&self.superuser).await.unwrap())
    }

    async fn trusted(&self) -> TrustedKeys {
        TrustedKeys::new([LogKey { log: self.name().await, public: key(1).verifying_key().to_bytes() }])
    }

    /// The newest checkpoint of an organization, which a trusted key signed.
    async fn checkpoint(&self, organization: OrganizationId, trusted: &TrustedKeys) -> Checkpoint {
        let note: String = sqlx::query_scalar("SELECT note FROM proof_checkpoints WHERE organization_id = $1 ORDER BY size DESC LIMIT 1")
            .bind(organization.0)
            .fetch_one(&self.superuser)
            .await
            .unwrap();
        let (checkpoint, note) = Checkpoint::of_note(&note).unwrap();
        assert!(trusted.signed(&note, &keys::origin_of(&self.name().await, organization.0)));
        checkpoint
    }

    /// The leaves of an organization, made from the bytes that are stored and nothing else.
    async fn leaves(&self, organization: OrganizationId) -> Vec<NodeHash> {
        let rows = sqlx::query("SELECT * FROM log WHERE organization_id = $1 ORDER BY position").bind(organization.0);
        let rows = rows.fetch_all(&self.superuser).await.unwrap();
        rows.iter().map(|row| leaf(row).hash()).collect()
    }

    async fn audit(&self) -> Result<Audit, SealError> {
        audit(&self.log, &self.outside(), &Timetables::default()).await
    }

    /// What stands beside the log and does not fit it, where the log itself is whole.
    async fn beside(&self) -> Vec<(Unfit, Option<i64>, Option<Uuid>)> {
        let audit = self.audit().await.unwrap();
        assert_eq!(audit.findings, Vec::new(), "the log itself is whole");
        audit.beside.into_iter().map(|beside| (beside.unfit, beside.at, beside.subject_id)).collect()
    }

    /// What is found after something was done, which is then undone.
    async fn after(&self, tables: &[&str], sql: &str) -> Vec<(Unfit, Option<i64>, Option<Uuid>)> {
        let each = |form: fn(&str) -> String| tables.iter().map(|table| form(table)).collect::<String>();
        self.tamper(&each(|table| format!("DROP TABLE IF EXISTS kept_{table}; CREATE TABLE kept_{table} AS TABLE {table};"))).await;
        self.tamper(sql).await;
        let found = self.beside().await;
        self.tamper(&each(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table};"))).await;
        assert_eq!(self.beside().await, [], "as it was after {sql}");
        found
    }

    /// Does what no role may, as a superuser who switches the triggers off.
    async fn tamper(&self, sql: &str) {
        let sql = format!("BEGIN; SET LOCAL session_replication_role = replica; {sql}; COMMIT;");
        sqlx::raw_sql(&sql).execute(&self.superuser).await.unwrap();
    }
}

/// As `docs/proofs.md` says, from a row.
fn leaf(row: &sqlx::postgres::PgRow) -> Entry {
    use palmares_proofs::entry::{BytesHash, Id, Instant};
    let id = |name: &str| Id(row.get::<Uuid, _>(name).into_bytes());
    let at = |at: chrono::DateTime<chrono::Utc>| Instant(at.timestamp_micros());
    Entry {
        position: row.get("position"),
        organization_id: id("organization_id"),
        stream_type: row.get("stream_type"),
        stream_id: id("stream_id"),
        version: row.get("version"),
        event_id: id("event_id"),
        event_type: row.get("event_type"),
        schema_version: row.get("schema_version"),
        actor_id: id("actor_id"),
        recorded_at: at(row.get("recorded_at")),
        effective_at: row.get::<Option<_>, _>("effective_at").map(at),
        metadata: BytesHash::of(row.get("metadata")),
        payload: BytesHash::of(row.get("payload")),
    }
}

fn root(leaves: &[NodeHash]) -> NodeHash {
    let mut compact = Compact::default();
    leaves.iter().for_each(|leaf| compact.append(*leaf));
    compact.root()
}

fn organization() -> OrganizationId {
    OrganizationId(Uuid::now_v7())
}

/// Every event is a leaf of its organization's tree, over tiles that fill and seals of any size, and
/// every checkpoint is a leaf of the root log.
// covers: E-184
#[tokio::test]
async fn every_event_is_in_a_tree_whose_head_is_signed() {
    let site = Site::open().await;
    let (one, other) = (organization(), organization());
    let mut checkpoints = 0;
    for count in [1, 3, 250, 2, 300, 1] {
        site.append(one, count).await;
        let last = site.append(other, 2).await;
        assert_eq!(site.seal().await.unwrap(), last);
        checkpoints += 2;
    }
    let trusted = site.trusted().await;
    for (organization, size) in [(one, 557), (other, 12)] {
        let (leaves, checkpoint) = (site.leaves(organization).await, site.checkpoint(organization, &trusted).await);
        assert_eq!((checkpoint.size, leaves.len()), (size, size as usize));
        assert_eq!(checkpoint.root, root(&leaves));
    }
    let entries: Vec<String> =
        sqlx::query_scalar("SELECT note FROM proof_checkpoints ORDER BY root_index").fetch_all(&site.superuser).await.unwrap();
    let entries: Vec<NodeHash> =
        entries.iter().map(|note| NodeHash::of_leaf(Checkpoint::of_note(note).unwrap().0.text().as_bytes())).collect();
    let (signed, note) = Checkpoint::of_note(&site.outside().read().unwrap().unwrap()).unwrap();
    assert!(trusted.signed(&note, &keys::root_origin(&site.name().await)), "the file has the root log's checkpoint");
    assert_eq!((signed.size, signed.root), (checkpoints, root(&entries)));
    let found = site.audit().await.unwrap();
    assert_eq!((found.leaves, found.organizations, found.findings), (569, 2, Vec::new()));
}

/// Follows the log by itself, and of two sealers one seals: within a second of what was recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sealer_of_several_follows_the_log_and_another_takes_over() {
    let site = Site::open().await;
    let organization = organization();
    let start = || {
        let head = Arc::new(HeadSignal::new());
        let (stopper, stop) = Stopper::new();
        let (log, following, follow) = (site.log.clone(), head.clone(), stop.clone());
        tokio::spawn(async move { following.follow(&log, follow).await });
        let sealer = Sealer::new(site.log.clone(), head, site.keys.clone(), site.outside());
        (tokio::spawn(sealer.run(stop)), stopper)
    };
    let sealed = async |position: i64| {
        eventually("the log is sealed", async || {
            let status = site.sealer().status().await.unwrap();
            (status.sealed_position == position && status.lag_positions == 0).then_some(status)
        })
        .await
    };
    let ((first, stop_first), (second, stop_second)) = (start(), start());
    for count in [1, 20, 5] {
        let position = site.append(organization, count).await;
        assert_eq!(sealed(position).await.refusal, None);
    }
    stop_first.stop();
    first.await.unwrap();
    let position = site.append(organization, 7).await;
    sealed(position).await;
    stop_second.stop();
    second.await.unwrap();
    assert_eq!(site.audit().await.unwrap().findings, Vec::new());
    let trusted = site.trusted().await;
    assert_eq!(site.checkpoint(organization, &trusted).await.root, root(&site.leaves(organization).await));
}
