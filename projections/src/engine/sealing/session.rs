//! What the sealer knows while it has the lead, and what has to be true before it signs anything.

use super::{
    Outside, SealError, hashes, log_name, number, positions,
    reading::Streams,
    sealer::refused,
    statements::{EDGES, KEYS, LAST_CHECKPOINTS, LAST_ROOT, LEAVES, LOG, ONE_MOMENT, ROOT_EDGES, ROOT_TILES},
    tiles,
    tree::Tree,
};
use crate::engine::log::Log;
use palmares_proofs::{Checkpoint, LogKey, NodeHash, TrustedKeys, keys, tiles::tiles_of, tree::Range};
use sqlx::{PgConnection, PgPool, Postgres, Row, Transaction};
use std::collections::HashMap;
use uuid::Uuid;

/// Trees that stay in memory; the others are read again when they grow.
const TREES_MAX: usize = 4_096;

/// Where the sealer stands.
pub(super) struct Session {
    pub log: String,
    /// Everything up to here is sealed.
    pub position: i64,
    pub root: Tree,
    pub keys: TrustedKeys,
    trees: HashMap<Uuid, Tree>,
    pub streams: Streams,
    /// What the file outside PostgreSQL is known to say.
    pub outside: String,
}

impl Session {
    /// Reads where the log is sealed, and verifies it against what was signed, inside and outside PostgreSQL.
    pub async fn open(pool: &PgPool, outside: &Outside) -> Result<Self, SealError> {
        Ok(Self::at_one_moment(pool, outside).await?.0)
    }

    /// The same, with the transaction that goes on seeing the database as it was then.
    pub async fn at_one_moment(pool: &PgPool, outside: &Outside) -> Result<(Self, Transaction<'static, Postgres>), SealError> {
        // First the file, which is never ahead of the database.
        let said = outside.read()?;
        let mut tx = pool.begin().await?;
        sqlx::query(ONE_MOMENT).execute(&mut *tx).await?;
        let session = Self::read(&mut tx, outside, said).await?;
        Ok((session, tx))
    }

    async fn read(connection: &mut PgConnection, outside: &Outside, said: Option<String>) -> Result<Self, SealError> {
        let (id, position, root_size, head): (Uuid, i64, i64, i64) = sqlx::query_as(LOG).fetch_one(&mut *connection).await?;
        let log = log_name(id);
        if position > head {
            return Err(refused(format!("the log ends at position {head}, and is sealed up to {position}")));
        }
        let keys = trusted_keys(&mut *connection, &log).await?;
        let last: Option<String> = sqlx::query_scalar(LAST_ROOT).fetch_optional(&mut *connection).await?;
        let signed = match last {
            Some(note) => known(&note, &keys, &keys::root_origin(&log))?,
            None => Checkpoint { origin: keys::root_origin(&log), size: 0, root: NodeHash::of_nothing() },
        };
        let mut levels = Vec::new();
        for row in sqlx::query(ROOT_EDGES).fetch_all(&mut *connection).await? {
            levels.push(hashes(row.try_get(2)?)?);
        }
        let root = Tree::kept(levels, Vec::new(), &signed).filter(|_| u64::try_from(root_size) == Ok(signed.size));
        let root = root.ok_or_else(|| refused("the root log is not the one that was signed last"))?;
        // Positions have no gaps, so each of them is one leaf. Were the row moved back, leaves would be signed twice;
        // were it moved on, some never: neither could be undone.
        let leaves: i64 = sqlx::query_scalar(LEAVES).fetch_one(&mut *connection).await?;
        if leaves != position {
            return Err(refused(format!("the log is said to be sealed up to position {position}, and its trees have {leaves} leaves")));
        }
        let said = verify_outside(connection, outside, said, &log, &keys, signed.size).await?;
        Ok(Self { log, position, root, keys, trees: HashMap::new(), streams: Streams::default(), outside: said })
    }

