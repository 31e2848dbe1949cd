//! The keys of a log: which are trusted, and how one introduces the next.

use crate::note::{self, Algorithm, Note, Sign, Verifier};
use std::fmt;

/// The second line of an introduction.
const INTRODUCES: &str = "introduces";

/// A public key of a log. It signs each tree of the log under the tree's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    /// The name of the log, with which the origins of its trees begin.
    pub log: String,
    pub public: [u8; 32],
}

impl LogKey {
    /// Reads `name+id+key`, the form in which Go's `sumdb` writes keys.
    pub fn parse(text: &str) -> Option<Self> {
        let verifier = Verifier::parse(text.trim())?;
        (verifier.algorithm == Algorithm::Ed25519).then_some(Self { log: verifier.name, public: verifier.public })
    }

    /// What verifies the notes of one tree.
    pub fn verifier(&self, origin: &str) -> Option<Verifier> {
        let of_log = origin.strip_prefix(&self.log).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        of_log.then(|| Verifier { name: origin.to_owned(), algorithm: Algorithm::Ed25519, public: self.public })
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Verifier { name: self.log.clone(), algorithm: Algorithm::Ed25519, public: self.public }.fmt(f)
    }
}

/// The origin of the tree of an organization.
pub fn origin_of(log: &str, organization: impl fmt::Display) -> String {
    format!("{log}/{organization}")
}

/// The origin of the tree whose leaves are the checkpoints of the others.
pub fn root_origin(log: &str) -> String {
    format!("{log}/root")
}

fn introduction_origin(log: &str) -> String {
    format!("{log}/keys")
}

/// What the key in use says of the one that comes after it: a note that both sign.
pub fn introduce(log: &str, current: &dyn Sign, next: &dyn Sign) -> String {
    let origin = introduction_origin(log);
    let key = LogKey { log: log.to_owned(), public: next.public() };
    note::sign(&format!("{origin}\n{INTRODUCES}\n{key}\n"), &origin, &[current, next])
}

/// The key that an introduction is about.
pub fn introduced(introduction: &str) -> Option<(LogKey, Note)> {
    let note = Note::parse(introduction)?;
    let mut lines = note.text.strip_suffix('\n')?.split('\n');
    let (origin, verb, key) = (lines.next()?, lines.next()?, LogKey::parse(lines.next()?)?);
    let well = origin == introduction_origin(&key.log) && verb == INTRODUCES && lines.next().is_none();
    let signs_itself = note.is_signed_by(&key.verifier(origin)?);
    (well && signs_itself).then_some((key, note))
}

/// The notes of a text that has one introduction behind the other.
pub fn introductions(text: &str) -> Vec<String> {
    let lines: Vec<_> = text.lines().collect();
    let first: Vec<_> = (1..lines.len()).filter(|at| lines[*at] == INTRODUCES).map(|at| at - 1).collect();
    let ends = first.iter().skip(1).copied().chain([lines.len()]);
    // Behind the last line of a note there may be empty ones.
    first.iter().zip(ends).map(|(from, to)| format!("{}\n", lines[*from..to].join("\n").trim_end())).collect()
}

/// The keys that somebody trusts, and those that these introduce.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(Vec<LogKey>);

impl TrustedKeys {
    pub fn new(keys: impl IntoIterator<Item = LogKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, public: &[u8; 32]) -> bool {
        self.0.iter().any(|key| key.public == *public)
    }

    /// Trusts the key of an introduction too, where a trusted key signed it.
    #[must_use]
    pub fn introduce(&mut self, introduction: &str) -> bool {
        let Some((key, note)) = introduced(introduction) else { return false };
        let origin = introduction_origin(&key.log);
        if !self.signed(&note, &origin) {
            return false;
        }
        if !self.0.contains(&key) {
            self.0.push(key);
        }
        true
    }

    /// Whether one of the keys signed a note of this origin.
    pub fn signed(&self, note: &Note, origin: &str) -> bool {
        self.0.iter().filter_map(|key| key.verifier(origin)).any(|verifier| note.is_signed_by(&verifier))
    }
}
