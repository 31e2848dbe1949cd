//! The verification of a package, line by line, in the memory of one line.

use super::{FORMAT, Head};
use crate::{
    Checkpoint, NodeHash, TlogProof, TrustedKeys,
    compact::Compact,
    cosignature::cosigned_at,
    entry::{Id, Instant},
    files,
    keys::{origin_of, root_origin},
    note::{Note, Verifier},
    record::{Content, Record},
    tree::{self, Range},
};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, BufRead, Read};

/// An event has at most 256 KiB, and JSON writes a byte in at most six.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// What whoever verifies knows beside the package.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub keys: TrustedKeys,
    /// A checkpoint that they kept.
    pub pinned: Option<Pinned>,
    /// Witnesses whose cosignatures are reported.
    pub witnesses: Vec<Verifier>,
}

/// A checkpoint that somebody kept from before: the signed note.
#[derive(Clone, Debug)]
pub struct Pinned {
    pub checkpoint: Checkpoint,
    note: Note,
}

impl Pinned {
    pub fn parse(note: &str) -> Option<Self> {
        let (checkpoint, note) = Checkpoint::of_note(note)?;
        Some(Self { checkpoint, note })
    }
}

/// What a package proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub log: String,
    pub organization_id: Id,
    /// The leaves that are in it, none left out.
    pub first: u64,
    pub count: u64,
    /// Of how many of them the text is in it, and of how many hashes alone, be it in part. Whoever passed it on may have
    /// put hashes in the place of text: they prove as much, and tell nothing.
    pub shown: u64,
    pub hidden: u64,
    /// How many leaves the tree has behind those that are in it.
    pub later: u64,
    /// The tree that was signed.
    pub tree_size: u64,
    pub root: NodeHash,
    /// Where the span begins and ends; `None` where it has no event.
    pub from: Option<Bound>,
    pub to: Option<Bound>,
    /// The size of the pinned checkpoint that the tree extends.
    pub extends: Option<u64>,
    /// The root log in which the checkpoint stands.
    pub root_log_size: u64,
    /// Who saw the root log, and when, in seconds since 1970.
    pub witnessed: Vec<(String, u64)>,
}

/// An end of the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    pub position: i64,
    pub recorded_at: Instant,
}

