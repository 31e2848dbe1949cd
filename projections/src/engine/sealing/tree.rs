//! A tree as the sealer holds it: its edge, and where its last leaves are in the log.

use palmares_proofs::{
    Checkpoint, NodeHash,
    tiles::{Edge, Tile},
};

/// The edge of a tree.
#[derive(Clone, Default)]
pub(super) struct Tree {
    pub edge: Edge,
    /// Of the leaves in the growing tile.
    positions: Vec<i64>,
}

/// A tile that is whole, with the positions of its leaves if it is one of leaves.
pub(super) struct WholeTile {
    pub tile: Tile,
    pub positions: Option<Vec<i64>>,
}

/// A growing tile to be kept.
pub(super) struct EdgeTile {
    pub level: i16,
    pub index: i64,
    pub hashes: Vec<u8>,
    pub positions: Vec<u8>,
}

impl Tree {
    /// The tree whose edge was kept: growing tiles from the leaves upwards, and positions of the last leaves.
    /// `None` where they are not the ones of this checkpoint.
    pub fn kept(levels: Vec<Vec<NodeHash>>, positions: Vec<i64>, checkpoint: &Checkpoint) -> Option<Self> {
        let edge = Edge::new(checkpoint.size, levels)?;
        (edge.root() == checkpoint.root).then_some(Self { edge, positions })
    }

    pub fn append(&mut self, leaf: NodeHash, position: i64, whole: &mut Vec<WholeTile>) {
        let mut full = Vec::new();
        self.edge.append(leaf, &mut full);
        self.positions.push(position);
        for tile in full {
            let positions = (tile.id.level == 0).then(|| std::mem::take(&mut self.positions));
            whole.push(WholeTile { tile, positions });
        }
    }

    /// Appends leaves with their positions; answers the tiles that are whole now.
    pub fn grow(&mut self, leaves: Vec<(NodeHash, i64)>) -> Vec<WholeTile> {
        let mut whole = Vec::new();
        for (leaf, position) in leaves {
            self.append(leaf, position, &mut whole);
        }
        whole
    }

    /// What has to be kept to go on.
    pub fn edges(&self) -> impl Iterator<Item = EdgeTile> {
        let size = self.edge.size();
        self.edge.levels().iter().enumerate().map(move |(level, hashes)| EdgeTile {
            // 2^63 leaves have eight levels of tiles.
            level: level as i16,
            index: size.checked_shr(8 * (level as u32 + 1)).unwrap_or(0) as i64,
            hashes: NodeHash::concat(hashes),
            positions: if level == 0 { bytes(&self.positions) } else { Vec::new() },
        })
    }
}

/// Positions as a tile keeps them.
pub(super) fn bytes(positions: &[i64]) -> Vec<u8> {
    positions.iter().flat_map(|position| position.to_be_bytes()).collect()
}
