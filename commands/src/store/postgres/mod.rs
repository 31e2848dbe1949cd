//! The store on PostgreSQL: group commit with the position as the fence between nodes.

mod batch;
mod committer;
mod heads;
mod loader;
mod lookup;
mod recovery;
mod signals;
mod slow_path;
mod snapshots;
pub mod statements;
mod tail;
mod voucher;
mod writer;

use super::*;
use batch::Submitted;
use committer::{Committer, Shared};
use futures::FutureExt;
use loader::Loader;
use lookup::Lookup;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgPool, Row};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
pub use tail::Tail;
use tokio::sync::{Notify, mpsc};
pub use voucher::{VoucherKey, admit};

/// How its connections differ. Every statement of this role looks keys up from what it is given, so
/// one plan is right for ever: it is made once, never reads a whole table, also where the table was
/// empty when it was made, and is not compiled, however dear it looks without such reads.
const COMMITTER: [(&str, &str); 4] =
    [("role", "palmares_committer"), ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// Of what was committed last, as much as a sealer in the same process may fall behind.
const TAIL_BYTES: usize = 32 << 20;

/// How long the committer may take to learn what another node has appended.
const CATCH_UP: Duration = Duration::from_secs(10);

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct PostgresStoreOptions {
    /// A login that may take the role `palmares_committer`.
    pub connect: PgConnectOptions,
    /// Connections for loading; the committer has one more of its own.
    pub pool_size: u32,
    /// How many stream heads stay in memory, in each of two generations.
    pub head_capacity: usize,
    /// Vouches for what is recorded; a sealer that asks for vouchers signs nothing without.
    pub voucher_key: Option<VoucherKey>,
}

impl PostgresStoreOptions {
    pub fn new(connect: PgConnectOptions) -> Self {
        Self { connect, pool_size: 8, head_capacity: 200_000, voucher_key: None }
    }

    pub fn vouched_by(self, key: VoucherKey) -> Self {
        Self { voucher_key: Some(key), ..self }
    }
}

/// The event store on PostgreSQL.
pub struct PostgresStore {
    inbox: mpsc::UnboundedSender<Submitted>,
    loader: Loader,
    commands: Lookup<CommandId, CommandRecord>,
    claims: Lookup<ClaimKey, Claim>,
    snapshots: mpsc::Sender<snapshots::Kept>,
    pool: PgPool,
    shared: Arc<Shared>,
}

impl PostgresStore {
    pub async fn open(options: PostgresStoreOptions) -> Result<Self, sqlx::Error> {
        let connect = options.connect.options(COMMITTER).application_name("palmares-committer");
        let pool = PgPoolOptions::new().max_connections(options.pool_size).connect_with(connect.clone()).await?;
        let shared = Arc::new(Shared {
            committed: watch::channel(0).0,
            foreign: broadcast::channel(1_024).0,
            foreign_append: Notify::new(),
            tail: Arc::new(Tail::new(TAIL_BYTES)),
            voucher_key: options.voucher_key,
            term: AtomicU64::new(0),
        });
        let (inbox, queue) = mpsc::unbounded_channel();
        Committer::start(connect, queue, shared.clone(), options.head_capacity).await?;
        signals::start(pool.clone(), shared.clone());
        let (for_commands, for_claims) = (pool.clone(), pool.clone());
        let commands = move |ids: Vec<CommandId>| {
            let pool = for_commands.clone();
            async move { slow_path::commands(&pool, &ids).await }.boxed()
        };
        let claims = move |keys: Vec<ClaimKey>| {
            let pool = for_claims.clone();
            async move { slow_path::claims(&pool, &keys).await }.boxed()
        };
        Ok(Self {
            inbox,
            loader: Loader::start(pool.clone(), shared.clone()),
            commands: Lookup::start(commands),
            claims: Lookup::start(claims),
            snapshots: snapshots::start(pool.clone()),
            pool,
            shared,
        })
    }

    /// The pool of role `palmares_committer`, for what is stored beside the log: keys and contexts.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What this node committed last; nothing is kept of what nobody vouches for.
    pub fn tail(&self) -> Arc<Tail> {
        self.shared.tail.clone()
    }
}

#[async_trait::async_trait]
impl EventStore for PostgresStore {
    fn submit(&self, append: Append) -> Outcome {
        let (waiter, outcome) = oneshot::channel();
        if let Err(mpsc::error::SendError(submitted)) = self.inbox.send(Submitted { append, waiter }) {
            // The receiver is in our hand, so this cannot fail.
            let _ = submitted.waiter.send(Err(AppendError::Unavailable("the committer has stopped".into())));
        }
        outcome
    }

    async fn load(&self, request: LoadRequest) -> Result<LoadedStream, AppendError> {
        self.loader.load(request).await
    }

    async fn command(&self, id: CommandId) -> Result<Option<CommandRecord>, AppendError> {
        self.commands.get(id).await
    }

    async fn claim(&self, key: ClaimKey) -> Result<Option<Claim>, AppendError> {
        self.claims.get(key).await
    }

    async fn read_after(&self, position: i64, limit: usize) -> Result<Vec<RecordedEvent>, AppendError> {
        let rows = sqlx::query(statements::READ_AFTER).bind(position).bind(limit as i64).fetch_all(&self.pool).await;
        rows.and_then(|rows| rows.iter().map(recorded_event).collect()).map_err(|error| unavailable(&error))
    }

    async fn head(&self) -> Result<Head, AppendError> {
        let head = async {
            let row = sqlx::query(statements::HEAD).fetch_one(&self.pool).await?;
            Ok(Head {
                position: row.try_get("position")?,
                recorded_at: row.try_get("recorded_at")?,
                incarnation: row.try_get("incarnation")?,
            })
        };
        head.await.map_err(|error: sqlx::Error| unavailable(&error))
    }

    async fn versions(&self, streams: &[StreamName]) -> Result<Vec<i64>, AppendError> {
        let head = self.head().await?.position;
        let heads: HashMap<_, _> =
            slow_path::heads_of(&self.pool, streams).await.map_err(|error| unavailable(&error))?.into_iter().collect();
        let mut committed = self.shared.committed.subscribe();
        if *committed.borrow() < head {
            // Another node has appended. The committer learns of it now instead of when it is told.
            self.shared.foreign_append.notify_one();
            let caught_up = tokio::time::timeout(CATCH_UP, committed.wait_for(|known| *known >= head)).await;
            if !matches!(caught_up, Ok(Ok(_))) {
                return Err(AppendError::Unavailable("this node is behind the log".into()));
            }
        }
        Ok(streams.iter().map(|stream| heads.get(stream).map_or(0, |head| head.version)).collect())
    }

    fn keep_snapshot(&self, stream: StreamName, snapshot: Snapshot) {
        // A full queue drops it: a snapshot is an optimisation.
        let _ = self.snapshots.try_send((stream, snapshot));
    }

    fn committed(&self) -> watch::Receiver<i64> {
        self.shared.committed.subscribe()
    }

    fn foreign_changes(&self) -> broadcast::Receiver<Arc<[StreamName]>> {
        self.shared.foreign.subscribe()
    }
}

fn unavailable(error: &sqlx::Error) -> AppendError {
    AppendError::Unavailable(error.to_string())
}

fn recorded_event(row: &PgRow) -> Result<RecordedEvent, sqlx::Error> {
    let json = |column: &str| -> Result<Box<serde_json::value::RawValue>, sqlx::Error> {
        let bytes: Vec<u8> = row.try_get(column)?;
        serde_json::from_slice(&bytes).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    Ok(RecordedEvent {
        position: row.try_get("position")?,
        id: palmares_domain::kernel::EventId(row.try_get("event_id")?),
        event_type: row.try_get("event_type")?,
        schema_version: row.try_get::<i16, _>("schema_version")? as u16,
        stream: palmares_domain::kernel::StreamVersion {
            stream_type: row.try_get("stream_type")?,
            id: row.try_get("stream_id")?,
            version: row.try_get("version")?,
        },
        organization_id: OrganizationId(row.try_get("organization_id")?),
        actor_id: row.try_get("actor_id")?,
        recorded_at: row.try_get("recorded_at")?,
        effective_at: row.try_get("effective_at")?,
        metadata: json("metadata")?,
        payload: json("payload")?,
    })
}

/// A stream's name from its columns. Stream types are few and live as long as the process.
fn stream_name(organization: Uuid, stream_type: &str, id: Uuid) -> StreamName {
    static TYPES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Default::default);
    let mut types = TYPES.lock().unwrap_or_else(PoisonError::into_inner);
    let stream_type = types.get(stream_type).copied().unwrap_or_else(|| {
        let leaked: &'static str = Box::leak(stream_type.to_owned().into_boxed_str());
        types.insert(leaked);
        leaked
    });
    StreamName { organization: OrganizationId(organization), stream_type, id }
}
