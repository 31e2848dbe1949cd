//! The sealer: follows the log, and signs.

use super::{
    Outside, OutsideFault, reading,
    session::Session,
    statements::{REFUSE, TRY_LEAD},
    status::{SealStatus, status},
    tree::{Tree, WholeTile},
    vouched::{self, Checked, Vouches},
    writing::Seal,
};
use crate::engine::{
    head::HeadSignal,
    log::Log,
    stop::{Backoff, Stop},
};
use chrono::{DateTime, Utc};
use palmares_proofs::{
    Checkpoint, Entry, NodeHash,
    entry::{BytesHash, Id, Instant},
    keys,
    note::{self, Note, Sign},
};
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use uuid::Uuid;

/// With so many to seal, nothing is waited for.
const AT_ONCE: usize = 8_192;
/// What arrives within this time is sealed together: a seal costs a commit.
const TOGETHER: Duration = Duration::from_millis(250);
/// How often a sealer that stands by asks for the lead, and one that waits looks whether it still has it.
const STAND_BY: Duration = Duration::from_secs(1);

/// What signs now, and what was published to sign next.
#[derive(Clone)]
pub struct Signers {
    pub current: Arc<dyn Sign>,
    pub next: Option<Arc<dyn Sign>>,
}

/// Where the keys are kept.
pub trait SigningKeys: Send + Sync + 'static {
    /// The keys as they stand now.
    ///
    /// # Errors
    /// Keys that cannot be used; nothing is signed then.
    fn signers(&self) -> anyhow::Result<Signers>;
}

/// Events behind a position that this process has recorded and still has, without a gap, each with its
/// organization; nothing where the next one is not among them.
pub type Recent = Arc<dyn Fn(i64) -> Vec<(Uuid, Entry)> + Send + Sync>;

/// An event as the tree of its organization gets it.
struct Leaf {
    organization: Uuid,
    position: i64,
    hash: NodeHash,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Outside(#[from] OutsideFault),
    #[error("another sealer was faster")]
    Overtaken,
    /// What would be signed contradicts what was signed.
    #[error("{0}")]
    Refused(String),
}

pub(super) fn refused(why: impl Into<String>) -> SealError {
    SealError::Refused(why.into())
}

/// The one that signs.
pub struct Sealer {
    log: Log,
    head: Arc<HeadSignal>,
    keys: Arc<dyn SigningKeys>,
    outside: Outside,
    recent: Option<Recent>,
    vouches: Option<Vouches>,
}

impl Sealer {
    pub fn new(log: Log, head: Arc<HeadSignal>, keys: Arc<dyn SigningKeys>, outside: Outside) -> Self {
        Self { log, head, keys, outside, recent: None, vouches: None }
    }

    /// Takes what this process has recorded itself from its memory; the log is read for the rest.
    pub fn with_recent(self, recent: Recent) -> Self {
        Self { recent: Some(recent), ..self }
    }

    /// Signs nothing that nobody vouches for. What this process has recorded itself is known to be its own.
    pub fn asking(self, vouches: Vouches) -> Self {
        Self { vouches: Some(vouches), ..self }
    }

    /// Seals until stopped.
    pub async fn run(self, mut stop: Stop) {
        let mut backoff = Backoff::new();
        while !stop.is_stopped() {
            let pause = match self.take_lead().await {
                Ok(Some(lock)) => {
                    let mut until = stop.clone();
                    let failed = tokio::select! {
                        () = until.stopped() => return,
                        failed = self.lead(lock, &mut backoff) => failed,
                    };
                    self.tell(&failed).await;
                    backoff.pause()
                }
                Ok(None) => STAND_BY,
                Err(error) => {
                    tracing::warn!(%error, "the sealer cannot reach the log");
                    backoff.pause()
                }
            };
            stop.pause(pause).await;
        }
    }

    /// Seals everything that is recorded until now, without being asked for the lead; answers up to where.
    ///
    /// # Errors
    /// Why not.
    pub async fn seal_all(&self) -> Result<i64, SealError> {
        let mut session = Session::open(self.log.pool(), &self.outside).await?;
        let head = self.log.head().await?.position;
        while session.position < head {
            self.seal(&mut session).await?;
        }
        Ok(session.position)
    }

    async fn take_lead(&self) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = self.log.pool().acquire().await?.detach();
        let taken: bool = sqlx::query_scalar(TRY_LEAD).fetch_one(&mut connection).await?;
        Ok(taken.then_some(connection))
    }

