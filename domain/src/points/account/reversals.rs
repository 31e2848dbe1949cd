//! Reversals: a transaction of their own that names its original and never exceeds it (T-31).

use super::aggregate::{Account, Decision, Setting};
use super::history::{CreditRecord, Record, SpendingRecord};
use super::lots::Lot;
use super::{AccountError, AccountEvent, CreditReversed, Reverse, SettleEarning, SpendingReversed};
use crate::points::{AccountKey, LedgerAccount, LotChange, LotId, Posting};

impl Account {
    pub(super) fn reverse(&self, setting: &Setting, command: &Reverse) -> Decision {
        self.check_new(command.transaction_id)?;
        let original = command.original_id;
        match self.history.get(original) {
            Some(Record::Credit(credit)) => self.reverse_credit(setting, command, credit),
            Some(Record::Spending(spending)) => self.reverse_spending(setting, command, spending),
            Some(_) => Err(AccountError::NotReversible),
            None if self.pending.get(original).is_some() => Err(AccountError::CreditPending),
            None if self.holds.open().contains_key(&original) => Err(AccountError::HoldOpen),
            None => Err(AccountError::UnknownTransaction),
        }
    }

    fn reverse_credit(&self, setting: &Setting, command: &Reverse, credit: &CreditRecord) -> Decision {
        let asked = reversible(setting, command, credit.amount - credit.reversed)?;
        let own_lot = LotId::of(command.original_id, 0);
        let taken = self.take_back(setting, asked, |lot| lot.id == own_lot);
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            CreditReversed {
                program_id,
                user_id,
                team_id,
                transaction_id: command.transaction_id,
                original_id: Some(command.original_id),
                amount: taken.amount,
                shortfall: asked - taken.amount,
                rule_id: credit.earned_for.map(|(rule, _)| rule),
                rule_version: None,
                earned_on: credit.earned_for.map(|(_, day)| day),
                target: None,
                source_id: None,
                reason: command.reason.clone(),
                lots: taken.lots,
                postings: taken.postings,
            }
            .into(),
        ])
    }

    /// What a lower day's total takes back, from the lots of the day's own credits first.
    pub(super) fn earning_reversed(&self, setting: &Setting, command: &SettleEarning, asked: i64) -> AccountEvent {
        let earned_for = (command.rule.rule_id, command.day);
        let taken = self.take_back(setting, asked, |lot| self.history.opened_for(lot.id, earned_for));
        let AccountKey { program_id, user_id, team_id } = setting.account;
        CreditReversed {
            program_id,
            user_id,
            team_id,
            transaction_id: command.transaction_id,
            original_id: None,
            amount: taken.amount,
            shortfall: asked - taken.amount,
            rule_id: Some(command.rule.rule_id),
            rule_version: Some(command.rule.rule_version),
            earned_on: Some(command.day),
            target: Some(command.target),
            source_id: command.source_id.clone(),
            reason: None,
            lots: taken.lots,
            postings: taken.postings,
        }
        .into()
    }

    fn take_back(&self, setting: &Setting, asked: i64, preferred: impl Fn(&Lot) -> bool) -> Taken {
        let amount = asked.min(self.above_floor(setting));
        Taken {
            amount,
            lots: self.lots.spend(amount, preferred),
            postings: Posting::movement(setting.member(), LedgerAccount::Issuance, amount),
        }
    }

    fn reverse_spending(&self, setting: &Setting, command: &Reverse, spending: &SpendingRecord) -> Decision {
        let amount = reversible(setting, command, spending.left)?;
        self.check_room(amount)?;
        let (on_overdraft, restored) = spending.clone().give_back(amount);
        let mut lots: Vec<LotChange> = restored
            .into_iter()
            .map(|spent| LotChange { lot: spent.lot, amount: spent.amount, held: 0, terms: Some(spent.terms) })
            .collect();
        // Overdraft that still stands shrinks by itself; what has been paid back since opens a lot.
        let paid_back = on_overdraft - on_overdraft.min(self.overdrawn());
        if paid_back > 0 {
            setting.check_future(command.expires_at)?;
            let (lot, terms) = (LotId::of(command.transaction_id, 0), self.lots.next_terms(0, command.expires_at));
            lots.push(LotChange { lot, amount: paid_back, held: 0, terms: Some(terms) });
        }
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            SpendingReversed {
                program_id,
                user_id,
                team_id,
                transaction_id: command.transaction_id,
                original_id: command.original_id,
                amount,
                reason: command.reason.clone(),
                lots,
                postings: Posting::movement(LedgerAccount::Redemption, setting.member(), amount),
            }
            .into(),
        ])
    }
}

struct Taken {
    amount: i64,
    lots: Vec<LotChange>,
    postings: Vec<Posting>,
}

/// The points that the command asks to reverse, of those that are left.
fn reversible(setting: &Setting, command: &Reverse, left: i64) -> Result<i64, AccountError> {
    let amount = command.amount.unwrap_or(left);
    if left == 0 {
        return Err(AccountError::AlreadyReversed);
    }
    setting.check_amount(amount)?;
    if amount > left { Err(AccountError::ExceedsOriginal { left }) } else { Ok(amount) }
}
