//! Checkpoints: the head of a tree, to be signed (c2sp.org/tlog-checkpoint).

use crate::{NodeHash, note::Note};

/// The head of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which tree.
    pub origin: String,
    pub size: u64,
    pub root: NodeHash,
}

impl Checkpoint {
    /// What is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads what is signed. Trees here have no extension lines.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let checkpoint = Self { origin: origin.to_owned(), size: size.parse().ok()?, root: NodeHash::from_base64(root)? };
        // Numbers have more spellings than one, but are written in one.
        (!origin.is_empty() && checkpoint.text() == text).then_some(checkpoint)
    }

    /// Reads a signed checkpoint, whoever signed it.
    pub fn of_note(note: &str) -> Option<(Self, Note)> {
        let note = Note::parse(note)?;
        Some((Self::parse(&note.text)?, note))
    }

    pub fn head(&self) -> (u64, NodeHash) {
        (self.size, self.root)
    }
}
