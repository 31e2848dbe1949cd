//! What a package is made of.

use super::{Consistency, FORMAT, Head};
use crate::{
    Checkpoint, NodeHash, TlogProof,
    entry::Id,
    tree::{self, Nodes, Range},
};
use serde::Serialize;

/// What a package will prove: the leaves `first..first + count` of a tree of `size` leaves.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub first: u64,
    pub count: u64,
    pub size: u64,
    /// The size of a checkpoint that was pinned before.
    pub pinned: Option<u64>,
}

impl Plan {
    fn left(&self) -> Range {
        Range { start: 0, end: self.first }
    }

    fn right(&self) -> Range {
        Range { start: self.first + self.count, end: self.size }
    }

    /// Every subtree that the head of the package needs a hash of.
    pub fn ranges(&self) -> Option<Vec<Range>> {
        let pinned = self.pinned.map_or(Some(Vec::new()), |pinned| tree::consistency(pinned, self.size))?;
        (self.first.checked_add(self.count)? <= self.size).then(|| [vec![self.left(), self.right()], pinned].concat())
    }

    /// The head of the package; `None` where `nodes` lacks a hash.
    pub fn head(
        &self,
        organization_id: Id,
        log: &str,
        checkpoint: String,
        root_proof: &TlogProof,
        introductions: Vec<String>,
        nodes: &impl Nodes,
    ) -> Option<Head> {
        let hashes = |range: Range| range.nodes().into_iter().map(|node| nodes.node(node)).collect::<Option<Vec<NodeHash>>>();
        let consistency = match self.pinned {
            Some(size) => Some(Consistency { size, proof: tree::hashes(&tree::consistency(size, self.size)?, nodes)? }),
            None => None,
        };
        let (signed, _) = Checkpoint::of_note(&checkpoint)?;
        (signed.size == self.size).then_some(())?;
        Some(Head {
            format: FORMAT.to_owned(),
            log: log.to_owned(),
            organization_id,
            first: self.first,
            count: self.count,
            checkpoint,
            root_proof: root_proof.text(),
            introductions,
            consistency,
            left: hashes(self.left())?,
            right: hashes(self.right())?,
        })
    }
}

/// One line of a package, with its newline.
///
/// # Errors
/// None of the types of a package; the signature is serde's.
pub fn line(part: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(part)?;
    line.push(b'\n');
    Ok(line)
}
