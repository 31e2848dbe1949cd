//! Open holds, and what becomes of them.

use super::aggregate::{Account, Decision, Setting};
use super::history::Record;
use super::lots::merge;
use super::{AccountError, AccountEvent, HoldPlaced, HoldPosted, HoldTimedOut, HoldVoided, PlaceHold, PostHold, TimeOutHold, VoidHold};
use crate::kernel::TransactionId;
use crate::points::{AccountKey, LedgerAccount, LotChange, LotId, Posting};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A hold that is neither posted nor released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenHold {
    /// Points reserved. What the lots do not cover is reserved on overdraft.
    pub amount: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The points of each lot, in the order in which they were chosen.
    pub lots: Vec<(LotId, i64)>,
}

impl OpenHold {
    fn release(&self) -> Vec<LotChange> {
        self.lots.iter().map(|&(lot, part)| LotChange { lot, amount: 0, held: -part, terms: None }).collect()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Holds {
    open: BTreeMap<TransactionId, OpenHold>,
    /// The open holds that time out, in the order in which they do.
    timeouts: BTreeSet<(DateTime<Utc>, TransactionId)>,
    /// The points of all open holds.
    total: i64,
}

impl Holds {
    pub(super) fn open(&self) -> &BTreeMap<TransactionId, OpenHold> {
        &self.open
    }

    pub(super) fn total(&self) -> i64 {
        self.total
    }

    pub(super) fn next_timeout(&self) -> Option<DateTime<Utc>> {
        self.timeouts.first().map(|(at, _)| *at)
    }

    pub(super) fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = TransactionId> {
        self.timeouts.iter().take_while(move |(at, _)| *at <= now).map(|(_, id)| *id)
    }

    pub(super) fn place(&mut self, id: TransactionId, hold: OpenHold) {
        self.total += hold.amount;
        self.timeouts.extend(hold.expires_at.map(|at| (at, id)));
        self.open.insert(id, hold);
    }

    pub(super) fn close(&mut self, id: TransactionId) {
        if let Some(hold) = self.open.remove(&id) {
            self.total -= hold.amount;
            if let Some(at) = hold.expires_at {
                self.timeouts.remove(&(at, id));
            }
        }
    }
}

impl Account {
    pub(super) fn place_hold(&self, setting: &Setting, command: &PlaceHold) -> Decision {
        setting.check_amount(command.amount)?;
        setting.check_future(command.expires_at)?;
        self.check_new(command.hold_id)?;
        self.check_spendable(setting, command.amount)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            HoldPlaced {
                program_id,
                user_id,
                team_id,
                transaction_id: command.hold_id,
                amount: command.amount,
                source_id: command.source_id.clone(),
                expires_at: command.expires_at,
                reason: command.reason.clone(),
                lots: self.lots.reserve(command.amount),
                postings: Vec::new(),
            }
            .into(),
        ])
    }

    pub(super) fn post_hold(&self, setting: &Setting, command: &PostHold) -> Decision {
        let hold = self.open_hold(command.hold_id)?;
        let amount = command.amount.unwrap_or(hold.amount);
        setting.check_amount(amount)?;
        if amount > hold.amount {
            return Err(AccountError::ExceedsHold { held: hold.amount });
        }
        self.check_not_frozen()?;
        let (mut lots, mut left) = (Vec::new(), amount);
        for &(lot, part) in &hold.lots {
            let spent = part.min(left);
            left -= spent;
            lots.push(LotChange { lot, amount: -spent, held: -part, terms: None });
        }
        // What was reserved on overdraft takes lots that have come free since.
        for change in self.lots.spend(left, |_| true) {
            merge(&mut lots, change);
        }
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            HoldPosted {
                program_id,
                user_id,
                team_id,
                transaction_id: command.hold_id,
                amount,
                released: hold.amount - amount,
                lots,
                postings: Posting::movement(setting.member(), LedgerAccount::Redemption, amount),
            }
            .into(),
        ])
    }

    pub(super) fn void_hold(&self, setting: &Setting, command: &VoidHold) -> Decision {
        let hold = self.open_hold(command.hold_id)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            HoldVoided {
                program_id,
                user_id,
                team_id,
                transaction_id: command.hold_id,
                amount: hold.amount,
                reason: command.reason.clone(),
                lots: hold.release(),
                postings: Vec::new(),
            }
            .into(),
        ])
    }

    /// A hold that is due was recorded before this is asked, so one that is open is not due.
    pub(super) fn time_out_hold(&self, command: &TimeOutHold) -> Decision {
        match self.open_hold(command.hold_id) {
            Ok(_) => Err(AccountError::HoldNotDue),
            Err(AccountError::AlreadyPosted | AccountError::HoldReleased) => Ok(Vec::new()),
            Err(unknown) => Err(unknown),
        }
    }

    pub(super) fn hold_timed_out(&self, setting: &Setting, id: TransactionId) -> Option<AccountEvent> {
        let hold = self.holds.open.get(&id)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        let (amount, lots, postings) = (hold.amount, hold.release(), Vec::new());
        Some(HoldTimedOut { program_id, user_id, team_id, transaction_id: id, amount, lots, postings }.into())
    }

    fn open_hold(&self, id: TransactionId) -> Result<&OpenHold, AccountError> {
        self.holds.open.get(&id).ok_or_else(|| match self.history.get(id) {
            Some(Record::Spending(spending)) if spending.was_held => AccountError::AlreadyPosted,
            Some(Record::HoldReleased) => AccountError::HoldReleased,
            _ => AccountError::UnknownHold,
        })
    }
}
