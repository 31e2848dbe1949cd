//! A tree in the memory of its right edge: leaves and whole subtrees go in, the root comes out.

use crate::NodeHash;

/// The perfect subtrees that a tree is made of, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compact {
    size: u64,
    nodes: Vec<NodeHash>,
}

impl Compact {
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: NodeHash) {
        // One leaf fits behind any size below the largest.
        let _ = self.push(0, leaf);
    }

    /// Adds a perfect subtree of `2^level` leaves; false where the tree has no place for one there.
    #[must_use]
    pub fn push(&mut self, level: u8, hash: NodeHash) -> bool {
        let Some(leaves) = 1_u64.checked_shl(u32::from(level)) else { return false };
        let Some(size) = self.size.checked_add(leaves) else { return false };
        if !self.size.is_multiple_of(leaves) {
            return false;
        }
        let (mut hash, mut before) = (hash, self.size >> level);
        while before & 1 == 1 {
            if let Some(left) = self.nodes.pop() {
                hash = NodeHash::of_node(&left, &hash);
            }
            before >>= 1;
        }
        self.nodes.push(hash);
        self.size = size;
        true
    }

    pub fn root(&self) -> NodeHash {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else { return NodeHash::of_nothing() };
        nodes.fold(*last, |right, left| NodeHash::of_node(left, &right))
    }
}
