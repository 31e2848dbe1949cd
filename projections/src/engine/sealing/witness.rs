//! What witnesses are shown of the root log, and what they said of it.

use super::{
    SealError,
    sealer::refused,
    statements::{COSIGNED, KEEP_COSIGNATURE, NEWEST_ROOT, ROOT_TILES},
    tiles,
};
use crate::engine::log::Log;
use palmares_proofs::{NodeHash, tiles::tiles_of, tree};

/// The root log, as it is shown to witnesses.
#[derive(Clone)]
pub struct RootLog(Log);

impl RootLog {
    pub fn new(log: Log) -> Self {
        Self(log)
    }

    /// The newest checkpoint, with its size; `None` before the first seal.
    pub async fn newest(&self) -> Result<Option<(u64, String)>, SealError> {
        let found: Option<(i64, String)> = sqlx::query_as(NEWEST_ROOT).fetch_optional(self.0.pool()).await?;
        found.map(|(size, note)| Ok((super::number(size)?, note))).transpose()
    }

    /// The size of the newest checkpoint that a witness cosigned, as far as is known here.
    pub async fn cosigned(&self, witness: &str) -> Result<u64, SealError> {
        let size: i64 = sqlx::query_scalar(COSIGNED).bind(witness).fetch_one(self.0.pool()).await?;
        Ok(super::number(size)?)
    }

    /// That the root log of `new` leaves begins with the one of `old`.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<NodeHash>, SealError> {
        let path =
            tree::consistency(old, new).ok_or_else(|| refused(format!("a witness knows {old} leaves of the root log, which has {new}")))?;
        let (levels, indexes): (Vec<i16>, Vec<i64>) = tiles_of(&path).iter().map(|id| (i16::from(id.level), id.index as i64)).unzip();
        let found = tiles(&sqlx::query(ROOT_TILES).bind(levels).bind(indexes).fetch_all(self.0.pool()).await?)?;
        tree::hashes(&path, &found).ok_or_else(|| refused("the root log lacks a tile that it had"))
    }

    /// Keeps what a witness said of the checkpoint of this size.
    pub async fn keep(&self, size: u64, witness: &str, line: &str, seconds: u64) -> Result<(), SealError> {
        let query = sqlx::query(KEEP_COSIGNATURE).bind(size as i64).bind(witness).bind(line).bind(seconds as f64);
        query.execute(self.0.pool()).await?;
        Ok(())
    }
}