    /// Seals until something is wrong.
    async fn lead(&self, mut lock: PgConnection, backoff: &mut Backoff) -> SealError {
        match self.follow(&mut lock, backoff).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn follow(&self, lock: &mut PgConnection, backoff: &mut Backoff) -> Result<std::convert::Infallible, SealError> {
        let mut session = Session::open(self.log.pool(), &self.outside).await?;
        let mut grown = self.head.subscribe();
        loop {
            let more = self.seal(&mut session).await?;
            backoff.reset();
            metrics::gauge!("palmares_sealer_refuses").set(0.0);
            metrics::gauge!("palmares_sealed_position").set(session.position as f64);
            metrics::gauge!("palmares_sealing_lag_positions").set((self.head.known() - session.position).max(0) as f64);
            if !more {
                if *grown.borrow_and_update() <= session.position && tokio::time::timeout(STAND_BY, grown.changed()).await.is_err() {
                    lock.ping().await?;
                }
                tokio::time::sleep(TOGETHER).await;
            }
        }
    }

    /// Seals what comes next; answers whether the log has more of it already.
    async fn seal(&self, session: &mut Session) -> Result<bool, SealError> {
        let pool = self.log.pool();
        let (leaves, more) = self.leaves(session).await?;
        let signers = self.keys.signers().map_err(|error| refused(format!("the keys of the log cannot be used: {error:#}")))?;
        let mut seal = Seal { from: session.position, to: session.position, ..Seal::default() };
        seal.root_size_before = session.root.edge.size() as i64;
        self.introduce(session, &signers, &mut seal)?;
        if leaves.is_empty() && seal.keys.iter().all(|(_, introduction)| introduction.is_none()) {
            return Ok(false);
        }
        if session.outside != self.outside.read()?.unwrap_or_default() {
            // Another one wrote it, or somebody did: everything is looked at anew.
            return Err(SealError::Overtaken);
        }
        let mut grown: BTreeMap<Uuid, Vec<(NodeHash, i64)>> = BTreeMap::new();
        for Leaf { organization, position, hash } in leaves {
            seal.to = position;
            grown.entry(organization).or_default().push((hash, position));
        }
        session.load(pool, &grown.keys().copied().collect::<Vec<_>>()).await?;
        let trees: Vec<_> = grown.into_iter().map(|(organization, leaves)| (organization, session.take(organization), leaves)).collect();
        let grow = |(organization, mut tree, leaves): (Uuid, Tree, _)| {
            let whole = tree.grow(leaves);
            (organization, tree, whole)
        };
        for (organization, tree, whole) in aside(move || trees.into_iter().map(grow).collect::<Vec<_>>()).await? {
            add(session, (organization, tree), whole, &signers, &mut seal);
        }
        let root = Checkpoint { origin: keys::root_origin(&session.log), size: session.root.edge.size(), root: session.root.edge.root() };
        seal.root_note = note::sign(&root.text(), &root.origin, &[signers.current.as_ref()]);
        let (note, to) = (seal.root_note.clone(), seal.to);
        seal.commit(pool, &session.root).await?;
        // Behind the commit: a file that is ahead of the database would look like a database that was rolled back.
        let (outside, written) = (self.outside.clone(), note.clone());
        aside(move || outside.write(&written)).await??;
        (session.position, session.outside) = (to, note);
        Ok(more)
    }

    /// What comes next, from this process's memory or from the log, and whether the log has more of it.
    async fn leaves(&self, session: &mut Session) -> Result<(Vec<Leaf>, bool), SealError> {
        let after = session.position;
        if let Some(recent) = self.recent.clone() {
            let leaves = aside(move || hashed(recent(after))).await?;
            if !leaves.is_empty() {
                let more = leaves.len() >= AT_ONCE;
                return Ok((leaves, more));
            }
        }
        let read = reading::events(self.log.pool(), &mut session.streams, after).await?;
        let more = !read.is_all;
        let events = match &self.vouches {
            None => read.events,
            Some(vouches) => match vouched::check(self.log.pool(), read, vouches.clone()).await? {
                Checked { own, foreign: Some(foreign) } if own.is_empty() => return Err(vouched::refusal(&foreign)),
                Checked { own, .. } => own,
            },
        };
        Ok((aside(move || hashed(events)).await?, more))
    }

    /// Takes up the first key, and lets the one in use introduce the next.
    fn introduce(&self, session: &mut Session, signers: &Signers, seal: &mut Seal) -> Result<(), SealError> {
        let current = signers.current.public();
        if session.keys.is_empty() {
            seal.keys.push((current, None));
            session.keys = palmares_proofs::TrustedKeys::new([palmares_proofs::LogKey { log: session.log.clone(), public: current }]);
        }
        if !session.keys.contains(&current) {
            return Err(refused("the key that signs was not introduced by the one before it: publish a key, wait, then promote it"));
        }
        let Some(next) = signers.next.as_ref().filter(|next| !session.keys.contains(&next.public())) else { return Ok(()) };
        let introduction = keys::introduce(&session.log, signers.current.as_ref(), next.as_ref());
        let text = Note::parse(&introduction).map(|note| note.text).unwrap_or_default();
        let index = session.root.edge.size() as i64;
        session.root.append(NodeHash::of_leaf(text.as_bytes()), 0, &mut seal.root_tiles);
        if !session.keys.introduce(&introduction) {
            return Err(refused("the next key cannot be introduced"));
        }
        seal.keys.push((next.public(), Some((introduction, index))));
        Ok(())
    }

    /// Says why nothing is sealed: in the log, in the figures, and, where it is a refusal, in the database.
    async fn tell(&self, failed: &SealError) {
        match failed {
            SealError::Refused(why) => {
                tracing::error!(why, "the sealer refuses to sign");
                metrics::gauge!("palmares_sealer_refuses").set(1.0);
                if let Err(error) = sqlx::query(REFUSE).bind(why).execute(self.log.pool()).await {
                    tracing::warn!(%error, "the refusal could not be noted");
                }
            }
            error => tracing::warn!(%error, "the log is not sealed for a moment"),
        }
    }

    /// How far the log is sealed.
    pub async fn status(&self) -> Result<SealStatus, sqlx::Error> {
        status(&self.log).await
    }
}

/// Does what takes a while without keeping others from their turn.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SealError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| refused(error.to_string()))
}

