//! Reads the whole log again, and says where it is not the one that was signed.

use super::{
    Beside, Outside, SealError, beside, entry, hashes, number, positions,
    session::{Session, known},
    statements::{AUDIT_CHECKPOINTS, AUDIT_TILE, READ, SIZES},
};
use crate::engine::{log::Log, timetable::Timetables};
use palmares_proofs::{NodeHash, compact::Compact, keys, tiles::WIDTH};
use serde::Serialize;
use sqlx::{Postgres, Row, Transaction};
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

const PAGE: i64 = 4_096;

/// What is wrong with a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// Its row is not there.
    Removed,
    /// Its row says something else.
    Changed,
    /// A row that the tree does not know.
    Added,
    /// The tree was changed together with the log: it is not the one that was signed.
    Forged,
}

/// The first place where an organization's log is not the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub organization_id: Uuid,
    /// The number of the leaf. With `Forged`, the first that may be meant.
    pub index: u64,
    /// Its place in the log, or where it should be.
    pub position: i64,
    pub wrong: Wrong,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// The log was read up to here, which is how far it was sealed.
    pub position: i64,
    pub leaves: u64,
    pub organizations: u64,
    /// The first place for each organization.
    pub findings: Vec<Finding>,
    /// What stands beside the log and does not fit it.
    pub beside: Vec<Beside>,
}

impl Audit {
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty() && self.beside.is_empty()
    }
}

/// An organization's tree as it is read again.
#[derive(Default)]
struct Reading {
    compact: Compact,
    /// The tile of the next leaf, as it was kept.
    hashes: Vec<NodeHash>,
    positions: Vec<i64>,
    /// The heads that were signed in this tile, the smallest first.
    signed: VecDeque<(u64, NodeHash)>,
    /// The size that was signed last and found to be right.
    proved: u64,
    wrong: bool,
}

/// Reads the log up to where it is sealed, and compares it with the trees and with what was signed, and what stands
/// beside it with what it says.
///
/// # Errors
/// A database that does not answer, and trees that contradict what was signed as a whole.
pub async fn audit(log: &Log, outside: &Outside, timetables: &Timetables) -> Result<Audit, SealError> {
    let (session, tx) = Session::at_one_moment(log.pool(), outside).await?;
    let mut auditor = Auditor { tx, session, readings: BTreeMap::new(), findings: Vec::new(), leaves: 0 };
    let (mut after, end) = (0, auditor.session.position);
    while after < end {
        let until = (after + PAGE).min(end);
        for row in sqlx::query(READ).persistent(false).bind(after).bind(until).fetch_all(&mut *auditor.tx).await? {
            let (organization, entry) = entry(&row)?;
            auditor.row(organization, entry.position, entry.hash()).await?;
        }
        after = until;
    }
    auditor.end(timetables).await
}

struct Auditor {
    tx: Transaction<'static, Postgres>,
    session: Session,
    readings: BTreeMap<Uuid, Reading>,
    findings: Vec<Finding>,
    leaves: u64,
}

impl Auditor {
    async fn row(&mut self, organization: Uuid, position: i64, leaf: NodeHash) -> Result<(), SealError> {
        self.leaves += 1;
        let mut reading = self.readings.remove(&organization).unwrap_or_default();
        if !reading.wrong {
            self.turn(organization, &mut reading).await?;
            let (index, at) = (reading.compact.size(), (reading.compact.size() % WIDTH as u64) as usize);
            let wrong = match (reading.positions.get(at), reading.hashes.get(at)) {
                (Some(expected), Some(_)) if *expected < position => Some((Wrong::Removed, *expected)),
                (Some(expected), Some(hash)) if *expected == position && *hash == leaf => None,
                (Some(expected), Some(_)) if *expected == position => Some((Wrong::Changed, position)),
                _ => Some((Wrong::Added, position)),
            };
            match wrong {
                Some((wrong, position)) => self.found(organization, &mut reading, index, position, wrong),
                None => {
                    reading.compact.append(leaf);
                    self.compare(organization, &mut reading, position);
                }
            }
        }
        self.readings.insert(organization, reading);
        Ok(())
    }

    /// Reads the next tile, where the leaves of the last one are through.
    async fn turn(&mut self, organization: Uuid, reading: &mut Reading) -> Result<(), SealError> {
        let size = reading.compact.size();
        if !size.is_multiple_of(WIDTH as u64) || (size > 0 && reading.positions.is_empty()) {
            return Ok(());
        }
        let tile = sqlx::query(AUDIT_TILE).bind(organization).bind((size / WIDTH as u64) as i64).fetch_optional(&mut *self.tx).await?;
        (reading.hashes, reading.positions) = match tile {
            Some(row) => (hashes(row.try_get(0)?)?, positions(row.try_get(1)?)),
            None => (Vec::new(), Vec::new()),
        };
        let notes: Vec<String> = sqlx::query_scalar(AUDIT_CHECKPOINTS)
            .bind(organization)
            .bind(size as i64)
            .bind((size + WIDTH as u64) as i64)
            .fetch_all(&mut *self.tx)
            .await?;
        for note in notes {
            let checkpoint = known(&note, &self.session.keys, &keys::origin_of(&self.session.log, organization))?;
            reading.signed.push_back(checkpoint.head());
        }
        Ok(())
    }

    /// Whether the leaves until here are those that were signed, where something was signed here.
    fn compare(&mut self, organization: Uuid, reading: &mut Reading, position: i64) {
        let size = reading.compact.size();
        while let Some((signed, root)) = reading.signed.front().copied().filter(|(signed, _)| *signed <= size) {
            reading.signed.pop_front();
            if signed == size && root == reading.compact.root() {
                reading.proved = size;
            } else {
                let first = reading.proved;
                return self.found(organization, reading, first, position, Wrong::Forged);
            }
        }
    }

    fn found(&mut self, organization_id: Uuid, reading: &mut Reading, index: u64, position: i64, wrong: Wrong) {
        reading.wrong = true;
        self.findings.push(Finding { organization_id, index, position, wrong });
    }

    /// What is missing at the ends.
    async fn end(mut self, timetables: &Timetables) -> Result<Audit, SealError> {
        let sizes: Vec<(Uuid, i64)> = sqlx::query_as(SIZES).fetch_all(&mut *self.tx).await?;
        let organizations = sizes.len() as u64;
        for (organization, size) in sizes {
            let size: u64 = number(size)?;
            let mut reading = self.readings.remove(&organization).unwrap_or_default();
            if reading.wrong || reading.compact.size() >= size {
                continue;
            }
            self.turn(organization, &mut reading).await?;
            let index = reading.compact.size();
            let position = reading.positions.get((index % WIDTH as u64) as usize).copied().unwrap_or(0);
            self.found(organization, &mut reading, index, position, Wrong::Removed);
        }
        self.findings.sort_by_key(|finding| finding.position);
        let Self { mut tx, session, findings, leaves, .. } = self;
        let beside = beside::look(&mut tx, &session, timetables).await?;
        Ok(Audit { position: session.position, leaves, organizations, findings, beside })
    }
}