    /// The tree of each of these organizations.
    pub async fn load(&mut self, pool: &PgPool, organizations: &[Uuid]) -> Result<(), SealError> {
        if self.trees.len() > TREES_MAX {
            self.trees.clear();
        }
        let missing: Vec<Uuid> = organizations.iter().filter(|id| !self.trees.contains_key(id)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut kept: HashMap<Uuid, (Vec<Vec<NodeHash>>, Vec<i64>)> = HashMap::new();
        for row in sqlx::query(EDGES).bind(&missing).fetch_all(pool).await? {
            let (levels, last) = kept.entry(row.try_get(0)?).or_default();
            if number::<i16, usize>(row.try_get(1)?)? == 0 {
                *last = positions(row.try_get(4)?);
            }
            levels.push(hashes(row.try_get(3)?)?);
        }
        let signed: Vec<(Uuid, String)> = sqlx::query_as(LAST_CHECKPOINTS).bind(&missing).fetch_all(pool).await?;
        let signed: HashMap<Uuid, String> = signed.into_iter().collect();
        for id in missing {
            let (levels, last) = kept.remove(&id).unwrap_or_default();
            let tree = match signed.get(&id) {
                None if levels.is_empty() => Some(Tree::default()),
                None => None,
                Some(note) => Tree::kept(levels, last, &known(note, &self.keys, &keys::origin_of(&self.log, id))?),
            };
            let tree = tree.ok_or_else(|| refused(format!("the tree of organization {id} is not the one that was signed last")))?;
            self.trees.insert(id, tree);
        }
        Ok(())
    }

    /// A tree that was loaded, out of the session until it is given back.
    pub fn take(&mut self, organization: Uuid) -> Tree {
        self.trees.remove(&organization).unwrap_or_default()
    }

    pub fn give_back(&mut self, organization: Uuid, tree: Tree) {
        self.trees.insert(organization, tree);
    }
}

/// A checkpoint that one of the log's keys signed.
pub(super) fn known(note: &str, keys: &TrustedKeys, origin: &str) -> Result<Checkpoint, SealError> {
    let parsed = Checkpoint::of_note(note).filter(|(checkpoint, note)| checkpoint.origin == origin && keys.signed(note, origin));
    parsed.map(|(checkpoint, _)| checkpoint).ok_or_else(|| refused(format!("a checkpoint of {origin} was not signed by this log")))
}

/// The first key, and those that it introduced.
async fn trusted_keys(connection: &mut PgConnection, log: &str) -> Result<TrustedKeys, SealError> {
    let rows: Vec<(Vec<u8>, Option<String>)> = sqlx::query_as(KEYS).fetch_all(connection).await?;
    let mut keys = TrustedKeys::default();
    for (public, introduction) in rows {
        let good = match introduction {
            Some(introduction) => keys.introduce(&introduction) && public.as_slice().try_into().is_ok_and(|public| keys.contains(public)),
            None => match <[u8; 32]>::try_from(public) {
                Ok(public) if keys.is_empty() => {
                    keys = TrustedKeys::new([LogKey { log: log.to_owned(), public }]);
                    true
                }
                _ => false,
            },
        };
        if !good {
            return Err(refused("a key of the log was not introduced by the one before it"));
        }
    }
    Ok(keys)
}

/// Whether the root log of `size` leaves in PostgreSQL extends the checkpoint in the file; answers what the file says.
async fn verify_outside(
    connection: &mut PgConnection,
    outside: &Outside,
    said: Option<String>,
    log: &str,
    keys: &TrustedKeys,
    size: u64,
) -> Result<String, SealError> {
    let Some(note) = said else {
        if size > 0 {
            tracing::warn!(path = %outside.path().display(), "there is no checkpoint outside the database: it is written anew");
        }
        return Ok(String::new());
    };
    let path = outside.path().display();
    let origin = keys::root_origin(log);
    let parsed = Checkpoint::of_note(&note).ok_or_else(|| refused(format!("{path} is no checkpoint")))?;
    if parsed.0.origin != origin {
        return Err(refused(format!("{path} is of another log, {}", parsed.0.origin)));
    }
    if parsed.0.size > size {
        let lost = parsed.0.size - size;
        return Err(refused(format!("the database was rolled back: {lost} leaves of the root log that were signed are missing in it")));
    }
    let checkpoint = known(&note, keys, &origin)?;
    let range = Range { start: 0, end: checkpoint.size };
    let (levels, indexes): (Vec<i16>, Vec<i64>) = tiles_of(&[range]).iter().map(|id| (i16::from(id.level), id.index as i64)).unzip();
    let found = tiles(&sqlx::query(ROOT_TILES).bind(levels).bind(indexes).fetch_all(connection).await?)?;
    let root = if checkpoint.size == 0 { Some(NodeHash::of_nothing()) } else { range.hash(&found) };
    if root != Some(checkpoint.root) {
        return Err(refused(format!(
            "the root log does not extend the one of {} leaves that was signed: it has another history",
            checkpoint.size
        )));
    }
    Ok(note)
}

/// Whether the log in PostgreSQL is the one of the checkpoint outside it, for whoever only looks: up to where it is sealed.
///
/// # Errors
/// Why nothing would be signed.
pub async fn inspect(log: &Log, outside: &Outside) -> Result<i64, SealError> {
    Ok(Session::open(log.pool(), outside).await?.position)
}
