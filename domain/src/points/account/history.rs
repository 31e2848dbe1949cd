//! Closed transactions: what may still be reversed, and the answer to whoever asks again.

use super::lots::Lots;
use crate::kernel::{RuleId, TransactionId};
use crate::points::{LotChange, LotId, LotTerms};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many closed transactions an account remembers.
///
/// About 100 bytes each and 120 for each lot that one was spent from; lots in turn are opened by
/// transactions, so the state stays bounded.
pub const HISTORY_MAX_TRANSACTIONS: usize = 1_000;

/// A rule and a day of which the credits are settled together.
pub(super) type EarnedFor = (RuleId, NaiveDate);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// Resolved.
    Credit(CreditRecord),
    CreditVoided,
    /// A debit or a posted hold.
    Spending(SpendingRecord),
    /// Voided or timed out.
    HoldReleased,
    /// A reversal or half of a transfer: neither can be reversed.
    Final,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CreditRecord {
    pub amount: i64,
    /// What reversals asked back, whether they could take it or recorded a shortfall.
    pub reversed: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earned_for: Option<EarnedFor>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SpendingRecord {
    pub was_held: bool,
    /// What is not given back yet.
    pub left: i64,
    /// The lots that `left` was spent from, in the order in which they were; what they do not cover
    /// was spent on overdraft.
    pub lots: Vec<SpentLot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SpentLot {
    pub lot: LotId,
    pub amount: i64,
    #[serde(flatten)]
    pub terms: LotTerms,
}

impl SpendingRecord {
    /// What `changes` take from `lots`, as it is before they are applied.
    pub(super) fn new(was_held: bool, amount: i64, lots: &Lots, changes: &[LotChange]) -> Self {
        let spent = |change: &LotChange| {
            let lot = lots.find(change.lot).filter(|_| change.amount < 0)?;
            Some(SpentLot { lot: lot.id, amount: -change.amount, terms: lot.terms })
        };
        Self { was_held, left: amount, lots: changes.iter().filter_map(spent).collect() }
    }

    /// Gives `amount` back in the opposite order of spending: first what was spent on overdraft,
    /// then the lots from the last to the first. Returns the overdraft's part and the lots'.
    pub(super) fn give_back(&mut self, amount: i64) -> (i64, Vec<SpentLot>) {
        let uncovered = self.left - self.lots.iter().map(|lot| lot.amount).sum::<i64>();
        let on_overdraft = amount.min(uncovered);
        self.left -= amount;
        let (mut left, mut restored) = (amount - on_overdraft, Vec::new());
        while left > 0 {
            let Some(last) = self.lots.last_mut() else { break };
            let part = left.min(last.amount);
            restored.push(SpentLot { amount: part, ..*last });
            last.amount -= part;
            left -= part;
            if last.amount == 0 {
                self.lots.pop();
            }
        }
        (on_overdraft, restored)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    records: BTreeMap<TransactionId, Record>,
    /// In the order in which they closed.
    order: VecDeque<TransactionId>,
}

impl History {
    pub(super) fn get(&self, id: TransactionId) -> Option<&Record> {
        self.records.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: TransactionId) -> Option<&mut Record> {
        self.records.get_mut(&id)
    }

    pub(super) fn close(&mut self, id: TransactionId, record: Record) {
        if self.records.insert(id, record).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > HISTORY_MAX_TRANSACTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.records.remove(&oldest);
        }
    }

    /// Whether the lot was opened by a credit that was settled for this rule and day.
    pub(super) fn opened_for(&self, lot: LotId, earned_for: EarnedFor) -> bool {
        matches!(self.get(TransactionId(lot.0)), Some(Record::Credit(credit)) if credit.earned_for == Some(earned_for))
    }

    /// Counts points that a lower day's total took back as reversals of the day's credits.
    pub(super) fn reverse_earned(&mut self, earned_for: EarnedFor, amount: i64) {
        let mut left = amount;
        for record in self.records.values_mut() {
            if let Record::Credit(credit) = record
                && credit.earned_for == Some(earned_for)
            {
                let part = left.min(credit.amount - credit.reversed);
                credit.reversed += part;
                left -= part;
            }
        }
    }
}
