//! What is said to a witness, and what it answers (c2sp.org/tlog-witness).

use crate::cosignature::cosigned_at;
use crate::{
    NodeHash,
    note::{Note, Verifier},
};

/// The body of `POST <prefix>/add-checkpoint`.
pub fn add_checkpoint(old_size: u64, proof: &[NodeHash], checkpoint: &str) -> String {
    let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    format!("old {old_size}\n{proof}\n{checkpoint}")
}

/// Takes such a body apart: the old size, the proof and the checkpoint.
pub fn parse_add_checkpoint(body: &str) -> Option<(u64, Vec<NodeHash>, &str)> {
    let (proof, checkpoint) = body.split_once("\n\n")?;
    let mut lines = proof.split('\n');
    let old = lines.next()?.strip_prefix("old ")?.parse().ok()?;
    Some((old, lines.map(NodeHash::from_base64).collect::<Option<_>>()?, checkpoint))
}

/// The lines of an answer that are this witness's cosignature of the checkpoint, and when it gave it.
pub fn cosignature(checkpoint: &str, answer: &str, witness: &Verifier) -> Option<(String, u64)> {
    let note = Note::parse(&format!("{checkpoint}{answer}"))?;
    let seconds = cosigned_at(&note, witness)?;
    let id = witness.key_id();
    let line = note.signatures.iter().find(|signature| signature.name == witness.name && signature.key_id == id)?.line();
    Some((line, seconds))
}
