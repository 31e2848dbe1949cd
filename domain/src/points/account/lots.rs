//! The open lots of an account, in the order in which they are spent.

use crate::points::{LotChange, LotId, LotTerms};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An open lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    pub id: LotId,
    #[serde(flatten)]
    pub terms: LotTerms,
    /// Points that are still in it, reserved ones included.
    pub remaining: i64,
    /// Points of it that open holds reserve.
    pub held: i64,
}

impl Lot {
    /// Points that can be spent, and that expire.
    pub fn free(&self) -> i64 {
        self.remaining - self.held
    }

    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.terms.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// Earliest expiry first, never last; then oldest first.
fn turn(terms: LotTerms) -> (bool, Option<DateTime<Utc>>, u32) {
    (terms.expires_at.is_none(), terms.expires_at, terms.number)
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lots {
    /// In turn.
    open: Vec<Lot>,
    /// The sum of what remains in them.
    total: i64,
    /// How many were ever opened.
    opened: u32,
}

impl Lots {
    pub(super) fn open(&self) -> &[Lot] {
        &self.open
    }

    pub(super) fn total(&self) -> i64 {
        self.total
    }

    /// The terms of the next lot but `index`.
    pub(super) fn next_terms(&self, index: u32, expires_at: Option<DateTime<Utc>>) -> LotTerms {
        LotTerms { number: self.opened + 1 + index, expires_at }
    }

    pub(super) fn find(&self, id: LotId) -> Option<&Lot> {
        self.open.iter().find(|lot| lot.id == id)
    }

    /// The lots past their expiry; reserved points of theirs do not expire.
    pub(super) fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Lot> {
        self.open.iter().take_while(move |lot| lot.is_due(now))
    }

    /// The next expiry of points that are free.
    pub(super) fn next_expiry(&self) -> Option<DateTime<Utc>> {
        self.open.iter().find(|lot| lot.free() > 0)?.terms.expires_at
    }

    /// Free points of up to `amount`, those of `preferred` lots before the others, each in turn.
    fn choose(&self, amount: i64, preferred: impl Fn(&Lot) -> bool) -> Vec<(LotId, i64)> {
        let (mut left, mut chosen) = (amount, Vec::new());
        for preference in [true, false] {
            for lot in &self.open {
                if left == 0 {
                    return chosen;
                }
                if lot.free() > 0 && preferred(lot) == preference {
                    let part = left.min(lot.free());
                    chosen.push((lot.id, part));
                    left -= part;
                }
            }
        }
        chosen
    }

    /// Spends up to `amount` free points; what no lot covers is the overdraft's.
    pub(super) fn spend(&self, amount: i64, preferred: impl Fn(&Lot) -> bool) -> Vec<LotChange> {
        let chosen = self.choose(amount, preferred).into_iter();
        chosen.map(|(lot, part)| LotChange { lot, amount: -part, held: 0, terms: None }).collect()
    }

    /// Reserves up to `amount` free points.
    pub(super) fn reserve(&self, amount: i64) -> Vec<LotChange> {
        self.choose(amount, |_| true).into_iter().map(|(lot, part)| LotChange { lot, amount: 0, held: part, terms: None }).collect()
    }

    pub(super) fn apply(&mut self, change: &LotChange) {
        self.total += change.amount;
        let index = match (self.open.iter().position(|lot| lot.id == change.lot), change.terms) {
            (Some(index), _) => index,
            (None, Some(terms)) => {
                self.opened = self.opened.max(terms.number);
                let index = self.open.partition_point(|lot| turn(lot.terms) < turn(terms));
                self.open.insert(index, Lot { id: change.lot, terms, remaining: 0, held: 0 });
                index
            }
            // No decision takes from a lot that is not open.
            (None, None) => return,
        };
        let lot = &mut self.open[index];
        lot.remaining += change.amount;
        lot.held += change.held;
        if lot.remaining == 0 {
            self.open.remove(index);
        }
    }
}

/// Adds `change` to `changes`, one entry for each lot.
pub(super) fn merge(changes: &mut Vec<LotChange>, change: LotChange) {
    match changes.iter_mut().find(|other| other.lot == change.lot) {
        Some(other) => {
            other.amount += change.amount;
            other.held += change.held;
        }
        None => changes.push(change),
    }
}
