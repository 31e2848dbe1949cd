//! What each (rule, day) is worth and what it gave: any order of arrival ends in the same award.

use super::aggregate::{Account, Decision, Setting};
use super::history::EarnedFor;
use super::{AccountError, AccountEvent, Credit, CreditVoided, EarningSettled, SettleEarning};
use crate::kernel::RuleId;
use crate::points::{AMOUNT_MAX_POINTS, AccountKey, LedgerAccount, Posting};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A settled (rule, day).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// What the day was last said to be worth.
    pub target: i64,
    /// What was credited for it, pending credits included, less what was voided or taken back.
    pub awarded: i64,
}

impl Earned {
    /// What the member keeps beyond the day's worth, since it could not be taken back.
    pub fn shortfall(&self) -> i64 {
        (self.awarded - self.target).max(0)
    }

    /// The points to credit, or to take back where negative, so that the day is worth `target`.
    ///
    /// Never more than the change itself: settling the same target again does nothing, a shortfall
    /// is set off against a later rise instead of being collected by chance, and what was withheld
    /// on purpose (a voided or reversed credit) stays withheld.
    fn correction(&self, target: i64) -> i64 {
        let change = target - self.target;
        let missing = target - self.awarded;
        if change >= 0 { missing.clamp(0, change) } else { missing.clamp(change, 0) }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Earnings(BTreeMap<RuleId, BTreeMap<NaiveDate, Earned>>);

impl Earnings {
    pub(super) fn get(&self, (rule, day): EarnedFor) -> Earned {
        self.0.get(&rule).and_then(|days| days.get(&day)).copied().unwrap_or_default()
    }

    /// Adds to what was awarded, and settles on `target` where there is one.
    pub(super) fn settle(&mut self, (rule, day): EarnedFor, awarded: i64, target: Option<i64>) {
        let earned = self.0.entry(rule).or_default().entry(day).or_default();
        earned.awarded += awarded;
        earned.target = target.unwrap_or(earned.target);
    }
}

impl Account {
    /// `target − awarded`: a pending credit, nothing, or points taken back. Credits of the day that
    /// are still pending are voided before anything is taken from the balance.
    pub(super) fn settle_earning(&self, setting: &Setting, command: &SettleEarning) -> Decision {
        if !(0..=AMOUNT_MAX_POINTS).contains(&command.target) {
            return Err(AccountError::AmountOutOfRange { field: "target", lowest: 0 });
        }
        let earned_for = (command.rule.rule_id, command.day);
        let earned = self.earnings.get(earned_for);
        if earned.target == command.target {
            return Ok(Vec::new());
        }
        self.check_new(command.transaction_id)?;
        let mut events = Vec::new();
        let mut to_take = -earned.correction(command.target);
        for (&transaction_id, credit) in self.pending.of(earned_for) {
            if to_take <= 0 {
                break;
            }
            to_take -= credit.amount;
            let AccountKey { program_id, user_id, team_id } = setting.account;
            events.push(AccountEvent::from(CreditVoided {
                program_id,
                user_id,
                team_id,
                transaction_id,
                amount: credit.amount,
                rule_id: credit.rule_id,
                earned_on: credit.earned_on,
                target: Some(command.target),
                reason: None,
                postings: Posting::movement(LedgerAccount::Pending, LedgerAccount::Issuance, credit.amount),
            }));
        }
        match to_take {
            1.. => events.push(self.earning_reversed(setting, command, to_take)),
            // The day rose, or a voided credit was more than what had to go.
            ..0 => events.push(self.settling_credit(setting, command, -to_take)?),
            0 if events.is_empty() => events.push(earning_settled(setting, command)),
            0 => {}
        }
        Ok(events)
    }

    fn settling_credit(&self, setting: &Setting, command: &SettleEarning, amount: i64) -> Result<AccountEvent, AccountError> {
        let credit = Credit {
            transaction_id: command.transaction_id,
            amount,
            rule: Some(command.rule),
            earned_on: Some(command.day),
            source_id: command.source_id.clone(),
            expires_at: command.expires_at,
            reason: None,
        };
        self.credit_accepted(setting, &credit, Some(command.target))
    }
}

fn earning_settled(setting: &Setting, command: &SettleEarning) -> AccountEvent {
    let AccountKey { program_id, user_id, team_id } = setting.account;
    EarningSettled {
        program_id,
        user_id,
        team_id,
        transaction_id: command.transaction_id,
        amount: 0,
        rule_id: command.rule.rule_id,
        rule_version: command.rule.rule_version,
        earned_on: command.day,
        target: command.target,
        postings: Vec::new(),
    }
    .into()
}
