//! The event store: its port, and the adapters behind it.
//!
//! Positions are contiguous and in commit order. An append is atomic over all its streams, claims
//! and releases, or refused as a whole; neighbours in the same batch are never refused with it.

pub mod cqrs;
pub mod memory;
pub mod postgres;

use crate::digests::digest_of;
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{CommandId, Digest, EventId, OrganizationId, Purpose, RecordedEvent, UserId};
use std::sync::Arc;
use tokio::sync::{broadcast, oneshot, watch};
use uuid::Uuid;

/// An event over this size is refused, in bytes of payload.
pub const EVENT_MAX_BYTES: usize = 256 * 1024;

/// Where a stream is found. Its integer key is the store's own affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamName {
    pub organization: OrganizationId,
    pub stream_type: &'static str,
    pub id: Uuid,
}

/// By the id alone, which hardly two streams share: names are hashed a dozen times per command.
impl std::hash::Hash for StreamName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// The store's small key of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey(pub i64);

/// What loading a stream gives its next writer: the key, and the store's term in which it was loaded.
///
/// A term ends when the store gives up on appends whose fate it does not know: states that were
/// decided on top of those are then worth nothing, and a handle of an earlier term is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamHandle {
    pub key: StreamKey,
    pub term: u64,
}

/// A personal field, sealed: it stands beside the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBlob {
    pub field: &'static str,
    pub subject: Uuid,
    pub purpose: Purpose,
    pub ciphertext: Vec<u8>,
}

/// An event to record.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: EventId,
    pub event_type: &'static str,
    pub schema_version: u16,
    pub effective_at: Option<DateTime<Utc>>,
    pub payload: Vec<u8>,
    pub sealed: Vec<SealedBlob>,
}

/// What an append does to one stream. Without events it only asserts the version.
#[derive(Clone, Debug)]
pub struct StreamWrite {
    pub stream: StreamName,
    /// The version that the writer saw; 0 for a stream that does not exist.
    pub expected_version: i64,
    /// Where the writer loaded the stream.
    pub handle: Option<StreamHandle>,
    pub events: Vec<NewEvent>,
}

/// A key that at most one owner may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimKey {
    pub organization: OrganizationId,
    pub key: Uuid,
}

/// A claim and who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub key: ClaimKey,
    pub owner: Uuid,
    /// Random; it hides the claim in its [commitment](Claim::commitment) and goes with it. What was claimed before
    /// there were commitments has none.
    pub salt: Option<Uuid>,
}

impl Claim {
    pub fn new(key: ClaimKey, owner: impl Into<Uuid>) -> Self {
        Self { key, owner: owner.into(), salt: Some(Uuid::new_v4()) }
    }

    /// What the log keeps of it: whoever has the claim can tell that this is it, and once it is let go nobody can.
    pub fn commitment(&self) -> Option<Digest> {
        let Self { key: ClaimKey { organization, key }, owner, salt } = self;
        let parts = [COMMITMENT, salt.as_ref()?.as_bytes(), organization.0.as_bytes(), key.as_bytes(), owner.as_bytes()];
        Some(digest_of(&parts.concat()))
    }
}

/// What a commitment begins with; all that follows is of one length.
const COMMITMENT: &[u8] = b"palmares/claim";

/// The first answer to a command that may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    pub id: CommandId,
    pub request_hash: [u8; 32],
    /// Ids and status as JSON; never a body.
    pub answer: Vec<u8>,
    pub position: i64,
    pub version: i64,
}

/// One atomic append.
#[derive(Clone, Debug)]
pub struct Append {
    pub organization: OrganizationId,
    pub actor: UserId,
    /// The metadata of every event of the append, as JSON.
    pub metadata: Arc<[u8]>,
    pub writes: Vec<StreamWrite>,
    pub claims: Vec<Claim>,
    pub releases: Vec<ClaimKey>,
    /// Id, request hash and answer of the command; position and version are filled in.
    pub command: Option<CommandRecord>,
}

impl Append {
    /// How many events it records.
    pub fn event_count(&self) -> usize {
        self.writes.iter().map(|write| write.events.len()).sum()
    }
}

