//! A proof in one file that something is in a log (c2sp.org/tlog-proof).

use crate::{Checkpoint, NodeHash, note::Note, tree};
use base64::{Engine as _, engine::general_purpose::STANDARD};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// As many as the deepest tree has levels.
const HASHES_MAX: usize = 64;

/// A checkpoint, and why a leaf is in its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// What is needed beside the file to know the leaf. Nobody vouches for it.
    pub extra: Option<Vec<u8>>,
    pub index: u64,
    /// From the leaf's sibling upwards.
    pub hashes: Vec<NodeHash>,
    /// The signed note.
    pub checkpoint: String,
}

impl TlogProof {
    pub fn text(&self) -> String {
        let extra = self.extra.as_ref().map(|extra| format!("extra {}\n", STANDARD.encode(extra))).unwrap_or_default();
        let hashes: String = self.hashes.iter().map(|hash| format!("{hash}\n")).collect();
        format!("{HEADER}\n{extra}index {}\n{hashes}\n{}", self.index, self.checkpoint)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (proof, checkpoint) = text.split_once("\n\n")?;
        let mut lines = proof.split('\n');
        (lines.next()? == HEADER).then_some(())?;
        let mut line = lines.next()?;
        let extra = match line.strip_prefix("extra ") {
            Some(encoded) => {
                line = lines.next()?;
                Some(STANDARD.decode(encoded).ok()?)
            }
            None => None,
        };
        let index = line.strip_prefix("index ")?.parse().ok()?;
        let hashes: Vec<_> = lines.map(NodeHash::from_base64).collect::<Option<_>>()?;
        let parsed = Self { extra, index, hashes, checkpoint: checkpoint.to_owned() };
        (parsed.hashes.len() <= HASHES_MAX && parsed.text() == text).then_some(parsed)
    }

    /// The checkpoint, taken apart; nothing where it is none. Who signed it is still to be verified.
    pub fn head(&self) -> Option<(Checkpoint, Note)> {
        Checkpoint::of_note(&self.checkpoint)
    }

    /// Whether `leaf` is in the tree of a checkpoint.
    pub fn proves(&self, leaf: NodeHash, checkpoint: &Checkpoint) -> bool {
        tree::includes(leaf, self.index, checkpoint.size, checkpoint.root, &self.hashes)
    }
}
