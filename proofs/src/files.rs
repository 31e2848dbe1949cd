//! What `palmares verify` and `palmares-verify` do: the same, with the files that somebody was handed.

use crate::{
    Entry, LogKey, NodeHash, TlogProof, TrustedKeys,
    entry::BytesHash,
    evidence::{self, Pinned, Report, Trust},
    note::Verifier,
    time,
};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{BufReader, Read, Seek},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// What is to be verified, and against what.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A package, or a proof of one event.
    pub file: PathBuf,
    /// Keys as `name+id+key`, or files of them.
    pub keys: Vec<String>,
    /// A checkpoint that was kept.
    pub pinned: Option<PathBuf>,
    /// What the one event is said to have as its payload.
    pub payload: Option<PathBuf>,
    pub witnesses: Vec<String>,
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

/// Verifies a file.
///
/// # Errors
/// Why it proves nothing, as a sentence.
pub fn verify(asked: &Asked) -> Result<Verified, String> {
    let trust = asked.trust()?;
    let mut file = File::open(&asked.file).map_err(|error| format!("{}: {error}", asked.file.display()))?;
    let mut start = Vec::new();
    let read = Read::by_ref(&mut file).take(64).read_to_end(&mut start).and_then(|_| file.rewind());
    read.map_err(|error| format!("{}: {error}", asked.file.display()))?;
    if start.starts_with(b"c2sp.org/tlog-proof@v1\n") {
        let event = verify_proof(&text(&asked.file)?, &trust)?;
        if let Some(path) = &asked.payload {
            same_payload(path, &event)?;
        }
        return Ok(Verified::Event(Box::new(event)));
    }
    if asked.payload.is_some() {
        return Err("a package has the payloads of its events in it".to_owned());
    }
    let report = evidence::verify(BufReader::new(file), &trust).map_err(|failure| failure.to_string())?;
    Ok(Verified::Package(Box::new(report)))
}

/// Verifies the proof of one event, whose leaf is the extra data.
fn verify_proof(proof: &str, trust: &Trust) -> Result<Event, String> {
    let proof = TlogProof::parse(proof).ok_or("not in the form of a proof")?;
    let leaf = proof.extra.as_deref().ok_or("the proof does not say of what")?;
    let entry = Entry::from_leaf(leaf).ok_or("the leaf is not that of an event")?;
    let (checkpoint, note) = proof.prove(NodeHash::of_leaf(leaf)).ok_or("the event is NOT in the tree of the checkpoint")?;
    if !checkpoint.origin.ends_with(&format!("/{}", entry.organization_id)) {
        return Err("the checkpoint is of another tree than the event".to_owned());
    }
    if !trust.keys.signed(&note, &checkpoint.origin) {
        return Err("no trusted key signed the checkpoint".to_owned());
    }
    if trust.pinned.is_some() {
        return Err("a proof of one event does not show whether the log extends the one that you pinned".to_owned());
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
fn same_payload(path: &Path, event: &Event) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let bare = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let same = [&bytes, bare].into_iter().any(|bytes| BytesHash::of(bytes).to_string() == event.payload_sha256);
    same.then_some(()).ok_or_else(|| format!("{} is NOT the payload of the event", path.display()))
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Asked {
    fn trust(&self) -> Result<Trust, String> {
        let mut keys = Vec::new();
        for given in &self.keys {
            // A key has two pluses; a file of that name is called otherwise.
            let lines = if LogKey::parse(given).is_some() { given.clone() } else { text(Path::new(given))? };
            for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                keys.push(LogKey::parse(line).ok_or_else(|| format!("`{line}` is no key: name+id+key"))?);
            }
        }
        if keys.is_empty() {
            return Err("name the key that you trust: nobody else can say it".to_owned());
        }
        let witnesses =
            self.witnesses.iter().map(|given| Verifier::parse(given).ok_or_else(|| format!("`{given}` is no key of a witness")));
        let witnesses = witnesses.collect::<Result<_, _>>()?;
        let pinned = match &self.pinned {
            Some(path) => Some(Pinned::parse(&text(path)?).ok_or_else(|| format!("{} is no checkpoint", path.display()))?),
            None => None,
        };
        Ok(Trust { keys: TrustedKeys::new(keys), pinned, witnesses })
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
        let signed = format!("signed by {}: root {root}, in its root log of {} entries", report.log, report.root_log_size);
        let extends = report.extends.map(|size| match self.pinned_on() {
            Some(day) => format!("the log extends the one of {size} leaves that you pinned on {day}"),
            None => format!("the log extends the one of {size} leaves that you pinned"),
        });
        let witnessed = report.witnessed.iter().map(|(name, seconds)| {
            format!("witnessed by {name} at {}", time::to_text(i64::try_from(*seconds).unwrap_or(0).saturating_mul(1_000_000)))
        });
        [whole, signed].into_iter().chain(extends).chain(witnessed).collect()
    }
}