/// Why a package proves nothing. `line` counts from 1.
#[derive(Debug)]
pub enum Failure {
    Unreadable(io::Error),
    /// A line that is not in the one form that it may have.
    Malformed {
        line: u64,
        index: Option<u64>,
    },
    /// A line that ends in CR LF: some program converted the file on its way.
    LineEnds {
        line: u64,
    },
    /// The head has a part that is not in the form that it may have.
    Form(&'static str),
    /// The head names parts that do not belong together.
    Head(&'static str),
    /// No trusted key signed it.
    Untrusted(&'static str),
    /// The events are not in the order in which they were recorded.
    Disorder {
        index: u64,
    },
    /// The file ends before this leaf.
    Missing {
        index: u64,
    },
    /// There is more behind the last leaf.
    TooMuch {
        line: u64,
    },
    /// It has no event, and the tree has some: it proves nothing of any.
    Nothing {
        size: u64,
    },
    /// The events are not those that were signed.
    OtherEvents {
        first: u64,
        count: u64,
    },
    /// The log is not the one that was pinned.
    Forked {
        pinned: u64,
        size: u64,
    },
    /// It cannot be told whether the log extends the one that was pinned.
    NoConsistency {
        pinned: u64,
        size: u64,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Unreadable(error) => write!(f, "the package cannot be read: {error}"),
            Failure::Malformed { line, index: Some(index) } => write!(f, "line {line}, leaf {index}: not in the form of a package"),
            Failure::Malformed { line, index: None } => write!(f, "line {line}: not in the form of a package"),
            Failure::LineEnds { line } => write!(f, "line {line}: {}", files::CONVERTED),
            Failure::Form(what) | Failure::Head(what) => write!(f, "the head of the package: {what}"),
            Failure::Untrusted(what) => write!(f, "no trusted key signed {what}"),
            Failure::Disorder { index } => write!(f, "leaf {index} is out of order"),
            Failure::Missing { index } => write!(f, "the package ends before leaf {index}"),
            Failure::TooMuch { line } => write!(f, "line {line}: there is more than the package says"),
            Failure::Nothing { size } => write!(f, "the package has no event, and the tree {size}: it is part of none"),
            Failure::OtherEvents { first, count } => {
                let last = first.saturating_add(*count).saturating_sub(1);
                write!(f, "leaves {first} to {last} are not those that were signed: changed, removed, added or moved")
            }
            Failure::Forked { pinned, size } => {
                write!(f, "the log of {size} leaves does NOT extend the one of {pinned} leaves that you pinned: it has another history")
            }
            Failure::NoConsistency { pinned, size } => write!(
                f,
                "the package of {size} leaves cannot show that it extends the one of {pinned} that you pinned: ask for one with pinned_size={pinned}"
            ),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Whether it could be read as a package: one that could not proves nothing, neither that it is whole nor that it
    /// is not.
    pub fn is_understood(&self) -> bool {
        !matches!(self, Failure::Unreadable(_) | Failure::Malformed { .. } | Failure::LineEnds { .. } | Failure::Form(_))
    }
}

/// Verifies a package.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(package: impl BufRead, trust: &Trust) -> Result<Report, Failure> {
    let mut lines = Lines { package, number: 0, text: String::new() };
    let head: Head = lines.next(None)?.ok_or(Failure::Malformed { line: 1, index: None })?;
    let signed = Signed::of(&head, trust)?;
    let mut tree = Compact::default();
    let end = head.first.checked_add(head.count).filter(|end| *end <= signed.checkpoint.size);
    let end = end.ok_or(Failure::Head("it names leaves that the tree does not have"))?;
    if head.count == 0 && signed.checkpoint.size > 0 {
        return Err(Failure::Nothing { size: signed.checkpoint.size });
    }
    push(&mut tree, Range { start: 0, end: head.first }, &head.left)?;
    let (mut from, mut to, mut at_pin, mut hidden) = (None, None, None, 0);
    for index in head.first..end {
        // The tree of before passes by on the way.
        at_pin = at_pin.or_else(|| signed.passes_pin(&tree));
        let record: Record = lines.next(Some(index))?.ok_or(Failure::Missing { index })?;
        let bound = Bound { position: record.position, recorded_at: record.recorded_at };
        let ordered = to.is_none_or(|last: Bound| last.position < bound.position && last.recorded_at <= bound.recorded_at);
        if record.index != index || !ordered {
            return Err(Failure::Disorder { index });
        }
        let entry = record.entry(head.organization_id).ok_or(Failure::Malformed { line: lines.number, index: Some(index) })?;
        tree.append(entry.hash());
        hidden += u64::from([&record.metadata, &record.payload].iter().any(|content| matches!(content, Content::Sha256(_))));
        (from, to) = (from.or(Some(bound)), Some(bound));
    }
    if lines.read()? {
        return Err(Failure::TooMuch { line: lines.number });
    }
    at_pin = at_pin.or_else(|| signed.passes_pin(&tree));
    push(&mut tree, Range { start: end, end: signed.checkpoint.size }, &head.right)?;
    if tree.root() != signed.checkpoint.root {
        return Err(Failure::OtherEvents { first: head.first, count: head.count });
    }
    Ok(Report {
        extends: signed.extends(&head, at_pin)?,
        log: head.log,
        organization_id: head.organization_id,
        first: head.first,
        count: head.count,
        shown: head.count - hidden,
        hidden,
        later: signed.checkpoint.size - end,
        tree_size: signed.checkpoint.size,
        root: signed.checkpoint.root,
        from,
        to,
        root_log_size: signed.root.size,
        witnessed: signed.witnessed,
    })
}

fn push(tree: &mut Compact, range: Range, hashes: &[NodeHash]) -> Result<(), Failure> {
    let nodes = range.nodes();
    let fits = nodes.len() == hashes.len() && nodes.iter().zip(hashes).all(|(node, hash)| tree.push(node.level, *hash));
    if fits { Ok(()) } else { Err(Failure::Head("it has other subtrees than the span needs")) }
}

/// What the head of a package shows to be signed.
struct Signed<'a> {
    checkpoint: Checkpoint,
    root: Checkpoint,
    witnessed: Vec<(String, u64)>,
    pinned: Option<&'a Checkpoint>,
}

impl<'a> Signed<'a> {
    fn of(head: &Head, trust: &'a Trust) -> Result<Self, Failure> {
        if head.format != FORMAT {
            return Err(Failure::Form("it has another format than this verifier knows"));
        }
        let mut keys = trust.keys.clone();
        for introduction in &head.introductions {
            // What a key introduces that nobody trusts is nothing to rely on, and may stand there.
            let _ = keys.introduce(introduction);
        }
        let (checkpoint, note) = Checkpoint::of_note(&head.checkpoint).ok_or(Failure::Form("its checkpoint is none"))?;
        if checkpoint.origin != origin_of(&head.log, head.organization_id) {
            return Err(Failure::Head("its checkpoint is of another tree"));
        }
        if !keys.signed(&note, &checkpoint.origin) {
            return Err(Failure::Untrusted("the checkpoint"));
        }
        let proof = TlogProof::parse(&head.root_proof).ok_or(Failure::Form("its proof of the root log is none"))?;
        let (root, root_note) = proof.head().ok_or(Failure::Form("its proof of the root log is none"))?;
        if !proof.proves(NodeHash::of_leaf(note.text.as_bytes()), &root) {
            return Err(Failure::Head("its checkpoint is not in the root log"));
        }
        if root.origin != root_origin(&head.log) || proof.extra.is_some() {
            return Err(Failure::Head("its root log is another one"));
        }
        if !keys.signed(&root_note, &root.origin) {
            return Err(Failure::Untrusted("the root log"));
        }
        let seen = |witness: &Verifier| Some((witness.name.clone(), cosigned_at(&root_note, witness)?));
        let witnessed = trust.witnesses.iter().filter_map(seen).collect();
        let pinned = match &trust.pinned {
            Some(Pinned { checkpoint: pinned, note }) => {
                if pinned.origin != checkpoint.origin {
                    return Err(Failure::Head("it is of another tree than the checkpoint that you pinned"));
                }
                if !keys.signed(note, &pinned.origin) {
                    return Err(Failure::Untrusted("the checkpoint that you pinned"));
                }
                Some(pinned)
            }
            None => None,
        };
        Ok(Self { checkpoint, root, witnessed, pinned })
    }

    /// The root of the tree on the way to the whole one, where it has the size of the pinned one.
    fn passes_pin(&self, tree: &Compact) -> Option<NodeHash> {
        self.pinned.filter(|pinned| pinned.size == tree.size()).map(|_| tree.root())
    }

    /// The size of the pinned tree, which this one has to extend.
    fn extends(&self, head: &Head, at_pin: Option<NodeHash>) -> Result<Option<u64>, Failure> {
        let Some(pinned) = self.pinned else { return Ok(None) };
        let forked = Failure::Forked { pinned: pinned.size, size: self.checkpoint.size };
        if pinned.size == self.checkpoint.size {
            return if pinned.root == self.checkpoint.root { Ok(Some(pinned.size)) } else { Err(forked) };
        }
        if let Some(root) = at_pin {
            return if pinned.root == root { Ok(Some(pinned.size)) } else { Err(forked) };
        }
        match &head.consistency {
            Some(shown) if shown.size == pinned.size => match tree::extends(pinned.head(), self.checkpoint.head(), &shown.proof) {
                true => Ok(Some(pinned.size)),
                false => Err(forked),
            },
            _ => Err(Failure::NoConsistency { pinned: pinned.size, size: self.checkpoint.size }),
        }
    }
}

/// The lines of a package.
struct Lines<R> {
    package: R,
    number: u64,
    text: String,
}

impl<R: BufRead> Lines<R> {
    /// Reads a line; false at the end of the file.
    fn read(&mut self) -> Result<bool, Failure> {
        self.text.clear();
        self.number += 1;
        match Read::by_ref(&mut self.package).take(LINE_BYTES_MAX).read_line(&mut self.text) {
            Ok(read) => Ok(read > 0),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Failure::Malformed { line: self.number, index: None }),
            Err(error) => Err(Failure::Unreadable(error)),
        }
    }

    /// The next line in the one form that it may have: what is read, written again, is the line.
    fn next<T: DeserializeOwned + Serialize>(&mut self, index: Option<u64>) -> Result<Option<T>, Failure> {
        if !self.read()? {
            return Ok(None);
        }
        let malformed = || Failure::Malformed { line: self.number, index };
        let line = self.text.strip_suffix('\n').ok_or_else(malformed)?;
        if line.ends_with('\r') {
            return Err(Failure::LineEnds { line: self.number });
        }
        let part: T = serde_json::from_str(line).map_err(|_| malformed())?;
        let written = serde_json::to_string(&part).map_err(|_| malformed())?;
        if written == line { Ok(Some(part)) } else { Err(malformed()) }
    }
}
