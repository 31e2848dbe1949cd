//! Evidence packages: a span of an organization's log in one file, with the proof that nothing of it is left out.
//!
//! Lines of JSON. The first one has the signed checkpoint and the subtrees to the left and to the
//! right of the span; each other line is an event. Whoever folds the subtrees and the events comes
//! to the root that was signed, or something was changed, removed, added or moved.

mod verify;
mod writing;

pub use verify::{Failure, Pinned, Report, Trust, verify};
pub use writing::{Plan, line};

use crate::{NodeHash, entry::Id};
use serde::{Deserialize, Serialize};

/// Of the form of a package.
pub const FORMAT: &str = "palmares-evidence/1";
/// The media type of a package.
pub const MEDIA_TYPE: &str = "application/vnd.palmares.evidence+jsonl";

/// The first line of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub format: String,
    /// The name of the log.
    pub log: String,
    pub organization_id: Id,
    /// The number of the first leaf, and how many there are.
    pub first: u64,
    pub count: u64,
    /// The signed checkpoint of the organization's tree.
    pub checkpoint: String,
    /// That this checkpoint is in the root log, whose own checkpoint is in there (c2sp.org/tlog-proof).
    pub root_proof: String,
    /// How the log came to the key that signed, from the first one on.
    pub introductions: Vec<String>,
    /// That the tree begins with one that somebody may have pinned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consistency: Option<Consistency>,
    /// The subtrees before the span, and those behind it.
    pub left: Vec<NodeHash>,
    pub right: Vec<NodeHash>,
}

/// Why the tree begins with a smaller one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    pub size: u64,
    pub proof: Vec<NodeHash>,
}

#[cfg(test)]
#[path = "tests.rs"]
pub(crate) mod tests;
