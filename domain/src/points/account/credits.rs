//! Credits: `PENDING` → `RESOLVED` or `VOIDED`, once (W-32, W-33, B.3).

use super::aggregate::{Account, Decision, Setting};
use super::history::{EarnedFor, Record};
use super::{AccountError, AccountEvent, Credit, CreditAccepted, CreditResolved, CreditVoided, ResolveCredit, VoidCredit};
use crate::kernel::{RuleId, TransactionId};
use crate::points::{AccountKey, BALANCE_MAX_POINTS, LedgerAccount, LotChange, LotId, Posting};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PendingCredit {
    pub amount: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<RuleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earned_on: Option<NaiveDate>,
    /// Whether a day's total made it, so that the day counts it.
    pub settles: bool,
}

impl PendingCredit {
    pub(super) fn earned_for(&self) -> Option<EarnedFor> {
        self.rule_id.zip(self.earned_on).filter(|_| self.settles)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    credits: BTreeMap<TransactionId, PendingCredit>,
    total: i64,
}

impl Pending {
    pub(super) fn get(&self, id: TransactionId) -> Option<&PendingCredit> {
        self.credits.get(&id)
    }

    pub(super) fn total(&self) -> i64 {
        self.total
    }

    /// The pending credits of a rule and day.
    pub(super) fn of(&self, earned_for: EarnedFor) -> impl Iterator<Item = (&TransactionId, &PendingCredit)> {
        self.credits.iter().filter(move |(_, credit)| credit.earned_for() == Some(earned_for))
    }

    pub(super) fn accept(&mut self, id: TransactionId, credit: PendingCredit) {
        self.total += credit.amount;
        self.credits.insert(id, credit);
    }

    pub(super) fn close(&mut self, id: TransactionId) -> Option<PendingCredit> {
        let credit = self.credits.remove(&id)?;
        self.total -= credit.amount;
        Some(credit)
    }
}

impl Account {
    pub(super) fn credit(&self, setting: &Setting, command: &Credit) -> Decision {
        self.check_new(command.transaction_id)?;
        Ok(vec![self.credit_accepted(setting, command, None)?])
    }

    /// The event of a new credit; `target` where a day's total made it.
    pub(super) fn credit_accepted(&self, setting: &Setting, command: &Credit, target: Option<i64>) -> Result<AccountEvent, AccountError> {
        setting.check_amount(command.amount)?;
        setting.check_future(command.expires_at)?;
        self.check_room(command.amount)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(CreditAccepted {
            program_id,
            user_id,
            team_id,
            transaction_id: command.transaction_id,
            amount: command.amount,
            rule_id: command.rule.map(|rule| rule.rule_id),
            rule_version: command.rule.map(|rule| rule.rule_version),
            earned_on: command.earned_on,
            target,
            source_id: command.source_id.clone(),
            expires_at: command.expires_at,
            reason: command.reason.clone(),
            postings: Posting::movement(LedgerAccount::Issuance, LedgerAccount::Pending, command.amount),
        }
        .into())
    }

    /// Once; again, nothing.
    pub(super) fn resolve_credit(&self, setting: &Setting, command: &ResolveCredit) -> Decision {
        let transaction_id = command.transaction_id;
        let credit = match self.pending_credit(transaction_id) {
            Err(AccountError::AlreadyResolved) => return Ok(Vec::new()),
            other => other?,
        };
        let AccountKey { program_id, user_id, team_id } = setting.account;
        let terms = Some(self.lots.next_terms(0, credit.expires_at));
        Ok(vec![
            CreditResolved {
                program_id,
                user_id,
                team_id,
                transaction_id,
                amount: credit.amount,
                rule_id: credit.rule_id,
                earned_on: credit.earned_on,
                expires_at: credit.expires_at,
                lots: vec![LotChange { lot: LotId::of(transaction_id, 0), amount: credit.amount, held: 0, terms }],
                postings: Posting::movement(LedgerAccount::Pending, setting.member(), credit.amount),
            }
            .into(),
        ])
    }

    pub(super) fn void_credit(&self, setting: &Setting, command: &VoidCredit) -> Decision {
        let credit = self.pending_credit(command.transaction_id)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            CreditVoided {
                program_id,
                user_id,
                team_id,
                transaction_id: command.transaction_id,
                amount: credit.amount,
                rule_id: credit.rule_id,
                earned_on: credit.earned_on,
                target: None,
                reason: command.reason.clone(),
                postings: Posting::movement(LedgerAccount::Pending, LedgerAccount::Issuance, credit.amount),
            }
            .into(),
        ])
    }

    fn pending_credit(&self, id: TransactionId) -> Result<&PendingCredit, AccountError> {
        self.pending.get(id).ok_or_else(|| match self.history.get(id) {
            Some(Record::Credit(_)) => AccountError::AlreadyResolved,
            Some(Record::CreditVoided) => AccountError::CreditVoided,
            _ => AccountError::UnknownCredit,
        })
    }

    /// Whether `amount` more points may arrive.
    pub(super) fn check_room(&self, amount: i64) -> Result<(), AccountError> {
        let full = self.posted() + self.pending.total() + amount > BALANCE_MAX_POINTS;
        if full { Err(AccountError::BalanceTooLarge) } else { Ok(()) }
    }
}