/// What an append became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The position of its last event, or the head on which an append without events was checked.
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
}

/// Why an append was refused. Nothing of it was recorded, except that after [`AppendError::Unavailable`]
/// this is not known.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AppendError {
    #[error("stream {} of type {} is not at version {}", stream.id, stream.stream_type, expected)]
    WrongVersion { stream: StreamName, expected: i64 },
    #[error("the claim is held by {}", held.owner)]
    ClaimTaken { held: Claim },
    #[error("the command was recorded before")]
    DuplicateCommand(Box<CommandRecord>),
    #[error("an event of {0} bytes is over the limit of {EVENT_MAX_BYTES}")]
    EventTooLarge(usize),
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
}

/// The answer to a submitted append, when its batch is through.
pub type Outcome = oneshot::Receiver<Result<Committed, AppendError>>;

/// The head of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
    /// Renewed when positions may have been given out again.
    pub incarnation: Uuid,
}

/// A stored event as a fold needs it, with the ciphertexts beside it where they were asked for.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub id: EventId,
    pub position: i64,
    pub version: i64,
    pub event_type: String,
    pub schema_version: u16,
    pub payload: Vec<u8>,
    pub sealed: Vec<(String, Vec<u8>)>,
}

/// A snapshot as stored: sealed where the stream decides on personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub version: i64,
    pub shape: u16,
    pub state: Vec<u8>,
}

/// What loading a stream asks for.
#[derive(Clone, Copy, Debug)]
pub struct LoadRequest {
    pub stream: StreamName,
    /// A snapshot of another shape is not returned.
    pub shape: u16,
    pub with_sealed: bool,
}

/// A stream as loaded: the newest fitting snapshot and every event after it.
#[derive(Clone, Debug, Default)]
pub struct LoadedStream {
    pub handle: Option<StreamHandle>,
    pub snapshot: Option<Snapshot>,
    pub events: Vec<StoredEvent>,
}

/// The port behind which PostgreSQL and memory stand, under one contract suite.
#[async_trait::async_trait]
pub trait EventStore: Send + Sync {
    /// Queues an append. The order of calls is the order of positions among accepted appends.
    ///
    /// A write with a version and neither a handle nor a head in memory is refused as a wrong
    /// version: load the stream first, or call [`append`].
    fn submit(&self, append: Append) -> Outcome;

    async fn load(&self, request: LoadRequest) -> Result<LoadedStream, AppendError>;

    /// The stored first answer of a command.
    async fn command(&self, id: CommandId) -> Result<Option<CommandRecord>, AppendError>;

    async fn claim(&self, key: ClaimKey) -> Result<Option<Claim>, AppendError>;

    /// Events after a position, in order, across all tenants.
    async fn read_after(&self, position: i64, limit: usize) -> Result<Vec<RecordedEvent>, AppendError>;

    async fn head(&self) -> Result<Head, AppendError>;

    /// The versions of streams as the log has them now, 0 where there is none. Once it answers, this
    /// node knows the log at least as far.
    async fn versions(&self, streams: &[StreamName]) -> Result<Vec<i64>, AppendError>;

    /// Keeps a snapshot of a committed stream where it is newer than the kept one; losing it is harmless.
    fn keep_snapshot(&self, stream: StreamName, snapshot: Snapshot);

    /// The newest position that this node knows to be committed.
    fn committed(&self) -> watch::Receiver<i64>;

    /// Streams that another node has appended to: what is cached of them is stale.
    fn foreign_changes(&self) -> broadcast::Receiver<Arc<[StreamName]>>;
}

/// Appends and waits, loading any stream whose write carries no handle.
pub async fn append(store: &dyn EventStore, mut append: Append) -> Result<Committed, AppendError> {
    for write in append.writes.iter_mut().filter(|write| write.handle.is_none() && write.expected_version > 0) {
        let request = LoadRequest { stream: write.stream, shape: 0, with_sealed: false };
        write.handle = store.load(request).await?.handle;
    }
    store.submit(append).await.unwrap_or_else(|_| Err(AppendError::Unavailable("the committer has stopped".into())))
}
