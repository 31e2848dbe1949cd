//! The tenant's tree and the root log, as a reader sees them.
//!
//! A tree only grows, and each statement sees all of it at once: the tiles of a later moment prove
//! everything about an earlier checkpoint.

use crate::engine::{
    ReadError, TenantReader,
    sealing::{log_name, number, tiles},
};
use palmares_proofs::{
    Checkpoint, NodeHash, TlogProof,
    tiles::{TileId, Tiles, tiles_of},
    tree::{self, Range},
};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) const LOG: &str = "SELECT id FROM proof_log";

pub(super) const CHECKPOINT: &str =
    "SELECT root_index, note, size FROM proof_checkpoints WHERE organization_id = $1 ORDER BY size DESC LIMIT 1";

pub(super) const TILES: &str = "
    SELECT level, index, hashes FROM proof_tiles
    WHERE organization_id = $1 AND (level, index) IN (SELECT * FROM unnest($2::smallint[], $3::bigint[]))
    UNION ALL SELECT level, index, hashes FROM proof_edges WHERE organization_id = $1";

pub(super) const ROOT_TILES: &str = "
    SELECT level, index, hashes FROM proof_root_tiles WHERE (level, index) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))
    UNION ALL SELECT level, index, hashes FROM proof_root_edges";

/// The newest root checkpoint that somebody witnessed, where that knows the leaf; else the newest one.
pub(super) const ROOT: &str = "
    SELECT c.note || coalesce((SELECT string_agg(w.line, '' ORDER BY w.witness) FROM proof_cosignatures w WHERE w.size = c.size), '')
    FROM proof_root_checkpoints c
    ORDER BY (c.size = (SELECT max(w.size) FROM proof_cosignatures w WHERE w.size > $1)) IS NOT TRUE, c.size DESC LIMIT 1";

pub(super) const KEYS: &str = "SELECT public, introduction, introduced_at FROM proof_keys ORDER BY number";

/// A signed head of the tenant's tree.
pub(super) struct Head {
    pub root_index: u64,
    pub note: String,
    pub size: u64,
}

/// The name of the log.
pub(super) async fn name(reader: &mut TenantReader<'_>) -> Result<String, ReadError> {
    let id: Uuid = sqlx::query_scalar(LOG).fetch_one(reader.connection()).await?;
    Ok(log_name(id))
}

/// The newest head; missing until the tenant's first event is sealed.
pub(super) async fn head(reader: &mut TenantReader<'_>) -> Result<Head, ReadError> {
    let organization = reader.organization().0;
    let found: Option<(i64, String, i64)> = sqlx::query_as(CHECKPOINT).bind(organization).fetch_optional(reader.connection()).await?;
    let (root_index, note, size) = found.ok_or(ReadError::NotFound)?;
    Ok(Head { root_index: number(root_index)?, note, size: number(size)? })
}

/// The tiles that these subtrees of the tenant's tree are computed from.
pub(super) async fn nodes(reader: &mut TenantReader<'_>, ranges: &[Range]) -> Result<Tiles, ReadError> {
    kept(reader, &tiles_of(ranges)).await
}

/// Those of these tiles of the tenant's tree that there are, and its edge.
pub(super) async fn kept(reader: &mut TenantReader<'_>, wanted: &BTreeSet<TileId>) -> Result<Tiles, ReadError> {
    let organization = reader.organization().0;
    let (levels, indexes) = columns(wanted);
    let rows = sqlx::query(TILES).bind(organization).bind(levels).bind(indexes).fetch_all(reader.connection()).await?;
    Ok(tiles(&rows)?)
}

fn columns(wanted: &BTreeSet<TileId>) -> (Vec<i16>, Vec<i64>) {
    wanted.iter().map(|id| (i16::from(id.level), id.index as i64)).unzip()
}

/// The hashes of a path that the tree has.
pub(super) async fn hashes(reader: &mut TenantReader<'_>, path: &[Range]) -> Result<Vec<NodeHash>, ReadError> {
    let nodes = nodes(reader, path).await?;
    tree::hashes(path, &nodes).ok_or_else(missing)
}

pub(super) fn missing() -> ReadError {
    ReadError::Unavailable(anyhow::anyhow!("the tree lacks a tile that it had"))
}

/// That leaf `index` is in the root log, whose checkpoint comes with what witnesses said of it.
pub(super) async fn root_proof(reader: &mut TenantReader<'_>, index: u64) -> Result<TlogProof, ReadError> {
    let note: String = sqlx::query_scalar(ROOT).bind(index as i64).fetch_one(reader.connection()).await?;
    let (checkpoint, _) = Checkpoint::of_note(&note).ok_or_else(missing)?;
    let path = tree::inclusion(index, checkpoint.size).ok_or_else(missing)?;
    let (levels, indexes) = columns(&tiles_of(&path));
    let nodes = tiles(&sqlx::query(ROOT_TILES).bind(levels).bind(indexes).fetch_all(reader.connection()).await?)?;
    Ok(TlogProof { extra: None, index, hashes: tree::hashes(&path, &nodes).ok_or_else(missing)?, checkpoint: note })
}
