//! What the audit log proves, and how anybody checks it without us: no server, no database, no trust.
//!
//! The log keeps a Merkle tree per organization (RFC 6962) and signs its head (a *checkpoint*). From
//! that follow three proofs: an event is in the log (inclusion), what was added came behind what was
//! there (consistency), and an export leaves out nothing (completeness). The formats are those of
//! <https://c2sp.org>; `docs/proofs.md` writes them down, precisely enough for another verifier.
//!
//! [`tree`] has the mathematics, [`tiles`] how a tree is kept, [`note`] and [`checkpoint`] what is
//! signed, [`entry`] what a leaf is, [`evidence`] the package that is handed over.

pub mod checkpoint;
pub mod compact;
pub mod cosignature;
pub mod entry;
pub mod evidence;
pub mod files;
pub mod hash;
pub mod keys;
pub mod note;
pub mod record;
pub mod tiles;
pub mod time;
pub mod tlog_proof;
pub mod tree;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use entry::Entry;
pub use hash::NodeHash;
pub use keys::{LogKey, TrustedKeys};
pub use tlog_proof::TlogProof;
