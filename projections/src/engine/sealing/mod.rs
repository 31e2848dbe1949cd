//! Seals the log behind the commit: every event becomes a leaf of its organization's tree, and what the trees are is signed.
//!
//! One sealer at a time has the lead; the row `proof_log`, which each seal moves by compare-and-set,
//! stops a second one whatever became of the lock. A seal is one transaction: whole tiles, edges, the
//! checkpoints of the trees that grew, and the checkpoint of the root log over them. The last of these
//! is also written to a file outside PostgreSQL, and nothing is signed that does not extend it.

pub mod audit;
mod beside;
mod outside;
mod reading;
mod rounds;
mod sealer;
mod session;
pub mod statements;
pub mod status;
mod tree;
mod vouched;
pub mod witness;
mod writing;

pub use beside::{Beside, Unfit};
pub use outside::{Outside, OutsideFault};
pub use rounds::{AlteredKeys, Rounds};
pub(crate) use sealer::entry;
pub use sealer::{Recent, SealError, Sealer, Signers, SigningKeys};
pub use session::inspect;
pub use vouched::{Foreign, Vouches, foreign};

use palmares_proofs::{
    NodeHash,
    tiles::{TileId, Tiles},
};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

/// The name of a log, with which the origins of its trees begin.
pub fn log_name(id: Uuid) -> String {
    format!("palmares-log/{id}")
}

/// The tiles of rows of level, index and hashes.
pub(crate) fn tiles(rows: &[PgRow]) -> Result<Tiles, sqlx::Error> {
    let mut tiles = Tiles::default();
    for row in rows {
        let (level, index): (i16, i64) = (row.try_get(0)?, row.try_get(1)?);
        let id = TileId { level: number(level)?, index: number(index)? };
        tiles.0.insert(id, hashes(row.try_get(2)?)?);
    }
    Ok(tiles)
}

pub(crate) fn hashes(bytes: &[u8]) -> Result<Vec<NodeHash>, sqlx::Error> {
    NodeHash::all_in(bytes).ok_or_else(|| sqlx::Error::Decode("a tile is not made of hashes".into()))
}

/// The positions of a tile of leaves.
pub(crate) fn positions(bytes: &[u8]) -> Vec<i64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| i64::from_be_bytes(*bytes)).collect()
}

pub(crate) fn number<A, B: TryFrom<A>>(number: A) -> Result<B, sqlx::Error> {
    B::try_from(number).map_err(|_| sqlx::Error::Decode("a number of a tree is out of range".into()))
}
