//! How a tree is kept: in tiles of 256 hashes, whole ones for ever, and the edge that still grows (c2sp.org/tlog-tiles).
//!
//! Tile (level, index) holds the hashes of the perfect subtrees of `256^level` leaves from number
//! `256 * index` on. Every other node is computed from a tile, so that a proof needs a few of them.

use crate::{
    NodeHash,
    compact::Compact,
    tree::{Node, Nodes, Range},
};
use std::collections::{BTreeMap, BTreeSet};

/// Hashes in a whole tile.
pub const WIDTH: usize = 256;
const LEVELS_PER_TILE: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    pub level: u8,
    pub index: u64,
}

/// A whole tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub id: TileId,
    pub hashes: Vec<NodeHash>,
}

impl TileId {
    /// The tile from which a node is computed, and the hashes of it that the node stands over.
    fn of(node: Node) -> (Self, std::ops::Range<usize>) {
        let (level, above) = (node.level / LEVELS_PER_TILE, node.level % LEVELS_PER_TILE);
        let first = node.index << above;
        let offset = (first % WIDTH as u64) as usize;
        (Self { level, index: first / WIDTH as u64 }, offset..offset + (1 << above))
    }
}

/// The tiles that these subtrees are computed from.
pub fn tiles_of(ranges: &[Range]) -> BTreeSet<TileId> {
    ranges.iter().flat_map(|range| range.nodes()).map(|node| TileId::of(node).0).collect()
}

/// Tiles in memory, whole and partial ones.
#[derive(Clone, Debug, Default)]
pub struct Tiles(pub BTreeMap<TileId, Vec<NodeHash>>);

impl Nodes for Tiles {
    fn node(&self, node: Node) -> Option<NodeHash> {
        let (id, hashes) = TileId::of(node);
        Some(perfect(self.0.get(&id)?.get(hashes)?))
    }
}

/// The root over a power of two of hashes.
fn perfect(hashes: &[NodeHash]) -> NodeHash {
    match hashes {
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            NodeHash::of_node(&perfect(left), &perfect(right))
        }
    }
}

/// The growing edge of a tree: the partial tile of each level.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    compact: Compact,
    levels: Vec<Vec<NodeHash>>,
}

impl Edge {
    /// The edge whose partial tiles these are, from the leaves upwards; `None` where they do not fit `size`.
    pub fn new(size: u64, levels: Vec<Vec<NodeHash>>) -> Option<Self> {
        let mut compact = Compact::default();
        for (level, hashes) in levels.iter().enumerate().rev() {
            let level = u8::try_from(level).ok()?.checked_mul(LEVELS_PER_TILE)?;
            if hashes.len() >= WIDTH || !hashes.iter().all(|hash| compact.push(level, *hash)) {
                return None;
            }
        }
        (compact.size() == size).then_some(Self { compact, levels })
    }

    pub fn size(&self) -> u64 {
        self.compact.size()
    }

    pub fn root(&self) -> NodeHash {
        self.compact.root()
    }

    /// The partial tiles, from the leaves upwards.
    pub fn levels(&self) -> &[Vec<NodeHash>] {
        &self.levels
    }

    /// Adds a leaf; the tiles that it completes go to `full`.
    pub fn append(&mut self, leaf: NodeHash, full: &mut Vec<Tile>) {
        self.compact.append(leaf);
        let (mut hash, mut level) = (leaf, 0_u8);
        loop {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let tile = &mut self.levels[usize::from(level)];
            tile.push(hash);
            if tile.len() < WIDTH {
                return;
            }
            let hashes = std::mem::take(tile);
            hash = perfect(&hashes);
            let shift = u32::from(LEVELS_PER_TILE) * (u32::from(level) + 1);
            full.push(Tile { id: TileId { level, index: (self.size() >> shift) - 1 }, hashes });
            level += 1;
        }
    }
}

#[cfg(test)]
#[path = "tiles_tests.rs"]
mod tests;
