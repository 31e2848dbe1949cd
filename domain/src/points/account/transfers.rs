//! The halves of a transfer: recorded in one append, so that neither stands alone (W-70).

use super::aggregate::{Account, Decision, Setting};
use super::{AccountError, TransferIn, TransferOut, TransferReceived, TransferSent};
use crate::points::{AccountKey, LedgerAccount, LotChange, LotId, Portion, Posting};

impl Account {
    pub(super) fn transfer_out(&self, setting: &Setting, command: &TransferOut) -> Decision {
        setting.check_amount(command.amount)?;
        if command.to_user_id == setting.account.user_id {
            return Err(AccountError::SelfTransfer);
        }
        self.check_new(command.transfer_id)?;
        self.check_not_frozen()?;
        // Points that are there, never overdraft: what arrives is somebody's to keep.
        let spendable = self.available().max(0);
        if command.amount > spendable {
            return Err(AccountError::InsufficientPoints { wanted: command.amount, spendable });
        }
        let lots = self.lots.spend(command.amount, |_| true);
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            TransferSent {
                program_id,
                user_id,
                team_id,
                transaction_id: command.transfer_id,
                to_user_id: command.to_user_id,
                amount: command.amount,
                portions: self.portions(&lots),
                reason: command.reason.clone(),
                lots,
                postings: Posting::movement(setting.member(), LedgerAccount::Transfers, command.amount),
            }
            .into(),
        ])
    }

    pub(super) fn transfer_in(&self, setting: &Setting, command: &TransferIn) -> Decision {
        if command.from_user_id == setting.account.user_id {
            return Err(AccountError::SelfTransfer);
        }
        for portion in &command.portions {
            setting.check_amount(portion.amount)?;
        }
        let amount = command.portions.iter().map(|portion| portion.amount).sum();
        setting.check_amount(amount)?;
        self.check_new(command.transfer_id)?;
        self.check_room(amount)?;
        let open = |(index, portion): (u32, &Portion)| LotChange {
            lot: LotId::of(command.transfer_id, index),
            amount: portion.amount,
            held: 0,
            terms: Some(self.lots.next_terms(index, portion.expires_at)),
        };
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![
            TransferReceived {
                program_id,
                user_id,
                team_id,
                transaction_id: command.transfer_id,
                from_user_id: command.from_user_id,
                amount,
                reason: command.reason.clone(),
                lots: (0..).zip(&command.portions).map(open).collect(),
                postings: Posting::movement(LedgerAccount::Transfers, setting.member(), amount),
            }
            .into(),
        ])
    }

    /// What `changes` take, by expiry. They take in turn, so equal expiries stand together.
    fn portions(&self, changes: &[LotChange]) -> Vec<Portion> {
        let mut portions: Vec<Portion> = Vec::new();
        for change in changes {
            let expires_at = self.lots.find(change.lot).and_then(|lot| lot.terms.expires_at);
            match portions.last_mut().filter(|last| last.expires_at == expires_at) {
                Some(last) => last.amount -= change.amount,
                None => portions.push(Portion { amount: -change.amount, expires_at }),
            }
        }
        portions
    }
}
