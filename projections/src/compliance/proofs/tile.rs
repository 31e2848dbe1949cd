//! `GET audit-logs/tiles/{level}/{index}`: the tree itself, for whoever keeps a mirror of it.

use super::trees::kept;
use crate::engine::{Query, ReadError, TenantReader};
use palmares_proofs::tiles::TileId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A tile of the organization's tree (c2sp.org/tlog-tiles): of a whole one 256 hashes for ever, of the one
/// that still grows those that are signed so far.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAuditTile {
    /// 0 for the leaves; a hash of each other level stands over a whole tile below. What is no number
    /// names nothing.
    pub level: String,
    /// From 0, along the level.
    pub index: String,
}

/// A tile of the organization's tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditTile {
    pub level: u8,
    pub index: u64,
    /// In base64.
    pub hashes: Vec<String>,
}

impl Query for GetAuditTile {
    type Output = AuditTile;

    const PROJECTIONS: &'static [&'static str] = &[];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AuditTile, ReadError> {
        let id = match (self.level.parse(), self.index.parse()) {
            (Ok(level), Ok(index)) => TileId { level, index },
            _ => return Err(ReadError::NotFound),
        };
        let hashes = kept(reader, &BTreeSet::from([id])).await?.0.remove(&id).filter(|hashes| !hashes.is_empty());
        let hashes = hashes.ok_or(ReadError::NotFound)?.iter().map(ToString::to_string).collect();
        Ok(AuditTile { level: id.level, index: id.index, hashes })
    }
}
