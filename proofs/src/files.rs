//! What `palmares verify` and `palmares-verify` do: the same, with the files that somebody was handed.

use crate::{
    Entry, LogKey, NodeHash, TlogProof, TrustedKeys,
    entry::BytesHash,
    evidence::{self, Failure, Pinned, Report, Trust},
    keys,
    note::Verifier,
    time,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, File},
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// By this the proof of one event is told from a package, whatever became of its line ends.
const PROOF: &[u8] = b"c2sp.org/tlog-proof@v1";

/// What is to be verified, and against what.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A package, or a proof of one event.
    pub file: PathBuf,
    /// Keys as `name+id+key`, or files of them.
    pub keys: Vec<String>,
    /// What keys said of the keys that came after them: notes, or the answer of `GET /audit-logs/keys`.
    pub introductions: Vec<PathBuf>,
    /// A checkpoint that was kept.
    pub pinned: Option<PathBuf>,
    /// What the one event is said to have as its payload.
    pub payload: Option<PathBuf>,
    pub witnesses: Vec<String>,
    /// Whether every event of a package has to be there with its text.
    pub whole: bool,
}

/// What a file proves.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    Package(Box<Report>),
    Event(Box<Event>),
}

/// One event that is in a log.
#[derive(Debug, Serialize)]
pub struct Event {
    pub origin: String,
    pub index: u64,
    pub tree_size: u64,
    pub position: i64,
    pub event_id: String,
    pub event_type: String,
    pub recorded_at: String,
    pub payload_sha256: String,
}

/// Why a file proves nothing, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproved {
    /// It was read, and what it is to prove is not so, or not shown.
    NotProved(String),
    /// What was given could not be read, or is not in the form of what it is said to be.
    NotUnderstood(String),
}