fn hashed(entries: Vec<(Uuid, Entry)>) -> Vec<Leaf> {
    entries.into_iter().map(|(organization, entry)| Leaf { organization, position: entry.position, hash: entry.hash() }).collect()
}

/// Adds what an organization's tree has grown by, and its checkpoint to the root log.
fn add(session: &mut Session, (organization, tree): (Uuid, Tree), whole: Vec<WholeTile>, signers: &Signers, seal: &mut Seal) {
    let origin = keys::origin_of(&session.log, organization);
    let checkpoint = Checkpoint { origin, size: tree.edge.size(), root: tree.edge.root() };
    seal.edges.extend(tree.edges().map(|edge| (organization, edge)));
    seal.tiles.extend(whole.into_iter().map(|tile| (organization, tile)));
    let text = checkpoint.text();
    let signed = note::sign(&text, &checkpoint.origin, &[signers.current.as_ref()]);
    seal.checkpoints.push((session.root.edge.size() as i64, organization, checkpoint.size as i64, signed));
    session.give_back(organization, tree);
    session.root.append(NodeHash::of_leaf(text.as_bytes()), 0, &mut seal.root_tiles);
}

/// The leaf of a row of the log, in the columns of [`READ`](super::statements::READ).
pub(crate) fn entry(row: &PgRow) -> Result<(Uuid, Entry), sqlx::Error> {
    let organization: Uuid = row.try_get(1)?;
    let id = |column: usize| row.try_get::<Uuid, _>(column).map(|id| Id(id.into_bytes()));
    let hash = |column: usize| -> Result<BytesHash, sqlx::Error> {
        let bytes: &[u8] = row.try_get(column)?;
        Ok(BytesHash(bytes.try_into().map_err(|_| sqlx::Error::Decode("SHA-256 has 32 bytes".into()))?))
    };
    let entry = Entry {
        position: row.try_get(0)?,
        organization_id: Id(organization.into_bytes()),
        stream_type: row.try_get(2)?,
        stream_id: id(3)?,
        version: row.try_get(4)?,
        event_id: id(5)?,
        event_type: row.try_get(6)?,
        schema_version: row.try_get(7)?,
        actor_id: id(8)?,
        recorded_at: Instant(row.try_get::<DateTime<Utc>, _>(9)?.timestamp_micros()),
        effective_at: row.try_get::<Option<DateTime<Utc>>, _>(10)?.map(|at| Instant(at.timestamp_micros())),
        metadata: hash(11)?,
        payload: hash(12)?,
    };
    Ok((organization, entry))
}
