//! Proofs over a tree: which nodes they are made of, and how they are checked (RFC 6962, RFC 9162).

use crate::NodeHash;

/// A perfect subtree: `2^level` leaves from `index * 2^level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    pub level: u8,
    pub index: u64,
}

/// The leaves `start..end` that a subtree stands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start: u64,
    pub end: u64,
}

/// Where the hashes of perfect subtrees come from.
pub trait Nodes {
    fn node(&self, node: Node) -> Option<NodeHash>;
}

impl Range {
    /// Where the tree over these leaves splits: the largest power of two below their number.
    fn split(self) -> u64 {
        let leaves = self.end - self.start;
        self.start + (1 << (63 - (leaves - 1).leading_zeros()))
    }

    /// The perfect subtrees that make it up, from left to right.
    pub fn nodes(self) -> Vec<Node> {
        let (mut at, mut nodes) = (self.start, Vec::new());
        while at < self.end {
            let fits = 63 - (self.end - at).leading_zeros();
            let level = fits.min(at.trailing_zeros());
            nodes.push(Node { level: level as u8, index: at >> level });
            at += 1 << level;
        }
        nodes
    }

    /// The hash over a subtree of a tree: one whose start is aligned to its size.
    pub fn hash(self, source: &impl Nodes) -> Option<NodeHash> {
        let mut nodes = self.nodes().into_iter().rev();
        let last = source.node(nodes.next()?)?;
        nodes.try_fold(last, |right, node| Some(NodeHash::of_node(&source.node(node)?, &right)))
    }
}

/// The subtrees whose hashes prove that leaf `index` is in a tree of `size`, from the leaf upwards.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let (mut within, mut path) = (Range { start: 0, end: size }, Vec::new());
    while within.end - within.start > 1 {
        let split = within.split();
        let (left, right) = (Range { end: split, ..within }, Range { start: split, ..within });
        let (next, sibling) = if index < split { (left, right) } else { (right, left) };
        path.push(sibling);
        within = next;
    }
    path.reverse();
    Some(path)
}

/// The subtrees whose hashes prove that a tree of `new` leaves begins with the tree of `old` leaves.
pub fn consistency(old: u64, new: u64) -> Option<Vec<Range>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let (mut within, mut known, mut path) = (Range { start: 0, end: new }, true, Vec::new());
    while within.end != old {
        let split = within.split();
        let (left, right) = (Range { end: split, ..within }, Range { start: split, ..within });
        if old <= split {
            path.push(right);
            within = left;
        } else {
            path.push(left);
            (within, known) = (right, false);
        }
    }
    // The old tree itself needs no hash: whoever asks knows it.
    if !known {
        path.push(within);
    }
    path.reverse();
    Some(path)
}

/// The hashes of `path`, where `source` has them all.
pub fn hashes(path: &[Range], source: &impl Nodes) -> Option<Vec<NodeHash>> {
    path.iter().map(|range| range.hash(source)).collect()
}

/// Whether `proof` shows that `leaf` is number `index` of the tree with this size and root (RFC 9162, 2.1.3.2).
pub fn includes(leaf: NodeHash, index: u64, size: u64, root: NodeHash, proof: &[NodeHash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = NodeHash::of_node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = NodeHash::of_node(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == root
}

/// Whether `proof` shows that the tree of `new` begins with the tree of `old`, each a size and a root (RFC 9162, 2.1.4.2).
pub fn extends(old: (u64, NodeHash), new: (u64, NodeHash), proof: &[NodeHash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return proof.is_empty() && old_root == NodeHash::of_nothing();
    }
    if old_size >= new_size {
        return old_size == new_size && proof.is_empty() && old_root == new_root;
    }
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // Where the old tree is perfect, its root is the first node, which the proof leaves out.
    let (first, rest) = match proof.split_first() {
        _ if old_size.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = NodeHash::of_node(sibling, &old_hash);
            new_hash = NodeHash::of_node(sibling, &new_hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_hash = NodeHash::of_node(&new_hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