impl Unproved {
    /// With what a program ends that says so.
    pub fn exit_code(&self) -> u8 {
        match self {
            Unproved::NotProved(_) => 1,
            Unproved::NotUnderstood(_) => 2,
        }
    }
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Unproved::NotProved(why) | Unproved::NotUnderstood(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for Unproved {}

impl From<Failure> for Unproved {
    fn from(failure: Failure) -> Self {
        let why = failure.to_string();
        if failure.is_understood() { Unproved::NotProved(why) } else { Unproved::NotUnderstood(why) }
    }
}

/// What is said of a file that some program has converted, as editors and version control do: its bytes are others.
pub(crate) const CONVERTED: &str =
    "lines end in CR LF, and those of the log in LF alone: a program converted the file on its way, so take it as it was handed over";

fn not_proved<T>(why: &str) -> Result<T, Unproved> {
    Err(Unproved::NotProved(why.to_owned()))
}

fn not_understood(why: impl Into<String>) -> Unproved {
    Unproved::NotUnderstood(why.into())
}

/// What a text is not, or that it was converted.
fn malformed(text: &str, what: &str) -> Unproved {
    not_understood(if text.contains("\r\n") { CONVERTED } else { what })
}

/// Verifies a file.
///
/// # Errors
/// Why it proves nothing.
pub fn verify(asked: &Asked) -> Result<Verified, Unproved> {
    let trust = asked.trust()?;
    let unreadable = |error: io::Error| not_understood(format!("{}: {error}", asked.file.display()));
    let mut file = File::open(&asked.file).map_err(unreadable)?;
    let mut start = Vec::new();
    let read = Read::by_ref(&mut file).take(64).read_to_end(&mut start).and_then(|_| file.rewind());
    read.map_err(unreadable)?;
    if start.starts_with(PROOF) {
        if asked.whole {
            return Err(not_understood("a proof of one event has no text of it: compare what you have by its payload"));
        }
        let event = verify_proof(&text(&asked.file)?, &trust)?;
        if let Some(path) = &asked.payload {
            same_payload(path, &event)?;
        }
        return Ok(Verified::Event(Box::new(event)));
    }
    if asked.payload.is_some() {
        return Err(not_understood("a package has the payloads of its events in it"));
    }
    let report = evidence::verify(BufReader::new(file), &trust)?;
    if asked.whole && report.hidden > 0 {
        return not_proved(&format!("of {} of {} events the package shows hashes alone", report.hidden, report.count));
    }
    Ok(Verified::Package(Box::new(report)))
}

/// Verifies the proof of one event, whose leaf is the extra data.
fn verify_proof(text: &str, trust: &Trust) -> Result<Event, Unproved> {
    let proof = TlogProof::parse(text).ok_or_else(|| malformed(text, "not in the form of a proof"))?;
    let leaf = proof.extra.as_deref().ok_or_else(|| not_understood("the proof does not say of what"))?;
    let entry = Entry::from_leaf(leaf).ok_or_else(|| not_understood("the leaf is not that of an event"))?;
    let (checkpoint, note) = proof.head().ok_or_else(|| malformed(text, "the checkpoint of the proof is none"))?;
    if !proof.proves(NodeHash::of_leaf(leaf), &checkpoint) {
        return not_proved("the event is NOT in the tree of the checkpoint");
    }
    if !checkpoint.origin.ends_with(&format!("/{}", entry.organization_id)) {
        return not_proved("the checkpoint is of another tree than the event");
    }
    if !trust.keys.signed(&note, &checkpoint.origin) {
        return not_proved("no trusted key signed the checkpoint");
    }
    if trust.pinned.is_some() {
        return not_proved("a proof of one event does not show whether the log extends the one that you pinned");
    }
    Ok(Event {
        origin: checkpoint.origin,
        index: proof.index,
        tree_size: checkpoint.size,
        position: entry.position,
        event_id: entry.event_id.to_string(),
        event_type: entry.event_type,
        recorded_at: entry.recorded_at.to_string(),
        payload_sha256: entry.payload.to_string(),
    })
}

/// Whether a file is the payload that was recorded, but for the newline that editors put at an end.
fn same_payload(path: &Path, event: &Event) -> Result<(), Unproved> {
    let bytes = fs::read(path).map_err(|error| not_understood(format!("{}: {error}", path.display())))?;
    let bare = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let same = [&bytes, bare].into_iter().any(|bytes| BytesHash::of(bytes).to_string() == event.payload_sha256);
    if same { Ok(()) } else { not_proved(&format!("{} is NOT the payload of the event", path.display())) }
}

/// The introductions of a file, in their order.
fn introductions(path: &Path) -> Result<Vec<String>, Unproved> {
    #[derive(Deserialize)]
    struct Key {
        introduction: Option<String>,
    }
    #[derive(Deserialize)]
    struct Keys {
        items: Vec<Key>,
    }
    let text = text(path)?;
    let notes: Vec<_> = match serde_json::from_str::<Keys>(&text) {
        // The first key has none.
        Ok(keys) => keys.items.into_iter().filter_map(|key| key.introduction).collect(),
        Err(_) => keys::introductions(&text),
    };
    let none = || malformed(&text, &format!("{} has no introductions of keys, or more than these", path.display()));
    let listed = text.trim_start().starts_with('{');
    if notes.iter().any(|note| keys::introduced(note).is_none()) || notes.is_empty() && !listed { Err(none()) } else { Ok(notes) }
}

fn text(path: &Path) -> Result<String, Unproved> {
    fs::read_to_string(path).map_err(|error| not_understood(format!("{}: {error}", path.display())))
}

impl Asked {
    fn trust(&self) -> Result<Trust, Unproved> {
        let mut keys = Vec::new();
        for given in &self.keys {
            // A key has two pluses; a file of that name is called otherwise.
            let lines = if LogKey::parse(given).is_some() { given.clone() } else { text(Path::new(given))? };
            for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                keys.push(LogKey::parse(line).ok_or_else(|| not_understood(format!("`{line}` is no key: name+id+key")))?);
            }
        }
        if keys.is_empty() {
            return Err(not_understood("name the key that you trust: nobody else can say it"));
        }
        let witness = |given: &String| Verifier::parse(given).ok_or_else(|| not_understood(format!("`{given}` is no key of a witness")));
        let witnesses = self.witnesses.iter().map(witness).collect::<Result<_, _>>()?;
        let pinned = match &self.pinned {
            Some(path) => {
                let note = text(path)?;
                Some(Pinned::parse(&note).ok_or_else(|| malformed(&note, &format!("{} is no checkpoint", path.display())))?)
            }
            None => None,
        };
        let mut keys = TrustedKeys::new(keys);
        for path in &self.introductions {
            // What a key introduces that nobody trusts is nothing to rely on, and may stand there.
            introductions(path)?.iter().for_each(|introduction| {
                let _ = keys.introduce(introduction);
            });
        }
        Ok(Trust { keys, pinned, witnesses })
    }

    /// When the pinned checkpoint was kept, as far as its file tells.
    fn pinned_on(&self) -> Option<String> {
        let kept = fs::metadata(self.pinned.as_ref()?).and_then(|file| file.modified()).ok()?;
        let micros = i64::try_from(kept.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok()?;
        time::to_text(micros).split_once('T').map(|(day, _)| day.to_owned())
    }

    /// What was found, in sentences.
    pub fn sentences(&self, verified: &Verified) -> Vec<String> {
        match verified {
            Verified::Event(event) => vec![
                format!(
                    "the event {} ({}) is leaf {} of {} of {}",
                    event.event_id, event.event_type, event.index, event.tree_size, event.origin
                ),
                match &self.payload {
                    Some(path) => {
                        format!("recorded {} at position {}; {} is its payload", event.recorded_at, event.position, path.display())
                    }
                    None => format!(
                        "recorded {} at position {}; SHA-256 of its payload: {}",
                        event.recorded_at, event.position, event.payload_sha256
                    ),
                },
            ],
            Verified::Package(report) => self.of_package(report),
        }
    }

    fn of_package(&self, report: &Report) -> Vec<String> {
        let Report { organization_id, first, count, tree_size, root, .. } = report;
        let whole = match (report.from, report.to) {
            (Some(from), Some(to)) => format!(
                "whole: leaves {first} to {} of {tree_size} of organization {organization_id}, recorded {} to {}, and none is left out",
                first + count - 1,
                from.recorded_at,
                to.recorded_at
            ),
            _ => format!("whole: no event of organization {organization_id}, whose tree has {tree_size} leaves"),
        };
        let text = (report.count > 0).then(|| match report.hidden {
            0 => format!("of all {count} events the text is shown"),
            hidden => format!("of {} of {count} events the text is shown, and of {hidden} hashes alone", report.shown),
        });
        let later = (report.later > 0).then(|| format!("{} later leaves of the tree are not in the package", report.later));
        let signed = format!("signed by {}: root {root}, in its root log of {} entries", report.log, report.root_log_size);
        let extends = report.extends.map(|size| match self.pinned_on() {
            Some(day) => format!("the log extends the one of {size} leaves that you pinned on {day}"),
            None => format!("the log extends the one of {size} leaves that you pinned"),
        });
        let witnessed = report.witnessed.iter().map(|(name, seconds)| {
            format!("witnessed by {name} at {}", time::to_text(i64::try_from(*seconds).unwrap_or(0).saturating_mul(1_000_000)))
        });
        [whole].into_iter().chain(text).chain(later).chain([signed]).chain(extends).chain(witnessed).collect()
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
