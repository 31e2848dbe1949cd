//! Debits, and the checks that everything which spends shares.

use super::aggregate::{Account, Decision, Setting};
use super::{AccountError, Debit, PointsDebited};
use crate::points::{AccountKey, LedgerAccount, Posting};

impl Account {
    pub(super) fn debit(&self, setting: &Setting, command: &Debit) -> Decision {
        setting.check_amount(command.amount)?;
        self.check_new(command.transaction_id)?;
        self.check_spendable(setting, command.amount)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            PointsDebited {
                program_id,
                user_id,
                team_id,
                transaction_id: command.transaction_id,
                amount: command.amount,
                source_id: command.source_id.clone(),
                reason: command.reason.clone(),
                lots: self.lots.spend(command.amount, |_| true),
                postings: Posting::movement(setting.member(), LedgerAccount::Redemption, command.amount),
            }
            .into(),
        ])
    }

    pub(super) fn check_not_frozen(&self) -> Result<(), AccountError> {
        if self.is_frozen() { Err(AccountError::Frozen) } else { Ok(()) }
    }

    /// Whether `amount` may be spent: the account is not frozen and stays at its floor or above.
    pub(super) fn check_spendable(&self, setting: &Setting, amount: i64) -> Result<(), AccountError> {
        self.check_not_frozen()?;
        let spendable = self.above_floor(setting);
        if amount > spendable { Err(AccountError::InsufficientPoints { wanted: amount, spendable }) } else { Ok(()) }
    }

    /// How far the account stands above its floor.
    pub(super) fn above_floor(&self, setting: &Setting) -> i64 {
        (self.available() - setting.floor).max(0)
    }
}
